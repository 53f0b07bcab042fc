"""The shape of the training speech, and how far speech of another corpus lies from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.linalg

from ser_batch.arrays import DoubleArray
from ser_batch.scoring.outliers import Outliers

N_AXES = 32
SHRINKAGE = 0.2
"""Share of the mean variance in the variance along each axis."""
PERCENTILE, MARGIN = 99.0, 1.15
"""The limit lies this far above a percentile of the training speech's distances."""


def fit_outliers(scaled: DoubleArray, corpora: Sequence[str]) -> Outliers:
    """The distance of a training set.

    Args:
        scaled: features as the linear head reads them, shape (n, n_features)
        corpora: of each row; the limit admits each corpus by the distance of the others
    """
    whole = _shape(scaled)
    limit = np.percentile(whole.distance(scaled), PERCENTILE)
    names = sorted(set(corpora))
    for name in names if len(names) > 1 else ():
        own = np.array([corpus == name for corpus in corpora])
        if np.count_nonzero(~own) > 1:
            distance = _shape(scaled[~own]).distance(scaled[own])
            limit = max(limit, np.percentile(distance, PERCENTILE))
    return Outliers(
        whole.axes, whole.centre, whole.variance, whole.rest, round(float(MARGIN * limit), 6)
    )


def _shape(scaled: DoubleArray) -> Outliers:
    n_rows, n_features = scaled.shape
    n_axes = min(N_AXES, n_features, n_rows)
    centre = scaled.mean(axis=0)
    off = scaled - centre
    covariance = off.T @ off / n_rows
    values, axes = scipy.linalg.eigh(
        covariance, subset_by_index=(n_features - n_axes, n_features - 1)
    )
    total = float(np.trace(covariance))
    rest = max(total - float(values.sum()), 1e-6 * max(total, 1e-6))
    variance = (1 - SHRINKAGE) * np.maximum(values, 0) + SHRINKAGE * max(values.mean(), 1e-9)
    return Outliers(axes, centre, variance, rest, 1.0)
