"""From logits to probabilities that mean what they say."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import scipy

from ser_batch.arrays import DoubleArray


@dataclass(frozen=True)
class Calibration:
    """Temperature by which logits are divided before the softmax.

    Source: Guo et al. (2017), "On calibration of modern neural networks".
    """

    temperature: float

    def probabilities(self, logits: DoubleArray) -> DoubleArray:
        """Rows that sum to 1, shape as `logits`."""
        return np.asarray(scipy.special.softmax(logits / self.temperature, axis=1), np.float64)

    def as_dict(self) -> dict[str, float]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class BinaryCalibration:
    """Log-odds on another scale and level.

    Source: Platt (1999), "Probabilistic outputs for support vector machines".
    """

    slope: float
    offset: float

    def probabilities(self, log_odds: DoubleArray) -> DoubleArray:
        """Shape as `log_odds`, 0..1."""
        return np.asarray(scipy.special.expit(self.slope * log_odds + self.offset), np.float64)

    def as_dict(self) -> dict[str, float]:
        """For JSON."""
        return asdict(self)


def fit_calibration(
    logits: DoubleArray, targets: DoubleArray, weights: DoubleArray | None = None
) -> Calibration:
    """The temperature that makes held-out labels likeliest.

    Args:
        logits: of clips whose speakers the model did not see, shape (n, n_classes)
        targets: share of their annotators by class, same shape
        weights: how much each clip counts, shape (n,); None: all alike
    """

    def loss(log_temperature: float) -> float:
        log_p = scipy.special.log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-np.average((targets * log_p).sum(axis=1), weights=weights))

    best = scipy.optimize.minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded")
    return Calibration(temperature=round(float(np.exp(best.x)), 6))


def fit_binary_calibration(
    log_odds: DoubleArray,
    targets: DoubleArray,
    weights: DoubleArray | None = None,
    *,
    slope: float | None = None,
) -> BinaryCalibration:
    """The slope and offset that make held-out labels likeliest.

    Args:
        log_odds: of clips that the model did not see, shape (n,)
        targets: share of their annotators who say yes, shape (n,)
        weights: how much each clip counts, shape (n,); None: all alike
        slope: keep this one, and fit the offset alone
    """

    def loss(values: DoubleArray) -> float:
        factor = np.exp(values[1]) if slope is None else slope
        scaled = factor * log_odds + values[0]
        return float(np.average(np.logaddexp(0, scaled) - targets * scaled, weights=weights))

    start = np.zeros(2 if slope is None else 1)
    best = scipy.optimize.minimize(loss, start, method="Nelder-Mead").x
    fitted = float(np.exp(best[1])) if slope is None else slope
    return BinaryCalibration(slope=round(fitted, 6), offset=round(float(best[0]), 6))
