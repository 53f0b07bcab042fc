"""The emotion vocabulary, and what counts as dissatisfied: its one home in Python.

What the index of dissatisfaction must not be used for is stated in the README's limits.
"""

from __future__ import annotations

from collections.abc import Callable

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

DISSATISFACTION_TARGET: dict[str, float] = {"anger": 1.0, "frustration": 1.0}
"""How dissatisfied a listener is who names an emotion, 0..1; others are not: what the
dissatisfaction head learns."""

CALL_CATEGORIES: dict[str, str] = {"boredom": "neutral", "calm": "neutral"}
"""What counts as neutral on calls: listeners cannot separate the three there."""

NEGATIVE = ("anger", "disgust", "fear", "frustration", "sadness")


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
