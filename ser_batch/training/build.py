"""From corpora to a model bundle: read, describe, evaluate, train, write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ser_batch.config import ModelSettings
from ser_batch.corpora import CORPORA
from ser_batch.corpora.base import Clip, check_emotions, one_of_each_content
from ser_batch.emotions import CALL_CATEGORIES
from ser_batch.features.dataset import Dataset
from ser_batch.progress import Progress, counted, silent
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.predictor import Predictor
from ser_batch.training.crossvalidate import cross_validate
from ser_batch.training.decided import decided, decisions_by_corpus
from ser_batch.training.describe import FEATURE_SETS
from ser_batch.training.dimensions import dimension_figures, fit_dimensions
from ser_batch.training.fit import train
from ser_batch.training.setup import TrainingSetup
from ser_batch.training.splits import speaker_folds
from ser_batch.training.trained import TrainedModel, training_data

MOST_FOLDS = 4


def build_bundle(
    clips: Sequence[Clip],
    out: Path,
    setup: TrainingSetup,
    *,
    others: Mapping[str, Sequence[Clip]] | None = None,
    dimensions: bool = False,
    on_progress: Progress = silent,
) -> Bundle:
    """Train on labelled clips and write the bundle with its card.

    Args:
        clips: of at least two speakers; exact duplicates are left out
        out: folder of the bundle; its name is the model's
        setup: how to describe them and to train
        others: clips of corpora that the model is tested on and never trained
        dimensions: whether it also learns arousal and valence
        on_progress: called at each clip and fold

    Raises:
        CorpusError: if a clip cannot be decoded, all are of one emotion, or too few carry arousal
            and valence
        LeakError: if its speakers cannot be held apart
    """
    clips = one_of_each_content(clips)
    check_emotions(clips)
    dataset = setup.describe(clips, on_progress=on_progress).merged(CALL_CATEGORIES)
    model = _trained(setup, dataset, on_progress)
    if dimensions:
        model = _with_dimensions(model, clips)
    training = training_data(clips)
    return model.write(
        out,
        name=out.name,
        training=training,
        cross_corpus=_cross_corpus(model.predictor, others or {}, setup, on_progress),
        command=_command(training, setup) + (" --dimensions" if dimensions else ""),
    )


def _trained(setup: TrainingSetup, dataset: Dataset, on_progress: Progress) -> TrainedModel:
    """The figures on speakers held out, and the model of all speakers."""
    n_folds = min(len(speaker_folds(dataset.speakers, dataset.contents)), MOST_FOLDS)
    checked = cross_validate(
        dataset,
        n_folds=n_folds,
        recipe=setup.recipe,
        on_fold=counted("testing on unseen speakers", n_folds, on_progress),
    )
    on_progress("training on all speakers", 0, 1)
    predictor = train(dataset, setup.recipe)
    on_progress("training on all speakers", 1, 1)
    return TrainedModel(setup, dataset, checked, predictor)


def _with_dimensions(model: TrainedModel, clips: Sequence[Clip]) -> TrainedModel:
    """The same model with a head for arousal and valence, and its figures on unseen speakers."""
    derived = {clip.corpus for clip in clips if clip.rated is None and clip.dimensions}
    figures = {
        "unseen_speakers": dimension_figures(model.dataset),
        "derived_from_votes": sorted(derived),
    }
    head = fit_dimensions(model.dataset)
    predictor = replace(model.predictor, dimension_head=head)
    return replace(model, predictor=predictor, dimensions=figures)


def _cross_corpus(
    predictor: Predictor,
    others: Mapping[str, Sequence[Clip]],
    setup: TrainingSetup,
    on_progress: Progress,
) -> dict[str, Any]:
    """What production decides about each other corpus."""
    figures: dict[str, Any] = {}
    for name, clips in others.items():
        step = f"testing on {name}"
        tested = setup.describe(clips, copies=False, step=step, on_progress=on_progress)
        found = decided(predictor, tested, ModelSettings())
        by_corpus = decisions_by_corpus(tested, found, predictor.classes, setup.features)
        figures[name] = by_corpus[tested.corpora[0]]
    return figures


def _command(training: Sequence[Mapping[str, Any]], setup: TrainingSetup) -> str:
    """What makes this very model, as far as the defaults do not say it."""
    known = [entry["corpus"] for entry in training if entry["corpus"] in CORPORA]
    corpora = "".join(f" --corpus {name}" for name in known)
    labels = " --labels FILE" if len(known) < len(training) else ""
    wide = " --band wide" if setup.band == "wide" else ""
    is_usual = setup.features == FEATURE_SETS[setup.band]
    described = "" if is_usual else f" --features {setup.features}"
    n_copies = setup.augmentation.copies
    pays = TrainingSetup.choose(setup.band, setup.features).augmentation.copies
    copies = "" if n_copies == pays else f" --augmentations {n_copies}"
    return f"ser-batch train --corpora DIR{corpora}{labels}{wide}{described}{copies}"
