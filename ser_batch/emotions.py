"""The emotion vocabulary, and how dissatisfaction is derived from it: its one home in Python.

The warehouse's one home is `sql/staging/stg_segment_dissatisfaction.sql`; a test holds the two
to the same numbers. What the index must not be used for is stated in the README's limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from ser_batch.arrays import DoubleArray

EMOTIONS: tuple[str, ...] = (
    "anger",
    "boredom",
    "calm",
    "disgust",
    "fear",
    "frustration",
    "happiness",
    "neutral",
    "sadness",
    "surprise",
)

UNCERTAIN = "uncertain"
"""What a segment is called when the model does not know; it counts as no emotion."""

DISSATISFACTION_WEIGHTS: dict[str, float] = {
    "anger": 1.0,
    "boredom": 0.0,
    "calm": 0.0,
    "disgust": 0.8,
    "fear": 0.4,
    "frustration": 1.0,
    "happiness": 0.0,
    "neutral": 0.0,
    "sadness": 0.4,
    "surprise": 0.0,
}
"""Default weight of each emotion's probability, 0 (content) to 1 (dissatisfied)."""


def segment_dissatisfaction(
    probabilities: ArrayLike, classes: Sequence[str], weights: Mapping[str, float]
) -> DoubleArray:
    """Dissatisfaction of each segment: the weighted sum of its emotions' probabilities.

    Args:
        probabilities: shape (n_segments, n_classes), rows sum to 1
        classes: emotion of each column
        weights: weight by emotion, 0..1; a missing emotion weighs nothing

    Returns:
        shape (n_segments,), 0..1
    """
    vector = np.array([weights.get(name, 0.0) for name in classes], dtype=np.float64)
    return np.clip(np.asarray(probabilities, dtype=np.float64) @ vector, 0.0, 1.0)


def call_dissatisfaction(dissatisfaction: ArrayLike, duration_s: ArrayLike) -> float:
    """Index of a call: the duration-weighted mean of its segments' dissatisfaction.

    With calibrated probabilities it is the share of the speech that is expected to be dissatisfied.
    It ranks calls better than the mean on log-odds (`ser-batch bench calls --tune-flag`).

    Args:
        dissatisfaction: of each scored segment, shape (n_segments,), 0..1
        duration_s: of each scored segment, shape (n_segments,), seconds

    Returns:
        0..1, or NaN where nothing was scored
    """
    duration = np.asarray(duration_s, dtype=np.float64)
    if duration.sum() <= 0:
        return float("nan")
    return float(np.average(np.asarray(dissatisfaction, np.float64), weights=duration))


def first_and_last_third(
    dissatisfaction: ArrayLike,
    duration_s: ArrayLike,
    summed: Callable[[DoubleArray, DoubleArray], float] = call_dissatisfaction,
) -> tuple[float, float]:
    """Dissatisfaction of the first and of the last third of a call's scored speech.

    A segment belongs to the third in which its middle lies.

    Args:
        dissatisfaction: of each scored segment in order of time, shape (n_segments,), 0..1
        duration_s: of each scored segment, shape (n_segments,), seconds
        summed: dissatisfaction and seconds of some segments → their common dissatisfaction

    Returns:
        two values in 0..1, each NaN where no segment's middle lies there
    """
    values = np.asarray(dissatisfaction, np.float64)
    lengths = np.asarray(duration_s, np.float64)
    total = lengths.sum()
    middle = np.cumsum(lengths) - lengths / 2
    thirds = (middle <= total / 3, middle >= total * 2 / 3)
    first, last = (summed(values[third], lengths[third]) for third in thirds)
    return first, last


def is_call_dissatisfied(
    dissatisfaction: ArrayLike,
    duration_s: ArrayLike,
    *,
    call_threshold: float,
    end_threshold: float,
    min_scored_s: float,
) -> bool:
    """The flag of a call: the whole call, or its last third, reaches its threshold.

    The warehouse's home of this rule is `sql/staging/stg_call_dissatisfaction.sql`.

    Args:
        dissatisfaction: of each scored segment in order of time, shape (n_segments,), 0..1
        duration_s: of each scored segment, shape (n_segments,), seconds
        call_threshold, end_threshold, min_scored_s: settings in `[dissatisfaction]`; with less
            scored speech than the last there is no flag
    """
    if np.sum(duration_s) < max(min_scored_s, 1e-9):
        return False
    _, end = first_and_last_third(dissatisfaction, duration_s)
    whole = call_dissatisfaction(dissatisfaction, duration_s)
    return bool(whole >= call_threshold or end >= end_threshold)
