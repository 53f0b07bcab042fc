"""The operating point of the flag: rules and levels compared on calls whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ser_batch.arrays import BoolArray, DoubleArray
from ser_batch.config import DissatisfactionSettings
from ser_batch.emotions import call_dissatisfaction, worst_part
from ser_batch.lab.bench.call_figures import ANGRY_SHARE
from ser_batch.lab.bench.calls import ScoredCall
from ser_batch.lab.bench.simulated_calls import FURIOUS_END

LEVELS = np.round(np.arange(0.01, 1.0, 0.01), 2)
SHOWN_LEVELS = 9
"""Points of the curve that are shown on each side of the chosen level."""

Rule = Callable[[DoubleArray, DoubleArray], float]
"""Dissatisfaction and seconds of a call's scored segments → what is compared with the level."""


@dataclass(frozen=True)
class Point:
    """What the flag does at a level.

    Attributes:
        level: from which a call is flagged
        precision: share of the flagged calls with at least a third angry speech
        recall: share of those calls that is flagged
        flagged_share: share of all calls that is flagged
        furious_end_recall: share of the calls that are calm and end furious that is flagged
    """

    level: float
    precision: float
    recall: float
    flagged_share: float
    furious_end_recall: float

    @property
    def worse(self) -> float:
        """The lower of precision and recall."""
        return min(self.precision, self.recall)


@dataclass(frozen=True)
class _Calls:
    """Columns of the calls that have enough scored speech."""

    value: DoubleArray
    corpus: np.ndarray
    is_angry: BoolArray
    is_furious_end: BoolArray

    def take(self, rows: BoolArray) -> _Calls:
        return _Calls(
            self.value[rows], self.corpus[rows], self.is_angry[rows], self.is_furious_end[rows]
        )


def rules(settings: DissatisfactionSettings) -> Mapping[str, Rule]:
    """The rules that are compared; the first is the product's."""

    def worst(share: float) -> Rule:
        return lambda value, seconds: worst_part(value, seconds, share)

    def above(value: DoubleArray, seconds: DoubleArray) -> float:
        return float(np.average(value >= settings.threshold, weights=seconds))

    return {
        f"worst {settings.worst_part:.2f} of the speech": worst(settings.worst_part),
        "worst 0.20 of the speech": worst(0.2),
        "worst 0.50 of the speech": worst(0.5),
        "whole call (the index)": call_dissatisfaction,
        f"share of speech above {settings.threshold:g}": above,
    }


def tune_flag(
    scored: Sequence[Sequence[ScoredCall]], settings: DissatisfactionSettings
) -> dict[str, Any]:
    """The level at which the lower of precision and recall is highest.

    Args:
        scored: calls of each seed, by a model that was not trained on their corpora
        settings: the product's rule, and the least scored speech

    Returns:
        JSON-able: `rule`, `chosen` (a point), `curve` (points of the product's rule), `rules`
        (best point of each rule), `left_out` (for each corpus the point that the level chosen on
        the other corpora gives on it), n_calls, base_rate
    """
    pooled = [one for some in scored for one in some]
    by_rule = {name: _calls(pooled, rule, settings) for name, rule in rules(settings).items()}
    product = next(iter(by_rule))
    calls = by_rule[product]
    curve = points(calls)
    corpora = sorted(set(calls.corpus.tolist()))
    return {
        "rule": product,
        "n_calls": len(calls.value),
        "base_rate": float(calls.is_angry.mean()),
        "chosen": asdict(best(curve)),
        "curve": [asdict(point) for point in curve],
        "rules": {name: asdict(best(points(some))) for name, some in by_rule.items()},
        "left_out": {
            name: asdict(_left_out(calls, calls.corpus == name))
            for name in corpora
            if len(corpora) > 1
        },
    }


def points(calls: _Calls) -> list[Point]:
    """The curve over all levels."""
    return [_point(calls, level) for level in LEVELS]


def best(curve: Sequence[Point]) -> Point:
    """The point whose lower of precision and recall is highest; of equals the middle one."""
    highest = max(point.worse for point in curve)
    equal = [point for point in curve if point.worse >= highest - 1e-9]
    return equal[len(equal) // 2]


def _left_out(calls: _Calls, is_left_out: BoolArray) -> Point:
    """The level of the other corpora's calls, on those of one corpus."""
    level = best(points(calls.take(~is_left_out))).level
    return _point(calls.take(is_left_out), level)


def _point(calls: _Calls, level: float) -> Point:
    is_flagged = calls.value >= level
    return Point(
        level=float(level),
        precision=_share(calls.is_angry, is_flagged),
        recall=_share(is_flagged, calls.is_angry),
        flagged_share=float(is_flagged.mean()),
        furious_end_recall=_share(is_flagged, calls.is_furious_end),
    )


def _share(of: BoolArray, where: BoolArray) -> float:
    """Share of `where` that is also `of`, 0 where there is none."""
    return float(of[where].mean()) if where.any() else 0.0


def _calls(scored: Sequence[ScoredCall], rule: Rule, settings: DissatisfactionSettings) -> _Calls:
    value = []
    for one in scored:
        known = ~one.is_uncertain
        seconds = one.seconds[known]
        enough = len(seconds) > 0 and seconds.sum() >= settings.min_scored_s
        value.append(rule(one.value[known], seconds) if enough else -1.0)
    return _Calls(
        value=np.array(value),
        corpus=np.array([one.call.corpus for one in scored]),
        is_angry=np.array([one.call.true_share >= ANGRY_SHARE for one in scored]),
        is_furious_end=np.array([one.call.kind == FURIOUS_END for one in scored]),
    )
