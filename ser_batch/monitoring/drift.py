"""How far calls have moved from what they were, and from what the model was trained on."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ser_batch.arrays import DoubleArray, IntArray
from ser_batch.config import DriftSettings

Status = Literal["ok", "warning", "drift", "too few"]


def psi(counts: IntArray, before: IntArray) -> DoubleArray:
    """Population stability index of each row of counts against another.

    Half a count is added to every bin, so that an empty one does not make it infinite.

    Source: Siddiqi (2006), "Credit Risk Scorecards": below .1 no change, above .25 a major change.

    Args:
        counts: shape (n_rows, n_bins)
        before: same shape

    Returns:
        shape (n_rows,), 0 where both are alike
    """
    now, then = (_shares(each) for each in (counts, before))
    return np.asarray(((now - then) * np.log(now / then)).sum(axis=1))


def expected_psi(n_bins: int, n: int, n_before: int) -> float:
    """What the index is on average where nothing changed.

    Source: Yurdakul (2018), "Statistical properties of population stability index": the index is
    about (1/n + 1/n_before) times a chi-square of n_bins - 1 degrees of freedom.

    Args:
        n_bins: bins
        n: independent observations: calls, not segments
        n_before: the same, of the reference
    """
    return (n_bins - 1) * (1 / max(n, 1) + 1 / max(n_before, 1))


def status(index: float, psi_expected: float, settings: DriftSettings) -> Status:
    """Status of an index: drift is large, and larger than chance makes it."""
    if index > settings.drift_from and index > 3 * psi_expected:
        return "drift"
    return "warning" if index > settings.warning_from and index > 2 * psi_expected else "ok"


def _shares(counts: IntArray) -> DoubleArray:
    smooth = counts + 0.5
    return np.asarray(smooth / smooth.sum(axis=1, keepdims=True), np.float64)
