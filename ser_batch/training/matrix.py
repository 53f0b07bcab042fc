"""Each corpus against each: trained on one, tested on another, or on its own unseen speakers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ser_batch.corpora.base import Clip, one_of_each_content
from ser_batch.errors import CorpusError
from ser_batch.features.dataset import Dataset
from ser_batch.progress import Progress, counted
from ser_batch.scoring.predictor import Predictor
from ser_batch.training.crossvalidate import (
    align,
    check_apart,
    check_clips_apart,
    cross_validate,
)
from ser_batch.training.evaluation import Evaluation
from ser_batch.training.evaluation import evaluate as evaluation_of
from ser_batch.training.fit import train
from ser_batch.training.protocols import CROSS_EMOTIONS, of_emotions
from ser_batch.training.setup import TrainingSetup

N_FOLDS = 5
"""Folds of whole speakers, where a corpus is tested on itself."""


def run_matrix(
    corpora: Mapping[str, Sequence[Clip]], setup: TrainingSetup, *, on_progress: Progress
) -> dict[str, Any]:
    """UAR of every corpus on every corpus, of the emotions that corpora have in common.

    Args:
        corpora: clips by corpus, two at least
        setup: how clips are described and trained on
        on_progress: called with what is being done, the steps done, and all steps

    Returns:
        JSON-able: protocol, emotions, the setup's fields, and `cells`: trained_on, tested_on,
        n_clips, n_emotions, uar, uar_low, uar_high; uar is null where the two have fewer than
        two of the emotions in common

    Raises:
        CorpusError: if there are fewer than two corpora, or one lacks these emotions
        LeakError: if two corpora share a speaker or a recording
    """
    if len(corpora) < 2:
        raise CorpusError("a matrix needs two corpora: put them below --corpora, or name --labels")
    check_clips_apart(corpora)
    described = {
        name: _described(name, clips, setup, on_progress) for name, clips in sorted(corpora.items())
    }
    for one, other in combinations(described.values(), 2):
        check_apart(one, other.take(other.copies == 0), sentences=False)
    on_cell = counted("testing each on each", len(described) ** 2, on_progress)
    cells = []
    for trained_on, trained in described.items():
        model = train(trained, setup.recipe)
        for tested_on, tested in described.items():
            found = (
                _within(trained, setup)
                if trained_on == tested_on
                else _across(model, trained.classes, tested.take(tested.copies == 0))
            )
            cells.append({"trained_on": trained_on, "tested_on": tested_on, **_figures(found)})
            on_cell()
    return {
        "protocol": "matrix",
        "emotions": list(CROSS_EMOTIONS),
        **setup.as_dict(),
        "cells": cells,
    }


def _described(
    name: str, clips: Sequence[Clip], setup: TrainingSetup, on_progress: Progress
) -> Dataset:
    """A corpus's clips of the emotions in common, with the copies that are trained on."""
    known = [clip for clip in one_of_each_content(clips) if clip.emotion in CROSS_EMOTIONS]
    if len({clip.emotion for clip in known}) < 2:
        raise CorpusError(f"{name} has fewer than two of the emotions {', '.join(CROSS_EMOTIONS)}")
    described = setup.describe(known, step=f"describing {name}", on_progress=on_progress)
    return of_emotions(described)


def _within(dataset: Dataset, setup: TrainingSetup) -> Evaluation:
    """Of a corpus's own speakers, each unseen by the model that predicts them."""
    return cross_validate(dataset, n_folds=N_FOLDS, recipe=setup.recipe).evaluation


def _across(model: Predictor, classes: Sequence[str], tested: Dataset) -> Evaluation | None:
    """Of another corpus; emotions that only the tested one has are left out, no others."""
    tested = tested.take(np.isin(np.array(tested.emotions), classes))
    if len(tested.classes) < 2:
        return None
    found = align(model.predict(tested.features, tested.names), model.classes, classes)
    return evaluation_of(tested.emotions, found, classes, tested.speakers)


def _figures(found: Evaluation | None) -> dict[str, Any]:
    if found is None:
        return {"n_clips": 0, "n_emotions": 0, "uar": None, "uar_low": None, "uar_high": None}
    return {
        "n_clips": found.n_clips,
        "n_emotions": sum(score.n_clips > 0 for score in found.per_class.values()),
        "uar": found.uar,
        "uar_low": found.uar_low,
        "uar_high": found.uar_high,
    }
