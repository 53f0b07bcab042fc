"""Two models on the same segments: differences of figures with intervals clustered by caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from ser_batch.arrays import DoubleArray


@dataclass(frozen=True)
class Estimate:
    """A figure with what each segment contributes to its error.

    Attributes:
        value: the figure
        influence: of each segment, sums to 0, shape (n,)
    """

    value: float
    influence: DoubleArray

    def minus(self, other: Estimate) -> Estimate:
        """The difference of two figures of the same segments."""
        return Estimate(self.value - other.value, self.influence - other.influence)

    def end(self, callers: Sequence[str], level: float) -> float:
        """A one-sided end of the interval: with this probability the figure lies below it.

        The variance is that of the callers' sums; Student's t with the effective number of
        callers less one as degrees of freedom.

        Source: Obuchowski (1997), Biometrics 53, 567-578; Carter, Schnepel and Steigerwald (2017),
        Review of Economics and Statistics 99, 698-709.

        Args:
            callers: of each segment
            level: .05 for a lower end, .95 for an upper one
        """
        _, index = np.unique(np.array(callers), return_inverse=True)
        sizes = np.bincount(index)
        if len(sizes) < 2:
            return float(np.copysign(np.inf, level - 0.5))
        sums = np.bincount(index, self.influence)
        variance = float(np.square(sums).sum()) * len(sizes) / (len(sizes) - 1)
        n_effective = sizes.sum() ** 2 / np.square(sizes).sum()
        quantile = stats.t.ppf(level, max(n_effective - 1, 1))
        return float(self.value + quantile * np.sqrt(variance))


def auc(scores: DoubleArray, truth: DoubleArray) -> Estimate | None:
    """Area under the ROC curve against shares of annotators.

    A segment counts as dissatisfied with its share and as content with the rest; it is not compared
    with itself. With shares of 0 and 1 this is the usual area.

    Source: DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, 837-845.

    Args:
        scores: higher is more dissatisfied, shape (n,)
        truth: share of the annotators that name dissatisfaction, 0..1, shape (n,)

    Returns:
        None where there is nothing to compare
    """
    content = 1 - truth
    weight = truth.sum() * content.sum() - (truth * content).sum()
    if weight <= 0:
        return None
    below, above = _halves(scores, content), truth.sum() - _halves(scores, truth)
    wins = below - content / 2
    losses = above - truth / 2
    value = float((truth * wins).sum() / weight)
    influence = truth * (wins - value * (content.sum() - content))
    influence += content * (losses - value * (truth.sum() - truth))
    return Estimate(value, influence / weight)


def _halves(scores: DoubleArray, weights: DoubleArray) -> DoubleArray:
    """Weight of the segments with a lower score, and half of those with the same, shape (n,)."""
    order = np.argsort(scores, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(weights[order])])
    ordered = scores[order]
    lower = total[np.searchsorted(ordered, scores, side="left")]
    upper = total[np.searchsorted(ordered, scores, side="right")]
    return np.asarray((lower + upper) / 2)


def brier(scores: DoubleArray, truth: DoubleArray) -> Estimate:
    """Mean squared error of a probability against shares of annotators.

    Source: Brier (1950), Monthly Weather Review 78, 1-3.
    """
    return mean(np.square(scores - truth))


def mean(values: DoubleArray) -> Estimate:
    """A mean over segments."""
    value = float(values.mean())
    return Estimate(value, (values - value) / len(values))
