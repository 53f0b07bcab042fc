"""Command `train`: a model of labelled corpora."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.distill import require_torch, told_command
from pipelines.commands.models import show_bundle
from pipelines.inputs import (
    DEFAULT_CORPUS,
    AugmentationsOption,
    BandName,
    BandOption,
    CorporaOption,
    DimensionsOption,
    FeaturesOption,
    LabelsOption,
    Objective,
    ObjectiveOption,
    check_inputs,
    training_setup,
)
from pipelines.options import DEFAULT_ROOT, JsonOption, RootOption, open_root
from pipelines.terminal import progress_bar

if TYPE_CHECKING:
    from ser_batch.corpora.base import Clip
    from ser_batch.lab.neural.build import NetworkTask
    from ser_batch.scoring.bundle import Bundle


class ModelKind(StrEnum):
    """What is trained."""

    heads = "heads"
    cnn_lstm = "cnn-lstm"
    finetune = "finetune"


def train(
    corpora: CorporaOption = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(help="Corpus to train on; may be repeated. Without it and --labels, emodb."),
    ] = None,
    labels: LabelsOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the bundle; its name is the model's.")
    ] = None,
    root: RootOption = DEFAULT_ROOT,
    model: Annotated[
        ModelKind,
        typer.Option(
            help="heads: linear heads and trees over a feature set; cnn-lstm: a network over "
            "spectral sequences; finetune: a speech encoder (both need ser-batch\\[neural])."
        ),
    ] = ModelKind.heads,
    band: BandOption = BandName.telephone,
    features: FeaturesOption = None,
    augmentations: AugmentationsOption = None,
    optimise_for: ObjectiveOption = Objective.cross_domain,
    dimensions: DimensionsOption = False,
    encoder: Annotated[
        str,
        typer.Option(
            help="Of finetune: weights of `weights list`, an encoder of `distill`, a folder in the "
            "hub's format, or a name on the hub (wav2vec2, HuBERT, WavLM, Whisper)."
        ),
    ] = "whisper_base",
    last_blocks: Annotated[
        int, typer.Option(help="Of finetune: blocks that are trained, from the last.", min=0)
    ] = 2,
    lora_rank: Annotated[
        int,
        typer.Option(help="Of finetune: rank of LoRA in these blocks; 0: train them whole.", min=0),
    ] = 0,
    frozen_epochs: Annotated[
        int, typer.Option(help="Of finetune: epochs before the encoder is trained.", min=0)
    ] = 1,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Of a network, at most; without it, 24 of cnn-lstm and 8 of finetune.", min=1
        ),
    ] = None,
    folds: Annotated[
        int, typer.Option(help="Of a network: folds of speakers for its figures.", min=2)
    ] = 3,
    work: Annotated[
        Path | None,
        typer.Option(help="Folder of a network's checkpoints; without it, deleted at the end."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train a model on labelled corpora and write it as a bundle with its card.

    Its figures are measured on speakers that it was not trained on. An interrupted training of a
    network continues where it stopped. Corpora of the folder that are not trained on are tested.

    Examples:

      ser-batch train --corpora DIR --corpus cremad --corpus emodb --out MODEL

      ser-batch train --labels calls.csv --features descriptors_v1

      ser-batch train --labels rated.csv --dimensions

      ser-batch train --model cnn-lstm --corpora DIR --corpus cremad --corpus emodb

      ser-batch train --model finetune --encoder whisper_base --corpora DIR --corpus emodb
    """
    from ser_batch.corpora import CORPORA, installed
    from ser_batch.corpora.base import check_emotions
    from ser_batch.corpora.sources import read_clips
    from ser_batch.training.build import build_bundle

    tables = labels or []
    names = corpus or ([] if tables else [DEFAULT_CORPUS])
    if model is not ModelKind.heads:
        _check_network_options(band, features, optimise_for, dimensions=dimensions)
    by_name = read_clips(corpora, names, tables)
    clips = [clip for some in by_name.values() for clip in some]
    check_emotions(clips)
    trained_on = {clip.corpus for clip in clips}
    others = installed(corpora, CORPORA.keys() - trained_on) if corpora else {}
    kind = band.value if model is ModelKind.heads else model.value
    stems = [*names, *(table.stem for table in tables)]
    folder = out or open_root(root).models / f"{'-'.join(stems)}-{kind}"
    if model is ModelKind.heads:
        setup = training_setup(band, features, augmentations, optimise_for)
        check_inputs(corpora, feature_sets=[setup.features])
        with progress_bar() as on_progress:
            bundle = build_bundle(
                clips, folder, setup, others=others, dimensions=dimensions, on_progress=on_progress
            )
    else:
        task = (
            _cnn_lstm(folds)
            if model is ModelKind.cnn_lstm
            else _fine_tuning(encoder, last_blocks, lora_rank, frozen_epochs, folds)
        )
        task = _as_asked(task, augmentations, epochs)
        bundle = _trained_network(clips, folder, task, work, others)
    show_bundle(bundle.folder, as_json=as_json)


