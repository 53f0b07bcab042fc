"""The linear half of the model: robust scaling and logistic regression on label distributions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ser_batch.arrays import DoubleArray, FloatArray

CLIP = 4.0
"""Scaled features are held within this many spreads, so that no outlier decides."""

MOST_STEPS, TOLERANCE = 150, 5e-4
"""Of the optimiser; the tolerance is of the gradient of the mean loss."""
MOST_SCALED = 3000
"""Rows, spread evenly, that centre and spread are taken of."""


@dataclass(frozen=True)
class LinearHead:
    """Logits from features; plain numbers, so that it needs no library to be read.

    Attributes:
        centre: median of each feature in training, shape (n_features,)
        scale: its spread, same shape
        feature_weights: factor after scaling, same shape; a smaller one is penalised more
        weights: shape (n_features, n_classes)
        bias: shape (n_classes,)
    """

    centre: DoubleArray
    scale: DoubleArray
    feature_weights: DoubleArray
    weights: DoubleArray
    bias: DoubleArray

    def scaled(self, features: FloatArray) -> DoubleArray:
        """Features as the head sees them, shape (n, n_features)."""
        spread = (features.astype(np.float64) - self.centre) / self.scale
        return np.asarray(np.clip(spread, -CLIP, CLIP) * self.feature_weights)

    def logits(self, features: FloatArray) -> DoubleArray:
        """Unnormalised log probabilities, shape (n, n_classes)."""
        return self.scaled(features) @ self.weights + self.bias


def fit_linear(
    features: FloatArray,
    targets: DoubleArray,
    *,
    strength: float,
    feature_weights: DoubleArray | None = None,
    weights: DoubleArray | None = None,
    balanced: bool = True,
) -> LinearHead:
    """Logistic regression on robustly scaled features.

    Args:
        features: shape (n, n_features)
        targets: share of each clip's annotators by class, every class named, shape (n, n_classes)
        strength: inverse of the L2 penalty (scikit-learn's C)
        feature_weights: of each feature, shape (n_features,); None: all alike
        weights: how much each clip counts, shape (n,); None: all alike
        balanced: classes weigh the same; otherwise as often as they are named
    """
    centre, scale = centre_and_scale(features)
    feature_weights = np.ones(len(scale)) if feature_weights is None else feature_weights
    blank = LinearHead(centre, scale, feature_weights, np.zeros((0, 0)), np.zeros(0))
    counted = weighed(targets, weights, balanced=balanced)
    # one thread: sums are then taken in one order, and the same data give the same bytes
    with threadpool_limits(1):
        coefficients, bias = _minimised(
            blank.scaled(features).astype(np.float32), counted.astype(np.float32), strength
        )
    return replace(blank, weights=coefficients, bias=bias)


def centre_and_scale(features: FloatArray) -> tuple[DoubleArray, DoubleArray]:
    """Median and robust spread of each feature, shape (n_features,) each."""
    some = features[:: -(-len(features) // MOST_SCALED)].astype(np.float64)
    low, centre, high = np.percentile(some, [16, 50, 84], axis=0)
    scale = np.maximum((high - low) / 2, 0.1 * some.std(axis=0) + 1e-6)
    return np.asarray(centre, np.float64), np.asarray(scale, np.float64)


def weighed(
    targets: DoubleArray, weights: DoubleArray | None = None, *, balanced: bool = True
) -> DoubleArray:
    """How much each clip counts as each class.

    Args:
        targets: shape (n, n_classes), rows sum to 1
        weights: how much each clip counts, shape (n,); None: all alike
        balanced: every class weighs the same over all clips

    Returns:
        shape (n, n_classes); they add up to the sum of `weights`
    """
    counted = targets if weights is None else targets * weights[:, np.newaxis]
    if not balanced:
        return np.asarray(counted, np.float64)
    sums = counted.sum(axis=0)
    share = counted.sum() / np.count_nonzero(sums) / np.where(sums > 0, sums, 1)
    return np.asarray(counted * share, np.float64)


def _minimised(
    scaled: FloatArray, counted: FloatArray, strength: float
) -> tuple[DoubleArray, DoubleArray]:
    """Weights and bias of the least penalised log loss."""
    n_features, n_classes = scaled.shape[1], counted.shape[1]
    of_clip, total = counted.sum(axis=1), float(counted.sum(dtype=np.float64))
    penalty = 1 / (strength * total)

    def loss(flat: DoubleArray) -> tuple[float, DoubleArray]:
        matrix = flat.reshape(n_features + 1, n_classes).astype(np.float32)
        logits = scaled @ matrix[:-1] + matrix[-1]
        log_p = scipy.special.log_softmax(logits, axis=1)
        residual = np.exp(log_p) * of_clip[:, np.newaxis] - counted
        slope = np.vstack([scaled.T @ residual, residual.sum(axis=0)]).astype(np.float64) / total
        kept = flat.reshape(n_features + 1, n_classes)[:-1]
        slope[:-1] += penalty * kept
        value = -float((counted * log_p).sum(dtype=np.float64)) / total
        return value + penalty / 2 * float(np.square(kept).sum()), slope.ravel()

    found = scipy.optimize.minimize(
        loss,
        np.zeros((n_features + 1) * n_classes),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": MOST_STEPS, "gtol": TOLERANCE},
    )
    matrix = found.x.reshape(n_features + 1, n_classes)
    return np.ascontiguousarray(matrix[:-1]), matrix[-1]
