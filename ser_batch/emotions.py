"""The emotion vocabulary, and how dissatisfaction is derived from it: its one home in Python.

The warehouse's one home is `sql/staging/stg_segment_dissatisfaction.sql`; a test holds the two
to the same numbers. What the index must not be used for is stated in the README's limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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

LOG_ODDS_CLIP = 0.002
"""Probabilities are held this far from 0 and 1, so that one segment cannot decide a call."""


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
    """Dissatisfaction of a call: its segments' duration-weighted mean, taken on log-odds.

    The mean of log-odds ranks calls better than the mean of probabilities or the share over a
    threshold (`ser-batch bench calls`).

    Args:
        dissatisfaction: of each scored segment, shape (n_segments,), 0..1
        duration_s: of each scored segment, shape (n_segments,), seconds

    Returns:
        0..1, or NaN where nothing was scored
    """
    duration = np.asarray(duration_s, dtype=np.float64)
    if duration.sum() <= 0:
        return float("nan")
    clipped = np.clip(np.asarray(dissatisfaction, np.float64), LOG_ODDS_CLIP, 1 - LOG_ODDS_CLIP)
    mean_log_odds = np.average(np.log(clipped / (1 - clipped)), weights=duration)
    return float(1 / (1 + np.exp(-mean_log_odds)))


def worst_part(dissatisfaction: ArrayLike, duration_s: ArrayLike, share: float) -> float:
    """Dissatisfaction of the worst part of a call, formed as that of the whole call.

    The worst segments are taken until they make up the share of the scored speech; the last of
    them counts with the seconds that are still missing. Where they lie does not matter.

    Args:
        dissatisfaction: of each scored segment, shape (n_segments,), 0..1
        duration_s: of each scored segment, shape (n_segments,), seconds
        share: of the scored speech, above 0, at most 1

    Returns:
        0..1, or NaN where nothing was scored
    """
    values = np.asarray(dissatisfaction, np.float64)
    lengths = np.asarray(duration_s, np.float64)
    order = np.argsort(-values, kind="stable")
    before_s = np.cumsum(lengths[order]) - lengths[order]
    taken_s = np.clip(lengths.sum() * share - before_s, 0, lengths[order])
    return call_dissatisfaction(values[order], taken_s)


def is_call_dissatisfied(
    dissatisfaction: ArrayLike,
    duration_s: ArrayLike,
    *,
    share: float,
    threshold: float,
    min_scored_s: float,
) -> bool:
    """The flag of a call: its worst part reaches the threshold.

    The warehouse's home of this rule is `sql/staging/stg_call_dissatisfaction.sql`.

    Args:
        dissatisfaction: of each scored segment, shape (n_segments,), 0..1
        duration_s: of each scored segment, shape (n_segments,), seconds
        share: the worst part's share of the scored speech (`dissatisfaction.worst_part`)
        threshold: of the worst part (`dissatisfaction.call_threshold`)
        min_scored_s: with less scored speech there is no flag, seconds
    """
    if np.sum(duration_s) < max(min_scored_s, 1e-9):
        return False
    return worst_part(dissatisfaction, duration_s, share) >= threshold
