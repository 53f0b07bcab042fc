"""How far a segment lies from the speech that a model was trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ser_batch.arrays import DoubleArray

N_LEADING = 16
"""Axes of most variance that have a limit of their own: noise and far speech lie off along them,
where another corpus does not; other sounds lie off along all axes and outside of them."""


@dataclass(frozen=True)
class Outliers:
    """A shrunken Mahalanobis distance; plain numbers, so that it needs no library to be read.

    The leading axes of the training speech have their own spread each, all others one together.

    Source: Lee et al. (2018), "A simple unified framework for detecting out-of-distribution
    samples"; the pooled remainder as in Moghaddam and Pentland (1997).

    Attributes:
        axes: of the scaled features, orthonormal columns, the one of most variance last, shape
            (n_features, n_axes)
        centre: mean of the training speech along each axis and of all features, shape
            (n_features,)
        variance: along each axis, shape (n_axes,)
        rest: mean squared distance outside of the axes
        limit: distance above which a segment is out of distribution
        leading_limit: the same of the distance along the leading axes alone
    """

    axes: DoubleArray
    centre: DoubleArray
    variance: DoubleArray
    rest: float
    limit: float = np.inf
    leading_limit: float = np.inf

    def score(self, scaled: DoubleArray) -> DoubleArray:
        """The larger distance over its limit: above 1 a segment is out of distribution.

        Args:
            scaled: features as the linear head reads them, shape (n, n_features)

        Returns:
            shape (n,)
        """
        whole, leading = self.distances(scaled)
        return np.maximum(whole / self.limit, leading / self.leading_limit)

    def distances(self, scaled: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
        """Root mean square distances from the training speech, shape (n,) each.

        Args:
            scaled: features as the linear head reads them, shape (n, n_features)

        Returns:
            along the axes and outside of them; along the leading axes
        """
        off = scaled - self.centre
        along = off @ self.axes
        outside = np.maximum(np.square(off).sum(axis=1) - np.square(along).sum(axis=1), 0)
        inside = np.square(along) / self.variance
        whole = np.sqrt((inside.mean(axis=1) + outside / self.rest) / 2)
        return whole, np.sqrt(inside[:, -N_LEADING:].mean(axis=1))
