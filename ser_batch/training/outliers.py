"""The shape of the training speech, and how far speech that it was not fitted to lies from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy.linalg

from ser_batch.arrays import DoubleArray
from ser_batch.scoring.outliers import Outliers
from ser_batch.training.splits import Fold

N_AXES = 32
ROWS_AN_AXIS = 4
SHRINKAGE = 0.2
"""Share of the mean variance in the variance along each axis."""
LEAST_OUTSIDE = 0.01
"""Share of all variance that is taken to lie outside of the axes."""
PERCENTILE = 99.0
"""Of the distances of speech that the shape was not fitted to: there lies the limit."""
LEAST_REST = 0.5
"""Share of the clips that a shape must be fitted to for its distances to count."""


def fit_outliers(scaled: DoubleArray, corpora: Sequence[str], folds: Sequence[Fold]) -> Outliers:
    """The distance of a training set, its limit set by leaving one corpus out.

    Args:
        scaled: features as the linear head reads them, shape (n, n_features)
        corpora: of each row
        folds: of whole speakers, left out instead where there is one corpus only
    """
    labels = np.array(corpora)
    tests = [np.flatnonzero(labels == name) for name in sorted(set(corpora))]
    if len(tests) == 1:
        tests = [fold.test for fold in folds]
    whole = _shape(scaled)
    limit = np.percentile(whole.distance(scaled), PERCENTILE)
    for test in tests:
        rest = np.setdiff1d(np.arange(len(scaled)), test)
        if len(rest) >= LEAST_REST * len(scaled):
            distance = _shape(scaled[rest]).distance(scaled[test])
            limit = max(limit, np.percentile(distance, PERCENTILE))
    return replace(whole, limit=round(float(limit), 6))


def _shape(scaled: DoubleArray) -> Outliers:
    """Axes of most variance, and how much there is along them and outside of them."""
    n_rows, n_features = scaled.shape
    n_axes = max(min(N_AXES, n_features, n_rows // ROWS_AN_AXIS), 1)
    centre = scaled.mean(axis=0)
    off = scaled - centre
    # whichever product is smaller has the same leading values
    product = off.T @ off if n_features <= n_rows else off @ off.T
    last = len(product) - 1
    values, axes = scipy.linalg.eigh(product / n_rows, subset_by_index=(last - n_axes + 1, last))
    values = np.maximum(values, 1e-12)
    if n_features > n_rows:
        axes = off.T @ axes / np.sqrt(values * n_rows)
    total = float(np.square(off).sum()) / n_rows
    rest = max(total - float(values.sum()), LEAST_OUTSIDE * max(total, 1e-6))
    variance = (1 - SHRINKAGE) * values + SHRINKAGE * values.mean()
    return Outliers(axes, centre, variance, rest, 1.0)
