"""The emotion vocabulary, and what counts as dissatisfied: its one home in Python.

What the index of dissatisfaction must not be used for is stated in the README's limits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

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

LOG_ODDS_CLIP = 0.002
"""Probabilities are held this far from 0 and 1, so that one segment cannot decide a call."""


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
