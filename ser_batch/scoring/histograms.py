"""Histograms of scores and of line measures, in bins that never change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from ser_batch.arrays import DoubleArray, IntArray
from ser_batch.emotions import EMOTIONS, UNCERTAIN

TENTHS: DoubleArray = np.arange(1, 10) / 10
LINE_EDGES: Mapping[str, DoubleArray] = {
    "snr_db": np.arange(5.0, 50, 5),
    "level_db": np.arange(-54.0, 0, 6),
    "bandwidth_hz": np.array([1500.0, 2000, 2500, 2800, 3100, 3400, 3700]),
    "clipping_ratio": np.array([1e-6, 1e-4, 1e-3, 1e-2]),
}
"""Edges of the bins by column of `channels`; what could not be measured has a bin of its own."""

LINE_MEASURES = tuple(LINE_EDGES)


def binned(values: ArrayLike, edges: DoubleArray) -> IntArray:
    """Counts between edges, and last of what could not be measured.

    Args:
        values: NaN where nothing was measured, shape (n,)
        edges: in order, shape (n_edges,)

    Returns:
        shape (n_edges + 2,)
    """
    every = np.asarray(values, np.float64)
    known = every[~np.isnan(every)]
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    return np.append(counts, len(every) - len(known)).astype(np.int64)


def categories(values: Sequence[str | None], names: Sequence[str]) -> IntArray:
    """Counts of each name, and last of any other, shape (len(names) + 1,)."""
    found = Counter(values)
    counts = [found[name] for name in names]
    return np.array([*counts, len(values) - sum(counts)], np.int64)


def score_counts(
    emotions: Sequence[str | None], confidence: ArrayLike, dissatisfaction: ArrayLike
) -> dict[str, IntArray]:
    """Segments by what a model says of them, by measure.

    Args:
        emotions: of each segment, `uncertain` included, shape (n,)
        confidence: probability of the likeliest, shape (n,)
        dissatisfaction: shape (n,)
    """
    return {
        "emotion": categories(emotions, (*EMOTIONS, UNCERTAIN)),
        "confidence": binned(confidence, TENTHS),
        "dissatisfaction": binned(dissatisfaction, TENTHS),
    }


def uncertain_counts(is_uncertain: ArrayLike) -> IntArray:
    """Segments that the model is uncertain about, and others, shape (3,); the last is always 0.

    Args:
        is_uncertain: of each segment, shape (n,)
    """
    names = ["true" if value else "false" for value in np.asarray(is_uncertain, bool)]
    return categories(names, ("true", "false"))
