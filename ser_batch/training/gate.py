"""Champion against challenger on the same segments: is the new one better, and nowhere worse?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ser_batch.arrays import BoolArray, DoubleArray, IntArray
from ser_batch.config import RetrainSettings
from ser_batch.training.evaluation import confusion_matrix, expected_calibration_error, uar

N_BOOTSTRAP = 2000


@dataclass(frozen=True)
class HoldoutSet:
    """Segments drawn by chance, of callers that no model learns from; an entry a segment each.

    Attributes:
        truth: what most annotators name
        callers: who is heard
        slices: what figures are split by, `{"queue": "billing"}`
    """

    truth: Sequence[str]
    callers: Sequence[str]
    slices: Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class SliceFigures:
    """Both models on a part of the segments."""

    name: str
    value: str
    n_segments: int
    champion_uar: float
    challenger_uar: float

    @property
    def difference(self) -> float:
        """Challenger less champion."""
        return self.challenger_uar - self.champion_uar


@dataclass(frozen=True)
class ModelComparison:
    """How the two models compare.

    Attributes:
        n_segments, n_callers: what it rests on
        champion_uar, challenger_uar: unweighted average recall of the emotions that occur
        difference: challenger less champion
        low, high: interval of the difference, callers drawn anew; the challenger is better with
            the set confidence if `low` lies above 0
        champion_ece, challenger_ece: expected calibration errors
        slices: parts with enough segments
        is_better: whether the challenger may be promoted
        reasons: why, or why not, in words
    """

    n_segments: int
    n_callers: int
    champion_uar: float
    challenger_uar: float
    difference: float
    low: float
    high: float
    champion_ece: float
    challenger_ece: float
    slices: tuple[SliceFigures, ...]
    is_better: bool
    reasons: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        slices = [{**asdict(part), "difference": part.difference} for part in self.slices]
        return {**asdict(self), "slices": slices, "reasons": list(self.reasons)}


def compare_models(
    measured: HoldoutSet,
    champion: DoubleArray,
    challenger: DoubleArray,
    classes: Sequence[str],
    settings: RetrainSettings,
) -> ModelComparison:
    """Compare two models on the same segments.

    Args:
        measured: the segments
        champion: probabilities of the model in use, shape (n, len(classes))
        challenger: of the other, same shape
        classes: every emotion that occurs or that a model knows; what a model does not know has
            probability 0, and counts against it where it is the truth
        settings: confidence and margins
    """
    column = {name: i for i, name in enumerate(classes)}
    truth = np.array([column[name] for name in measured.truth], np.int64)
    guesses = [each.argmax(axis=1).astype(np.int64) for each in (champion, challenger)]
    values = [uar(confusion_matrix(truth, guess, len(classes))) for guess in guesses]
    low, high = paired_interval(truth, guesses, measured.callers, len(classes), settings.confidence)
    errors = [
        expected_calibration_error(each.max(axis=1), truth == guess)
        for each, guess in zip((champion, challenger), guesses, strict=True)
    ]
    slices = _slices(measured, truth, guesses, len(classes), settings.min_slice)
    found = ModelComparison(
        n_segments=len(truth),
        n_callers=len(set(measured.callers)),
        champion_uar=values[0],
        challenger_uar=values[1],
        difference=values[1] - values[0],
        low=low,
        high=high,
        champion_ece=errors[0],
        challenger_ece=errors[1],
        slices=slices,
        is_better=False,
        reasons=(),
    )
    return _judged(found, settings)


def paired_interval(
    truth: IntArray,
    guesses: Sequence[IntArray],
    callers: Sequence[str],
    n_classes: int,
    confidence: float,
) -> tuple[float, float]:
    """Interval of the difference of two UARs when whole callers are drawn anew, with replacement.

    Each end is one-sided: the difference lies above the lower end with the given confidence.

    Args:
        truth: class numbers, shape (n,)
        guesses: of the champion and of the challenger, same shape each
        callers: of each segment
        n_classes: how many there are
        confidence: of each end
    """
    names, index = np.unique(np.array(callers), return_inverse=True)
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(names), (N_BOOTSTRAP, len(names)))
    times = np.stack([np.bincount(draw, minlength=len(names)) for draw in drawn])
    champion, challenger = (
        _recalls(times @ _by_caller(truth, guess, index, n_classes)) for guess in guesses
    )
    differences = challenger - champion
    low, high = np.percentile(differences, [100 * (1 - confidence), 100 * confidence])
    return float(low), float(high)


def _by_caller(truth: IntArray, guess: IntArray, index: IntArray, n_classes: int) -> IntArray:
    """Each caller's segments by true and guessed class, shape (n_callers, n_classes**2)."""
    size = n_classes**2
    cells = index * size + truth * n_classes + guess
    counts = np.bincount(cells, minlength=(int(index.max()) + 1) * size)
    return counts.reshape(-1, size).astype(np.int64)


