"""What labels are worth: recall on unseen callers by number of labels, by queue and by chance.

The bundled model meets another corpus: half of its speakers are labelled from, in steps; the other
half are never labelled and measure every model. The queue asks about what it finds worth asking
about, chance about any segment; both train on the bundled model's corpus and the labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ser_batch.arrays import IntArray
from ser_batch.config import Settings
from ser_batch.corpora import read_corpus
from ser_batch.corpora.base import one_of_each_content
from ser_batch.features.dataset import Dataset, joined
from ser_batch.labels.selection import Pool, worth_asking
from ser_batch.progress import Progress
from ser_batch.scoring.bundle import Bundle, default_bundle_path
from ser_batch.scoring.predictor import Predictor
from ser_batch.training.crossvalidate import align
from ser_batch.training.evaluation import confusion_matrix, uar
from ser_batch.training.fit import Recipe, class_numbers, train
from ser_batch.training.setup import TrainingSetup
from ser_batch.training.splits import Fold, check_no_leakage

START = "emodb"
STEPS = (50, 100, 150, 200)
AT = 200
COPIES = 1
BY = ("queue", "chance")


def run(
    corpora: Path,
    corpus: str,
    *,
    draws: int = 3,
    steps: Sequence[int] = STEPS,
    recipe: Recipe | None = None,
    on_progress: Progress,
) -> dict[str, Any]:
    """Feed labels of another corpus's speakers to the bundled model, in steps.

    Args:
        corpora: folder below which each corpus has its own
        corpus: whose speakers are labelled and measured
        draws: how often its speakers are drawn apart
        steps: numbers of labels; the first difference is the size of a queue
        recipe: how to train; None: as the feature set asks for
        on_progress: called with a step, what is done of it, and all of it

    Returns:
        JSON-able; `uar` by way of asking and number of labels, `gain_at_200` in points of UAR,
        `labels_saved` by the queue for the recall that chance has at the last step
    """
    bundle = Bundle.load(default_bundle_path())
    setup = TrainingSetup.choose(features=bundle.feature_set, copies=COPIES)
    describe = partial(_described, corpora, bundle, setup, on_progress)
    learnt, target = describe(START, copies=True), describe(corpus, copies=False)
    curves: dict[str, list[list[float]]] = {by: [] for by in BY}
    n_models, n_done = draws * len(BY) * len(steps), 0
    for draw in range(draws):
        pool, measured = _halves(target, draw)
        check_no_leakage(
            [Fold(np.arange(len(pool)), len(pool) + np.arange(len(measured)))],
            [target.speakers[i] for i in (*pool, *measured)],
            [target.contents[i] for i in (*pool, *measured)],
        )
        for by in BY:
            loop = Loop(
                learnt,
                target.take(pool),
                target.take(measured),
                weight=Settings().retrain.label_weight,
                recipe=recipe or setup.recipe,
                first=bundle.predictor,
            )
            curve = [loop.recall()]
            for n_labels in steps:
                loop.ask(by, n_labels - len(loop.labelled), np.random.default_rng([draw, n_labels]))
                loop.retrain()
                curve.append(loop.recall())
                n_done += 1
                on_progress("training on labels", n_done, n_models)
            curves[by].append(curve)
    return {
        "corpus": corpus,
        "emotions": list(target.classes),
        "n_speakers": len(set(target.speakers)),
        "draws": draws,
        **figures(curves, [0, *steps]),
    }


class Loop:
    """One way of asking, from the bundled model on.

    Args:
        learnt: what the bundled model was trained on
        pool: whose labels can be asked for
        measured: who measures
        weight: times that a label counts
        recipe: how to train
        first: the model to begin with
    """

    def __init__(
        self,
        learnt: Dataset,
        pool: Dataset,
        measured: Dataset,
        *,
        weight: int,
        recipe: Recipe,
        first: Predictor,
    ) -> None:
        self.labelled: list[int] = []
        self._learnt, self._pool, self._measured = learnt, pool, measured
        self._weight = weight
        self._recipe = recipe
        self._model = first

    def ask(self, by: str, count: int, rng: np.random.Generator) -> None:
        """Label so many more segments of the pool, by queue or by chance."""
        left = np.setdiff1d(np.arange(len(self._pool.emotions)), self.labelled)
        if by == "chance":
            self.labelled += rng.permutation(left)[:count].tolist()
            return
        unlabelled = self._pool.take(left)
        nothing = np.zeros(len(left))
        picks = worth_asking(
            Pool(
                probabilities=self._model.predict(unlabelled.features, unlabelled.names),
                features=unlabelled.features,
                disagreement=nothing,
                impact=nothing,
                groups=[unlabelled.speakers],
            ),
            count,
        )
        self.labelled += [int(left[pick.row]) for pick in picks]

    def retrain(self) -> None:
        """Train on what was learnt before and the labels."""
        rows = np.repeat(np.array(self.labelled, np.int64), self._weight)
        copies = np.tile(np.arange(self._weight), len(self.labelled))
        labels = replace(self._pool.take(rows), copies=copies)
        self._model = train(joined(self._learnt, labels), self._recipe)

    def recall(self) -> float:
        """UAR of the newest model on the speakers who measure."""
        model = self._model
        classes = tuple(sorted({*self._measured.classes, *model.classes}))
        found = model.predict(self._measured.features, self._measured.names)
        guess = align(found, model.classes, classes).argmax(axis=1).astype(np.int64)
        truth = class_numbers(self._measured.emotions, classes)
        return uar(confusion_matrix(truth, guess, len(classes)))


def figures(
    curves: Mapping[str, Sequence[Sequence[float]]], steps: Sequence[int]
) -> dict[str, Any]:
    """Means over the draws, and what follows from them.

    Args:
        curves: recalls by way of asking: a row a draw, a column a number of labels
        steps: the numbers of labels, from 0
    """
    means = {by: np.mean(values, axis=0).tolist() for by, values in curves.items()}
    at = steps.index(AT) if AT in steps else len(steps) - 1
    gains = {by: 100 * (curve[at] - curve[0]) for by, curve in means.items()}
    return {
        "labels": list(steps),
        "uar": means,
        "uar_of_draws": {by: [list(curve) for curve in values] for by, values in curves.items()},
        "gain_at_200": gains["queue"],
        "gain_at_200_by_chance": gains["chance"],
        "labels_saved": labels_saved(means["queue"], means["chance"], steps),
        "labels_saved_of_draws": [
            labels_saved(queue, chance, steps)
            for queue, chance in zip(curves["queue"], curves["chance"], strict=True)
        ],
    }


def labels_saved(queue: Sequence[float], chance: Sequence[float], steps: Sequence[int]) -> float:
    """Labels that the queue needs less than chance for the best recall that both reach.

    Args:
        queue: recall at each number of labels
        chance: the same, asking by chance
        steps: the numbers of labels

    Returns:
        below 0 where chance needs fewer
    """
    reached = min(max(queue), max(chance))
    needed = [_first_reaching(reached, curve, steps) for curve in (queue, chance)]
    return needed[1] - needed[0]


def _first_reaching(value: float, curve: Sequence[float], steps: Sequence[int]) -> float:
    """Number of labels at which a curve first reaches a value, straight lines between steps."""
    for i in range(len(steps)):
        if curve[i] >= value:
            if i == 0:
                return float(steps[0])
            share = (value - curve[i - 1]) / (curve[i] - curve[i - 1])
            return float(steps[i - 1] + share * (steps[i] - steps[i - 1]))
    return float(steps[-1])


def _halves(target: Dataset, draw: int) -> tuple[IntArray, IntArray]:
    """Rows of the speakers who are labelled, and of those who measure."""
    speakers = np.unique(np.array(target.speakers))
    drawn = np.random.default_rng(draw).permutation(speakers)[: len(speakers) // 2]
    labelled = np.isin(np.array(target.speakers), drawn)
    return np.flatnonzero(labelled), np.flatnonzero(~labelled)


def _described(
    corpora: Path,
    bundle: Bundle,
    setup: TrainingSetup,
    on_progress: Progress,
    corpus: str,
    *,
    copies: bool,
) -> Dataset:
    """Clips of the emotions that the bundled model knows."""
    clips = one_of_each_content(read_corpus(corpora, corpus))
    clips = [clip for clip in clips if clip.emotion in bundle.classes]
    step = f"describing {corpus}"
    return setup.describe(clips, copies=copies, step=step, on_progress=on_progress)
