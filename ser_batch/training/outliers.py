"""The shape of the training speech, and how far speech that it was not fitted to lies from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.linalg

from ser_batch.arrays import DoubleArray, IntArray
from ser_batch.features.dataset import Dataset
from ser_batch.scoring.outliers import Outliers
from ser_batch.training.splits import speaker_folds

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


def fit_outliers(dataset: Dataset, scaled: DoubleArray, n_folds: int) -> Outliers:
    """The distance of a training set, its limit set by leaving one corpus out.

    Only features that hold an encoder's states get a limit along the leading axes too: along those
    of descriptors another corpus lies as far off as noise does.

    Args:
        dataset: clips, their copies, and long segments
        scaled: their features as the linear head reads them, shape (n, n_features)
        n_folds: folds of whole speakers, left out instead where there is one corpus only; they
            then set the limit along the leading axes too
    """
    labels = np.array(dataset.corpora)
    tests = [np.flatnonzero(labels == name) for name in np.unique(labels)]
    is_one_corpus = len(tests) == 1
    if is_one_corpus:
        folds = speaker_folds(dataset.speakers, dataset.contents, n_folds=n_folds)
        tests = [fold.test for fold in folds]
    named = zip(dataset.corpora, dataset.copies, strict=True)
    kinds = np.unique([f"{corpus} {copy}" for corpus, copy in named], return_inverse=True)[1]
    shape = _shape(scaled)
    limits = _limits(shape, scaled, kinds)
    for test in tests:
        rest = np.setdiff1d(np.arange(len(scaled)), test)
        if len(rest) >= LEAST_REST * len(scaled):
            of_rest = _limits(_shape(scaled[rest]), scaled[test], kinds[test])
            # one of few corpora that is left out lies as far off along the leading axes as noise
            limits = np.maximum(limits, of_rest if is_one_corpus else (of_rest[0], 0.0))
    limit, leading_limit = limits.round(6).tolist()
    has_states = any(kind.is_state for kind in dataset.kinds)
    return replace(shape, limit=limit, leading_limit=leading_limit if has_states else np.inf)


def _limits(shape: Outliers, scaled: DoubleArray, kinds: IntArray) -> DoubleArray:
    """Percentiles of both distances of some rows, shape (2,).

    Along the leading axes it is that of the farthest kind: long segments lie farther off there than
    the many clips do, and so do those of calls.
    """
    whole, leading = shape.distances(scaled)
    of_kinds = [np.percentile(leading[kinds == kind], PERCENTILE) for kind in np.unique(kinds)]
    return np.array([np.percentile(whole, PERCENTILE), max(of_kinds)])


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
    return Outliers(axes, centre, variance, rest)
