"""The linear half of the model: robust scaling and multinomial logistic regression."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ser_batch.arrays import DoubleArray, FloatArray, IntArray

CLIP = 4.0
"""Scaled features are held within this many spreads, so that no outlier decides."""


@dataclass(frozen=True)
class LinearHead:
    """Logits from features; plain numbers, so that it needs no library to be read.

    Attributes:
        centre: median of each feature in training, shape (n_features,)
        scale: its spread, same shape
        emphasis: factor after scaling, same shape; a smaller one is penalised more
        weights: shape (n_features, n_classes)
        bias: shape (n_classes,)
    """

    centre: DoubleArray
    scale: DoubleArray
    emphasis: DoubleArray
    weights: DoubleArray
    bias: DoubleArray

    def scaled(self, features: FloatArray) -> DoubleArray:
        """Features as the head sees them, shape (n, n_features)."""
        spread = (features.astype(np.float64) - self.centre) / self.scale
        return np.asarray(np.clip(spread, -CLIP, CLIP) * self.emphasis)

    def logits(self, features: FloatArray) -> DoubleArray:
        """Unnormalised log probabilities, shape (n, n_classes)."""
        return self.scaled(features) @ self.weights + self.bias


def fit_linear(
    features: FloatArray,
    labels: IntArray,
    *,
    strength: float,
    emphasis: DoubleArray | None = None,
    weights: DoubleArray | None = None,
) -> LinearHead:
    """Logistic regression on robustly scaled features, classes weighing the same.

    Args:
        features: shape (n, n_features)
        labels: class numbers from 0, all of them present, shape (n,)
        strength: inverse of the L2 penalty (scikit-learn's C)
        emphasis: of each feature, shape (n_features,); None: all alike
        weights: how much each clip counts within its class, shape (n,); None: all alike
    """
    # applying a model needs no scikit-learn, and it takes long to import
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    double = features.astype(np.float64)
    centre = np.median(double, axis=0)
    low, high = np.percentile(double, [16, 84], axis=0)
    scale = np.maximum((high - low) / 2, 0.1 * double.std(axis=0) + 1e-6)
    emphasis = np.ones(len(scale)) if emphasis is None else emphasis
    blank = LinearHead(centre, scale, emphasis, np.zeros((0, 0)), np.zeros(0))
    # one thread: sums are then taken in one order, and the same data give the same bytes
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        regression = LogisticRegression(C=strength, max_iter=300, tol=1e-3)
        scaled = blank.scaled(features).astype(np.float32)
        regression.fit(scaled, labels, sample_weight=class_weights(labels, weights))
    coefficients = regression.coef_.T.astype(np.float64)
    bias = regression.intercept_.astype(np.float64)
    if coefficients.shape[1] == 1:
        coefficients = np.hstack([-coefficients, coefficients]) / 2
        bias = np.array([-bias[0], bias[0]]) / 2
    return replace(blank, weights=np.ascontiguousarray(coefficients), bias=bias)


def class_weights(labels: IntArray, weights: DoubleArray | None = None) -> DoubleArray:
    """Weights of clips that make every class weigh the same.

    Args:
        labels: class numbers, shape (n,)
        weights: how much each clip counts within its class, shape (n,); None: all alike

    Returns:
        shape (n,); they add up to the sum of `weights`
    """
    own = np.ones(len(labels)) if weights is None else weights
    sums = np.bincount(labels, weights=own)
    return np.asarray(own * (own.sum() / np.count_nonzero(sums) / sums[labels]), np.float64)
