"""Which segments to ask about: uncertain, unlike each other, and worth knowing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from ser_batch.arrays import DoubleArray, FloatArray

RANDOM = "random"
"""Reason of what chance picked, for honest measuring."""

N_DIMENSIONS = 32
CLIP = 4.0

WEIGHTS = {"uncertain": 0.5, "disputed": 0.2, "unusual": 0.15, "high_impact": 0.15}
"""Weight of each reason to ask, after each was brought to ranks from 0 to 1."""


@dataclass(frozen=True)
class Pool:
    """Segments that may be asked about; every field has an entry a segment.

    Attributes:
        probabilities: of the model in use, shape (n, n_classes)
        features: shape (n, n_features)
        disagreement: of other models with the one in use, 0..1, shape (n,)
        impact: dissatisfaction of the segment's call, 0..1, shape (n,)
        groups: what the picks are spread over (callers, days, queues): names a segment, a
            sequence a grouping
    """

    probabilities: DoubleArray
    features: FloatArray
    disagreement: DoubleArray
    impact: DoubleArray
    groups: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Pick:
    """A segment to ask about.

    Attributes:
        row: in the pool
        reason: by which it stands out most among all that may be asked about
    """

    row: int
    reason: str


def worth_asking(pool: Pool, count: int) -> list[Pick]:
    """Segments that a model learns most from, one after the other.

    Each next one is uncertain, disputed, unusual or of a bad call; it is far from those picked
    before, and of groups that were picked seldom.

    Args:
        pool: what may be asked about
        count: how many are wanted; fewer where there are no more
    """
    n = len(pool.probabilities)
    if not n:
        return []
    reasons = _reasons(pool)
    score = np.sum([WEIGHTS[name] * values for name, values in reasons.items()], axis=0)
    places = _embedding(pool.features)
    typical = _typical_distance(places)
    nearest = np.full(n, np.inf)
    groups = [np.unique(np.array(names), return_inverse=True)[1] for names in pool.groups]
    n_picked = [np.zeros(int(group.max()) + 1) for group in groups]
    picks: list[Pick] = []
    for _ in range(min(count, n)):
        gain = score * np.minimum(nearest / typical, 1.0)
        for group, counts in zip(groups, n_picked, strict=True):
            gain /= np.sqrt(1 + counts[group])
        gain[[pick.row for pick in picks]] = -1.0
        row = int(gain.argmax())
        picks.append(Pick(row, _main_reason(reasons, row)))
        nearest = np.minimum(nearest, np.linalg.norm(places - places[row], axis=1))
        for group, counts in zip(groups, n_picked, strict=True):
            counts[group[row]] += 1
    return picks


def entropy(probabilities: DoubleArray) -> DoubleArray:
    """Uncertainty of each row, 0 (sure) to 1 (all alike), shape (n,)."""
    clipped: DoubleArray = np.clip(probabilities, 1e-12, 1)
    spread = np.asarray(-(clipped * np.log(clipped)).sum(axis=1), np.float64)
    return np.asarray(spread / np.log(clipped.shape[1]))


def _reasons(pool: Pool) -> dict[str, DoubleArray]:
    """How much each reason speaks for each segment, as ranks from 0 to 1."""
    spread = _standardised(pool.features)
    return {
        "uncertain": _ranks(entropy(pool.probabilities)),
        "disputed": _ranks(pool.disagreement),
        "unusual": _ranks(np.abs(spread).mean(axis=1)),
        "high_impact": _ranks(pool.impact),
    }


def _ranks(values: DoubleArray) -> DoubleArray:
    """Ranks from 0 to 1; 0 for all where all are alike."""
    if len(values) < 2 or np.ptp(values) == 0:
        return np.zeros(len(values))
    return np.asarray((scipy.stats.rankdata(values) - 1) / (len(values) - 1))


def _main_reason(reasons: dict[str, DoubleArray], row: int) -> str:
    return max(reasons, key=lambda name: float(reasons[name][row]))


def _standardised(features: FloatArray) -> DoubleArray:
    """Features about their median in units of their spread, held within limits."""
    double = features.astype(np.float64)
    centre = np.median(double, axis=0)
    low, high = np.percentile(double, [16, 84], axis=0)
    spread = (double - centre) / np.maximum((high - low) / 2, 1e-6)
    return np.asarray(np.clip(spread, -CLIP, CLIP))


def _embedding(features: FloatArray) -> FloatArray:
    """Few dimensions that keep the distances of many, shape (n, N_DIMENSIONS).

    Source: Johnson and Lindenstrauss (1984), by random projection.
    """
    spread = _standardised(features)
    projection = np.random.default_rng(0).normal(size=(spread.shape[1], N_DIMENSIONS))
    return np.asarray(spread @ projection / np.sqrt(N_DIMENSIONS), np.float32)


def _typical_distance(places: FloatArray) -> float:
    """Median distance from the centre; never 0."""
    away = np.linalg.norm(places - np.median(places, axis=0), axis=1)
    return max(float(np.median(away)), 1e-9)