def _check_network_options(
    band: BandName, features: str | None, optimise_for: Objective, *, dimensions: bool
) -> None:
    """Refuse what a network has no use for, before any work.

    Raises:
        BadParameter: naming the option
        DependencyError: if torch is not installed
    """
    given = {
        "--band": band is not BandName.telephone,
        "--features": features is not None,
        "--optimise-for": optimise_for is not Objective.cross_domain,
        "--dimensions": dimensions,
    }
    for option, is_given in given.items():
        if is_given:
            raise typer.BadParameter("not of a network, see --model", param_hint=option)
    require_torch("neural")


def _cnn_lstm(folds: int) -> NetworkTask:
    """A network over spectral sequences."""
    from ser_batch.lab.neural.build import NetworkTask
    from ser_batch.lab.neural.cnn_lstm import CnnLstm
    from ser_batch.lab.neural.training import Plan

    title = "A network of convolutions, LSTMs and attention over spectral sequences"
    return NetworkTask(CnnLstm(), Plan(), "cnn-lstm", title, n_folds=folds)


def _fine_tuning(
    name: str, last_blocks: int, lora_rank: int, frozen_epochs: int, folds: int
) -> NetworkTask:
    """A speech encoder with new heads.

    Raises:
        EncoderSourceError: if there is no such encoder, or it cannot be fetched
    """
    from ser_batch.lab.neural.build import NetworkTask
    from ser_batch.lab.neural.finetune import PLAN, FineTune
    from ser_batch.lab.neural.loading import load_encoder

    encoder = load_encoder(name)
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    return NetworkTask(
        FineTune(encoder, last_blocks, lora_rank, frozen_epochs),
        PLAN,
        stem=f"finetuned-{re.sub(r'[^A-Za-z0-9_]+', '-', last).lower()}",
        title=f"The speech encoder {last}, fine-tuned",
        begun_from=encoder.began_as,
        licences=(encoder.licence,),
        n_folds=folds,
        int8=True,
    )


def _as_asked(task: NetworkTask, augmentations: int | None, epochs: int | None) -> NetworkTask:
    """The task with the options that every network has."""
    from dataclasses import replace

    plan = task.plan if epochs is None else replace(task.plan, epochs=epochs)
    copies = task.augmentation.copies if augmentations is None else augmentations
    return replace(
        task,
        plan=plan,
        augmentation=replace(task.augmentation, copies=copies),
        command=told_command(sys.argv[1:]),
    )


def _trained_network(
    clips: Sequence[Clip],
    folder: Path,
    task: NetworkTask,
    work: Path | None,
    others: Mapping[str, Sequence[Clip]],
) -> Bundle:
    """Train a network, from its checkpoints where there are some."""
    from platformdirs import user_cache_path

    from ser_batch.config import digest
    from ser_batch.lab.neural.build import build_network_bundle

    asked = digest([repr(task), [str(clip.path) for clip in clips]])
    resumable = work or user_cache_path("ser-batch") / "neural" / asked
    with progress_bar() as on_progress:
        bundle = build_network_bundle(
            clips, folder, task, work=resumable, others=others, on_progress=on_progress
        )
    if work is None:
        shutil.rmtree(resumable)
    return bundle