def _recalls(tables: IntArray) -> DoubleArray:
    """UAR of each confusion table, shape (n_tables,)."""
    n_classes = int(np.sqrt(tables.shape[1]))
    square = tables.reshape(-1, n_classes, n_classes)
    total = square.sum(axis=2)
    hits = np.diagonal(square, axis1=1, axis2=2)
    recall = np.where(total > 0, hits / np.maximum(total, 1), 0.0)
    return np.asarray(recall.sum(axis=1) / np.maximum((total > 0).sum(axis=1), 1))


def _slices(
    measured: HoldoutSet,
    truth: IntArray,
    guesses: Sequence[IntArray],
    n_classes: int,
    least: int,
) -> tuple[SliceFigures, ...]:
    """Both models on every part that holds enough segments."""
    parts = sorted({item for slices in measured.slices for item in slices.items()})
    figures = []
    for name, value in parts:
        rows: BoolArray = np.array([slices.get(name) == value for slices in measured.slices])
        if least <= np.count_nonzero(rows) < len(rows):
            both = [uar(confusion_matrix(truth[rows], g[rows], n_classes)) for g in guesses]
            figures.append(SliceFigures(name, value, int(np.count_nonzero(rows)), *both))
    return tuple(figures)


def _judged(found: ModelComparison, settings: RetrainSettings) -> ModelComparison:
    """The contest with its verdict."""
    against = []
    if found.n_segments < settings.min_measured or found.n_callers < settings.min_measured_callers:
        against.append(
            f"only {found.n_segments} segments of {found.n_callers} callers measure it, "
            f"{settings.min_measured} of {settings.min_measured_callers} are needed: label more of "
            "those that the queue draws by chance"
        )
    if found.low <= 0:
        against.append(
            f"it is not better with {settings.confidence:.0%} confidence: UAR "
            f"{found.challenger_uar:.3f} against {found.champion_uar:.3f}, the difference of "
            f"{found.difference:+.3f} may be as low as {found.low:+.3f}"
        )
    against += [
        f"{part.name} {part.value!r} falls by {-part.difference:.3f} "
        f"({part.champion_uar:.3f} to {part.challenger_uar:.3f}, {part.n_segments} segments), "
        f"more than {settings.max_slice_fall:g}"
        for part in found.slices
        if -part.difference > settings.max_slice_fall
    ]
    if found.challenger_ece - found.champion_ece > settings.max_ece_rise:
        against.append(
            f"its probabilities say less what they mean: calibration error "
            f"{found.challenger_ece:.3f} against {found.champion_ece:.3f}"
        )
    reasons = against or [
        f"better with {settings.confidence:.0%} confidence: UAR {found.challenger_uar:.3f} against "
        f"{found.champion_uar:.3f} on {found.n_segments} segments of {found.n_callers} unseen "
        f"callers, by at least {found.low:+.3f}; no part falls by more than "
        f"{settings.max_slice_fall:g}; calibration error {found.challenger_ece:.3f} against "
        f"{found.champion_ece:.3f}"
    ]
    return ModelComparison(**{**vars(found), "is_better": not against, "reasons": tuple(reasons)})
