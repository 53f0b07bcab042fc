"""Champion against challenger on the same segments: is the new one better, and nowhere worse?

The figure is the product's: how well dissatisfied segments are ranked above the others (AUC), and
how far the probability lies from what annotators say (Brier score).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from ser_batch.arrays import BoolArray, DoubleArray
from ser_batch.config import RetrainSettings
from ser_batch.training.paired import Estimate, auc, brier, mean


@dataclass(frozen=True)
class HoldoutSet:
    """Segments drawn by chance, of callers that no model learns from; an entry a segment each.

    Attributes:
        shares: of the annotators by what they name; empty where they cannot tell
        callers: of the segments
        slices: what figures are split by, `{"queue": "billing"}`
        names: of the segments
    """

    shares: Sequence[Mapping[str, float]]
    callers: Sequence[str]
    slices: Sequence[Mapping[str, str]]
    names: Sequence[str]

    def take(self, rows: Sequence[int]) -> HoldoutSet:
        """Some of the segments."""
        return HoldoutSet(
            *(
                [getattr(self, name)[i] for i in rows]
                for name in ("shares", "callers", "slices", "names")
            )
        )


@dataclass(frozen=True)
class Answers:
    """What a model says of the segments.

    Attributes:
        dissatisfaction: probability, shape (n,)
        is_scored: whether production shows it; the others are uncertain, shape (n,)
    """

    dissatisfaction: DoubleArray
    is_scored: BoolArray

    def take(self, rows: BoolArray) -> Answers:
        """Some of the segments."""
        return Answers(self.dissatisfaction[rows], self.is_scored[rows])


@dataclass(frozen=True)
class SliceFigures:
    """Both models on a part of the segments.

    Attributes:
        high: upper end of the interval of the AUC's difference, corrected for the number of slices
    """

    name: str
    value: str
    n_segments: int
    champion_auc: float
    challenger_auc: float
    high: float

    @property
    def difference(self) -> float:
        """Challenger less champion."""
        return self.challenger_auc - self.champion_auc


@dataclass(frozen=True)
class ModelComparison:
    """How the two models compare.

    Attributes:
        n_segments, n_callers: that both models are judged by
        n_cannot_tell: segments of which no annotator can tell; they count for the coverage alone
        n_unknown: segments whose annotators mostly name what one of the models does not know
        n_uses: comparisons with other models that the same labels decided before
        level: one-sided probability of error that is spent on this comparison
        champion_auc, challenger_auc: dissatisfied segments against the others
        difference: of the AUC, challenger less champion
        low, high: ends of its interval, each one-sided at `level`, clustered by caller; the
            challenger ranks better if `low` lies above 0
        champion_brier, challenger_brier: lower is better
        brier_gain_low: lower end of how much lower the challenger's is, at `level`
        champion_coverage, challenger_coverage: share of the judged segments with a score
        coverage_cannot_tell: the same of the segments of which no annotator can tell, of the
            challenger; None: there are none
        slices: parts with enough segments
        is_better: whether the challenger may be promoted
        reasons: why, or why not, in words
        measured: short digests of the segments, for the next comparison
    """

    n_segments: int
    n_callers: int
    n_cannot_tell: int
    n_unknown: int
    n_uses: int
    level: float
    champion_auc: float
    challenger_auc: float
    difference: float
    low: float
    high: float
    champion_brier: float
    challenger_brier: float
    brier_gain_low: float
    champion_coverage: float
    challenger_coverage: float
    coverage_cannot_tell: float | None
    slices: tuple[SliceFigures, ...]
    is_better: bool = False
    reasons: tuple[str, ...] = ()
    measured: tuple[str, ...] = field(default=(), repr=False)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        slices = [{**asdict(part), "difference": part.difference} for part in self.slices]
        return {
            **asdict(self),
            "slices": slices,
            "reasons": list(self.reasons),
            "measured": list(self.measured),
        }


def spent_level(confidence: float, n_uses: int) -> float:
    """One-sided probability of error of a comparison, halved with each earlier use of its labels.

    All comparisons on the same labels together promote an equal model with at most 1 - confidence.
    """
    return float((1 - confidence) / 2 ** (n_uses + 1))


def compare_models(
    measured: HoldoutSet,
    champion: Answers,
    challenger: Answers,
    targets: Mapping[str, float],
    settings: RetrainSettings,
    *,
    n_uses: int = 0,
) -> ModelComparison | None:
    """Compare two models on the same segments.

    Args:
        measured: the segments
        champion: what the model in use says
        challenger: what the other says
        targets: how dissatisfied each name is that both models know, 0..1
        settings: confidence and margins
        n_uses: comparisons that the same labels decided before

    Returns:
        None where no segment is dissatisfied, or every one is
    """
    truth = _truth(measured, targets)
    cannot_tell = np.array([not shares for shares in measured.shares], bool)
    rows = np.isfinite(truth)
    judged = measured.take(np.flatnonzero(rows).tolist())
    truth, ours, theirs = truth[rows], champion.take(rows), challenger.take(rows)
    old, new = (auc(each.dissatisfaction, truth) for each in (ours, theirs))
    if old is None or new is None:
        return None
    level = spent_level(settings.confidence, n_uses)
    callers = judged.callers
    change = new.minus(old)
    errors = [brier(each.dissatisfaction, truth) for each in (ours, theirs)]
    unsure = challenger.is_scored[cannot_tell]
    found = ModelComparison(
        n_segments=len(truth),
        n_callers=len(set(callers)),
        n_cannot_tell=int(cannot_tell.sum()),
        n_unknown=int((~rows & ~cannot_tell).sum()),
        n_uses=n_uses,
        level=level,
        champion_auc=old.value,
        challenger_auc=new.value,
        difference=change.value,
        low=change.end(callers, level),
        high=change.end(callers, 1 - level),
        champion_brier=errors[0].value,
        challenger_brier=errors[1].value,
        brier_gain_low=errors[0].minus(errors[1]).end(callers, level),
        champion_coverage=float(ours.is_scored.mean()),
        challenger_coverage=float(theirs.is_scored.mean()),
        coverage_cannot_tell=float(unsure.mean()) if len(unsure) else None,
        slices=_slices(judged, truth, ours, theirs, settings),
    )
    lost = mean(ours.is_scored.astype(float)).minus(mean(theirs.is_scored.astype(float)))
    return _judged(found, lost.end(callers, level), settings)


def _truth(measured: HoldoutSet, targets: Mapping[str, float]) -> DoubleArray:
    """How dissatisfied annotators find each segment; NaN where they or a model cannot say."""
    truth = np.full(len(measured.shares), np.nan)
    for i, shares in enumerate(measured.shares):
        known = {name: share for name, share in shares.items() if name in targets}
        if (total := sum(known.values())) > 0.5:
            truth[i] = sum(targets[name] * share for name, share in known.items()) / total
    return truth


def _slices(
    judged: HoldoutSet,
    truth: DoubleArray,
    ours: Answers,
    theirs: Answers,
    settings: RetrainSettings,
) -> tuple[SliceFigures, ...]:
    """Both models on every part that holds enough segments."""
    parts: list[tuple[str, str, BoolArray, Estimate, Estimate]] = []
    for name, value in sorted({item for slices in judged.slices for item in slices.items()}):
        rows: BoolArray = np.array([slices.get(name) == value for slices in judged.slices])
        if settings.min_slice <= np.count_nonzero(rows) < len(rows):
            old, new = (auc(each.dissatisfaction[rows], truth[rows]) for each in (ours, theirs))
            if old is not None and new is not None:
                parts.append((name, value, rows, old, new))
    level = (1 - settings.confidence) / max(len(parts), 1)
    figures = []
    for name, value, rows, old, new in parts:
        callers = [judged.callers[i] for i in np.flatnonzero(rows).tolist()]
        high = new.minus(old).end(callers, 1 - level)
        figures.append(SliceFigures(name, value, len(callers), old.value, new.value, high))
    return tuple(figures)


def _judged(
    found: ModelComparison, lost_coverage_low: float, settings: RetrainSettings
) -> ModelComparison:
    """The comparison with its verdict."""
    against = []
    if found.n_segments < settings.min_measured or found.n_callers < settings.min_measured_callers:
        against.append(
            f"only {found.n_segments} segments of {found.n_callers} callers measure it, "
            f"{settings.min_measured} of {settings.min_measured_callers} are needed: label more of "
            "those that the queue draws by chance"
        )
    if found.low <= 0:
        used = f" (these labels decided {found.n_uses} times before)" if found.n_uses else ""
        against.append(
            f"it is not better with {1 - found.level:.2%} confidence{used}: AUC of dissatisfaction "
            f"{found.challenger_auc:.3f} against {found.champion_auc:.3f}, the difference of "
            f"{found.difference:+.3f} may be as low as {found.low:+.3f}"
        )
    against += [
        f"{part.name} {part.value!r} falls by {-part.difference:.3f} "
        f"({part.champion_auc:.3f} to {part.challenger_auc:.3f}, {part.n_segments} segments), "
        f"more than {settings.max_slice_fall:g} and beyond chance"
        for part in found.slices
        if -part.difference > settings.max_slice_fall and part.high < 0
    ]
    if found.brier_gain_low < -settings.max_brier_rise:
        against.append(
            f"its probabilities may be worse: Brier score {found.challenger_brier:.3f} against "
            f"{found.champion_brier:.3f}, higher by up to {-found.brier_gain_low:.3f}"
        )
    fall = found.champion_coverage - found.challenger_coverage
    if fall > settings.max_coverage_fall and lost_coverage_low > 0:
        against.append(
            f"it scores fewer segments: {found.challenger_coverage:.0%} against "
            f"{found.champion_coverage:.0%}, more than {settings.max_coverage_fall:g} less"
        )
    reasons = against or [
        f"better with {1 - found.level:.2%} confidence: AUC of dissatisfaction "
        f"{found.challenger_auc:.3f} against {found.champion_auc:.3f} on {found.n_segments} "
        f"segments of {found.n_callers} unseen callers, by at least {found.low:+.3f}; Brier score "
        f"{found.challenger_brier:.3f} against {found.champion_brier:.3f}; coverage "
        f"{found.challenger_coverage:.0%} against {found.champion_coverage:.0%}; no slice falls "
        "beyond chance"
    ]
    return replace(found, is_better=not against, reasons=tuple(reasons))
