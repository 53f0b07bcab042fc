"""Calibration refitted to a place: slope and offset of dissatisfaction from its random labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ser_batch.arrays import DoubleArray
from ser_batch.scoring.calibration import BinaryCalibration, fit_binary_calibration
from ser_batch.training.evaluation import expected_calibration_error
from ser_batch.training.paired import Estimate
from ser_batch.training.splits import Fold, speaker_folds

N_FOLDS = 5
Interval = tuple[float, float]


@dataclass(frozen=True)
class Refit:
    """A calibration, and what it is worth on callers that it was not fitted to.

    Attributes:
        calibration: slope and offset, of all labels
        slope, offset: their 95 % intervals, clustered by caller; a slope that is kept has none
        loss_before, loss_after: log loss of the labels, before and by held-out callers
        ece_before, ece_after: expected calibration error, likewise
        n_labels, n_callers: that it rests on
    """

    calibration: BinaryCalibration
    slope: Interval | None
    offset: Interval
    loss_before: float
    loss_after: float
    ece_before: float
    ece_after: float
    n_labels: int
    n_callers: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def refitted(
    log_odds: DoubleArray, truth: DoubleArray, callers: Sequence[str], before: BinaryCalibration
) -> Refit:
    """The calibration that predicts the labels of held-out callers best.

    The offset alone, or the slope too, whichever has less loss on callers that it is not fitted to.
    The slope is above 0, so segments keep their order.

    Args:
        log_odds: of the model, before calibration, shape (n,)
        truth: share of each segment's annotators who perceive dissatisfaction, shape (n,)
        callers: of each segment, two at least
        before: the model's present calibration
    """
    folds = speaker_folds(callers, [str(i) for i in range(len(callers))], n_folds=N_FOLDS)
    held_out = {slope: _held_out(log_odds, truth, folds, slope) for slope in (before.slope, None)}
    slope = min(held_out, key=lambda tried: _loss(held_out[tried], truth))
    found = fit_binary_calibration(log_odds, truth, slope=slope)
    now, after = before.probabilities(log_odds), held_out[slope]
    intervals = _intervals(log_odds, truth, callers, found, slope_is_kept=slope is not None)
    return Refit(
        calibration=found,
        slope=intervals[1] if slope is None else None,
        offset=intervals[0],
        loss_before=_loss(now, truth),
        loss_after=_loss(after, truth),
        ece_before=expected_calibration_error(now, truth),
        ece_after=expected_calibration_error(after, truth),
        n_labels=len(truth),
        n_callers=len(set(callers)),
    )


def _held_out(
    log_odds: DoubleArray, truth: DoubleArray, folds: Sequence[Fold], slope: float | None
) -> DoubleArray:
    """Probabilities of each fold's segments by the calibration of the others, shape (n,)."""
    found = np.zeros(len(truth))
    for fold in folds:
        fitted = fit_binary_calibration(log_odds[fold.train], truth[fold.train], slope=slope)
        found[fold.test] = fitted.probabilities(log_odds[fold.test])
    return found


def _loss(probabilities: DoubleArray, truth: DoubleArray) -> float:
    held = np.clip(probabilities, 1e-6, 1 - 1e-6)
    return float(-np.mean(truth * np.log(held) + (1 - truth) * np.log(1 - held)))


def _intervals(
    log_odds: DoubleArray,
    truth: DoubleArray,
    callers: Sequence[str],
    found: BinaryCalibration,
    *,
    slope_is_kept: bool,
) -> list[Interval]:
    """95 % intervals of the offset and, unless it is kept, of the slope, clustered by caller.

    Source: Liang and Zeger (1986), Biometrika 73, 13-22: the sandwich variance of logistic
    regression.
    """
    p = found.probabilities(log_odds)
    design = np.column_stack([np.ones(len(p)), log_odds])[:, : 1 if slope_is_kept else 2]
    information = design.T @ (design * (p * (1 - p))[:, np.newaxis])
    influence = np.linalg.solve(information, (design * (truth - p)[:, np.newaxis]).T)
    values = (found.offset, found.slope)
    return [
        (estimate.end(callers, 0.025), estimate.end(callers, 0.975))
        for estimate in map(Estimate, values, influence)
    ]
