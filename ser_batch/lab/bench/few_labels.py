"""How far a call centre gets with its first labels: recall by number of labels an emotion.

A model is trained on a few clips an emotion, drawn from the training speakers, and tested on all
clips of speakers outside its training data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from ser_batch.arrays import IntArray
from ser_batch.corpora import read_corpus
from ser_batch.corpora.base import one_of_each_content
from ser_batch.features.dataset import Dataset
from ser_batch.progress import Progress, counted
from ser_batch.training.crossvalidate import align
from ser_batch.training.evaluation import evaluate
from ser_batch.training.fit import Recipe, train
from ser_batch.training.protocols import CROSS_EMOTIONS
from ser_batch.training.setup import TrainingSetup
from ser_batch.training.splits import Fold, check_no_leakage, speaker_folds

N_LABELS = (10, 25, 50, 100, 200)
N_FOLDS = 5
PEER = "descriptors_v1"


def run(
    corpora: Path,
    names: Sequence[str],
    feature_set: str,
    *,
    draws: int = 3,
    on_progress: Progress,
) -> dict[str, Any]:
    """Compare a feature set with the default one, telephone band.

    Args:
        corpora: folder below which each corpus has its own
        names: of the corpora, pooled; four emotions of them are used
        feature_set: name of the set
        draws: how often labels are drawn
        on_progress: called with a step, what is done of it, and all of it

    Returns:
        ours and peers: UAR by number of labels; ratios: of ours to the peer's
    """
    clips = one_of_each_content([clip for name in names for clip in read_corpus(corpora, name)])
    clips = [clip for clip in clips if clip.emotion in CROSS_EMOTIONS]
    curves = {}
    for name in (feature_set, PEER):
        setup = TrainingSetup.choose(features=name)
        step = f"describing clips, {name}"
        dataset = setup.describe(clips, copies=False, step=step, on_progress=on_progress)
        n_models = len(N_LABELS) * draws * N_FOLDS
        on_model = counted(f"training on few labels, {name}", n_models, on_progress)
        curves[name] = curve(dataset, setup.recipe, draws=draws, on_model=on_model)
    ours, peer = curves[feature_set], curves[PEER]
    return {
        "emotions": list(CROSS_EMOTIONS),
        "corpora": list(names),
        "ours": {feature_set: ours},
        "peers": {PEER: peer},
        "ratios": {n: ours[n] / peer[n] for n in ours},
    }


def curve(
    dataset: Dataset, recipe: Recipe, *, draws: int, on_model: Callable[[], None]
) -> dict[int, float]:
    """Mean UAR over the draws, by number of labels an emotion."""
    folds = mixed_folds(dataset)
    check_no_leakage(folds, dataset.speakers, dataset.contents)
    figures: dict[int, list[float]] = {n: [] for n in N_LABELS}
    for n_labels in N_LABELS:
        for draw in range(draws):
            rng = np.random.default_rng([draw, n_labels])
            probabilities = np.zeros((len(dataset.emotions), len(dataset.classes)))
            for fold in folds:
                model = train(dataset.take(drawn(dataset, fold.train, n_labels, rng)), recipe)
                found = model.predict(dataset.features[fold.test], dataset.names)
                probabilities[fold.test] = align(found, model.classes, dataset.classes)
                on_model()
            evaluation = evaluate(
                dataset.emotions, probabilities, dataset.classes, dataset.speakers
            )
            figures[n_labels].append(evaluation.uar)
    return {n: float(np.mean(values)) for n, values in figures.items()}


def mixed_folds(dataset: Dataset) -> list[Fold]:
    """Folds of whole speakers with some of every corpus in each, as a call centre's own are."""
    alone = speaker_folds(dataset.speakers, dataset.contents)
    tested = [
        np.sort(np.concatenate([fold.test for fold in alone[first::N_FOLDS]]))
        for first in range(N_FOLDS)
    ]
    everyone = np.arange(len(dataset.emotions))
    return [Fold(np.setdiff1d(everyone, rows), rows) for rows in tested]


def drawn(dataset: Dataset, rows: IntArray, n_labels: int, rng: np.random.Generator) -> IntArray:
    """As many rows of each emotion, fewer where there are not so many."""
    emotions = np.array(dataset.emotions)[rows]
    chosen = [rng.permutation(rows[emotions == emotion])[:n_labels] for emotion in dataset.classes]
    return np.sort(np.concatenate(chosen))


def picture(result: dict[str, Any], path: Path) -> None:
    """The curves as a file; its ending says which kind: .svg or .png."""
    curves = {**result["ours"], **result["peers"]}
    points = pl.DataFrame(
        [
            {"labels": n, "UAR": value, "features": name}
            for name, found in curves.items()
            for n, value in found.items()
        ]
    )
    chart = (
        alt.Chart(points, width=480, height=300)
        .mark_line(point=True)
        .encode(
            x=alt.X(
                "labels",
                scale=alt.Scale(type="log", domain=[N_LABELS[0], N_LABELS[-1]]),
                axis=alt.Axis(values=list(N_LABELS)),
                title="labels an emotion",
            ),
            y=alt.Y("UAR", scale=alt.Scale(zero=False), title="UAR, unseen speakers"),
            color=alt.Color("features", title=None),
        )
    )
    chart.configure(background="white").save(path)
