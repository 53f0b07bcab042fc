"""How far a segment lies from the speech that a model was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ser_batch.arrays import DoubleArray


@dataclass(frozen=True)
class Outliers:
    """A shrunken Mahalanobis distance; plain numbers, so that it needs no library to be read.

    The leading axes of the training speech have their own spread each, all others one together.

    Source: Lee et al. (2018), "A simple unified framework for detecting out-of-distribution
    samples"; the pooled remainder as in Moghaddam and Pentland (1997).

    Attributes:
        axes: of the scaled features, orthonormal columns, shape (n_features, n_axes)
        centre: mean of the training speech along each axis and of all features, shape
            (n_features,)
        variance: along each axis, shape (n_axes,)
        rest: mean squared distance outside of the axes
        limit: distance above which a segment is out of distribution
    """

    axes: DoubleArray
    centre: DoubleArray
    variance: DoubleArray
    rest: float
    limit: float

    def score(self, scaled: DoubleArray) -> DoubleArray:
        """Distance over the limit: above 1 a segment is out of distribution.

        Args:
            scaled: features as the linear head reads them, shape (n, n_features)

        Returns:
            shape (n,)
        """
        return self.distance(scaled) / self.limit

    def distance(self, scaled: DoubleArray) -> DoubleArray:
        """Root mean square of the distance along the axes and outside of them, shape (n,)."""
        off = scaled - self.centre
        along = off @ self.axes
        outside = np.maximum(np.square(off).sum(axis=1) - np.square(along).sum(axis=1), 0)
        inside = (np.square(along) / self.variance).mean(axis=1)
        return np.asarray(np.sqrt((inside + outside / self.rest) / 2), np.float64)
