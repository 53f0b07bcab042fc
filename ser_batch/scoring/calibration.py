"""From logits to probabilities that mean what they say."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import scipy

from ser_batch.arrays import DoubleArray, IntArray


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


def fit_calibration(
    logits: DoubleArray, labels: IntArray, weights: DoubleArray | None = None
) -> Calibration:
    """The temperature that makes held-out labels likeliest.

    Args:
        logits: of clips whose speakers the model did not see, shape (n, n_classes)
        labels: class numbers, shape (n,)
        weights: how much each clip counts, shape (n,); None: all alike
    """
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        log_p = scipy.special.log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-np.average(log_p[rows, labels], weights=weights))

    best = scipy.optimize.minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded")
    return Calibration(temperature=round(float(np.exp(best.x)), 6))
