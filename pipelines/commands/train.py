"""Command `train`: a model of labelled corpora."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
    band: BandOption = BandName.telephone,
    features: FeaturesOption = None,
    augmentations: AugmentationsOption = None,
    optimise_for: ObjectiveOption = Objective.cross_domain,
    dimensions: DimensionsOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a model on labelled corpora and write it as a bundle with its card.

    Its figures are measured on speakers that it was not trained on.

    Examples:

      ser-batch train --corpora DIR --corpus cremad --corpus emodb --out MODEL

      ser-batch train --labels calls.csv --features descriptors_v1

      ser-batch train --labels rated.csv --dimensions
    """
    from ser_batch.corpora import CORPORA, installed
    from ser_batch.corpora.sources import read_clips
    from ser_batch.training.build import build_bundle

    setup = training_setup(band, features, augmentations, optimise_for)
    tables = labels or []
    names = corpus or ([] if tables else [DEFAULT_CORPUS])
    by_name = read_clips(corpora, names, tables)
    check_inputs(corpora, feature_sets=[setup.features])
    clips = [clip for some in by_name.values() for clip in some]
    trained_on = {clip.corpus for clip in clips}
    others = installed(corpora, CORPORA.keys() - trained_on) if corpora else {}
    stems = [*names, *(table.stem for table in tables)]
    folder = out or open_root(root).models / f"{'-'.join(stems)}-{band.value}"
    with progress_bar() as on_progress:
        bundle = build_bundle(
            clips, folder, setup, others=others, dimensions=dimensions, on_progress=on_progress
        )
    show_bundle(bundle.folder, as_json=as_json)
