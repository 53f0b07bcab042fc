"""Predictions for speakers outside the training data of each model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ser_batch.arrays import DoubleArray
from ser_batch.config import ModelSettings
from ser_batch.corpora.base import Clip, contents
from ser_batch.errors import BothSidesError
from ser_batch.features.dataset import Dataset
from ser_batch.features.dataset import joined as join_datasets
from ser_batch.training.decided import Decided, decided, joined
from ser_batch.training.evaluation import Evaluation, evaluate
from ser_batch.training.fit import Recipe, train
from ser_batch.training.splits import Fold, LeakageReport, check_no_leakage, speaker_folds


@dataclass(frozen=True)
class CrossValidation:
    """Every clip predicted by a model that was trained, tuned and calibrated without its speaker.

    Attributes:
        probabilities: of the clips as they are, not of copies, shape (n_clips, n_classes)
        evaluation: figures of them
        decided: what production decides about these clips
        proof: what was checked of the split
    """

    probabilities: DoubleArray
    evaluation: Evaluation
    decided: Decided
    proof: LeakageReport


def cross_validate(
    dataset: Dataset,
    *,
    n_folds: int | None = None,
    recipe: Recipe | None = None,
    on_fold: Callable[[], None] = lambda: None,
) -> CrossValidation:
    """Train and test with whole speakers held out.

    Args:
        dataset: labelled clips; augmented copies are trained on and never tested
        n_folds: folds of whole speakers; None: leave one speaker out
        recipe: how to train
        on_fold: called after each fold, for a progress bar

    Raises:
        LeakError: if the speakers cannot be held apart
    """
    folds = speaker_folds(dataset.speakers, dataset.contents, n_folds=n_folds)
    proof = check_no_leakage(folds, dataset.speakers, dataset.contents, dataset.copies)
    held_out = held_out_predictions(dataset, folds, recipe, on_fold)
    clips = dataset.take(dataset.copies == 0)
    evaluation = evaluate(clips.emotions, held_out.probabilities, dataset.classes, clips.speakers)
    return CrossValidation(held_out.probabilities, evaluation, held_out.decided, proof)


@dataclass(frozen=True)
class HeldOut:
    """Predictions for the clips as they are, not for copies, in the order of the dataset.

    Attributes:
        probabilities: shape (n_clips, n_classes)
        decided: what production decides about them
    """

    probabilities: DoubleArray
    decided: Decided


def held_out_predictions(
    dataset: Dataset,
    folds: Sequence[Fold],
    recipe: Recipe | None,
    on_fold: Callable[[], None] = lambda: None,
) -> HeldOut:
    """Predictions for each fold's clips from a model of the other folds.

    Args:
        dataset: labelled clips
        folds: in which each clip is tested once
        recipe: how to train
        on_fold: called after each fold, for a progress bar
    """
    probabilities = np.zeros((len(dataset.emotions), len(dataset.classes)))
    rows, parts = [], []
    for fold in folds:
        model = train(dataset.take(fold.train), recipe)
        tested = dataset.without_copies(fold.test)
        found = model.predict(dataset.features[tested], dataset.names)
        probabilities[tested] = align(found, model.classes, dataset.classes)
        rows.append(tested)
        parts.append(decided(model, dataset.take(tested), ModelSettings()))
        on_fold()
    in_order = joined(parts).take(np.argsort(np.concatenate(rows)))
    return HeldOut(probabilities[dataset.copies == 0], in_order)


def check_clips_apart(clips_of: Mapping[str, Sequence[Clip]]) -> None:
    """Check that no two sides hold the same recording, before their clips are described.

    Args:
        clips_of: clips by side

    Raises:
        BothSidesError: naming the first two files that do
    """
    if len(clips_of) < 2:
        return
    known: dict[str, tuple[str, Path]] = {}
    for name, clips in clips_of.items():
        for clip, content in zip(clips, contents(clips), strict=True):
            side, path = known.setdefault(content, (name, clip.path))
            if side != name:
                raise BothSidesError(
                    f"{path} ({side}) and {clip.path} ({name}) are one recording on both sides"
                )


def check_apart(trained: Dataset, tested: Dataset, *, sentences: bool) -> LeakageReport:
    """Check that a training and a test set share no speaker and no recording.

    Args:
        trained: with copies or without
        tested: without copies
        sentences: also no text, where it is known

    Raises:
        BothSidesError: naming the first that is on both sides
    """
    n_train, n_test = len(trained.emotions), len(tested.emotions)
    both = join_datasets(trained, tested)
    fold = Fold(np.arange(n_train), np.arange(n_train, n_train + n_test))
    texts = both.sentences if sentences else None
    return check_no_leakage([fold], both.speakers, both.contents, both.copies, texts)


def align(probabilities: DoubleArray, classes: Sequence[str], wanted: Sequence[str]) -> DoubleArray:
    """Probabilities with a column for each wanted class, 0 where the model does not know it."""
    aligned = np.zeros((len(probabilities), len(wanted)))
    for i, name in enumerate(wanted):
        if name in classes:
            aligned[:, i] = probabilities[:, list(classes).index(name)]
    return aligned
