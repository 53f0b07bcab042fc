"""The operating point of the flag: levels and indices compared on calls whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import scipy.stats

from ser_batch.arrays import BoolArray, DoubleArray
from ser_batch.config import DissatisfactionSettings
from ser_batch.emotions import call_dissatisfaction, first_and_last_third
from ser_batch.lab.bench.call_figures import ANGRY_SHARE, MANY_SHARE
from ser_batch.lab.bench.scored_calls import ScoredCall
from ser_batch.lab.bench.simulated_calls import FURIOUS_END

LEVELS = np.round(np.arange(0.02, 1.0, 0.02), 2)
NO_END = 1.01
"""A level that no call's end reaches."""
TOLERANCE = 0.03
"""What precision or recall may lose for the calls that are calm and end furious."""

Index = Callable[[DoubleArray, DoubleArray], float]
"""Dissatisfaction and seconds of some scored segments → their common dissatisfaction."""


@dataclass(frozen=True)
class Point:
    """What the flag does at a pair of levels.

    Attributes:
        call_threshold, end_threshold: levels of the whole call and of its last third
        precision: share of the flagged calls with at least a third angry speech
        recall: share of those calls that is flagged
        flagged_share: share of all calls that is flagged
        furious_end_recall: share of the calls that are calm and end furious that is flagged
    """

    call_threshold: float
    end_threshold: float
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
    """Columns of the calls; one with too little scored speech is never flagged."""

    whole: DoubleArray
    end: DoubleArray
    true_share: DoubleArray
    is_furious_end: BoolArray
    corpus: np.ndarray

    @property
    def is_angry(self) -> BoolArray:
        return self.true_share >= ANGRY_SHARE

    def take(self, rows: BoolArray) -> _Calls:
        return _Calls(
            self.whole[rows],
            self.end[rows],
            self.true_share[rows],
            self.is_furious_end[rows],
            self.corpus[rows],
        )

    def without_ends(self) -> _Calls:
        return replace(self, end=np.full(len(self.end), -1.0))


def tune_flag(
    scored: Sequence[Sequence[ScoredCall]], settings: DissatisfactionSettings
) -> dict[str, Any]:
    """The levels that balance precision and recall and still find calls that end furious.

    Args:
        scored: calls of each seed, by a model that was not trained on their corpora
        settings: the levels in use, and the least scored speech

    Returns:
        JSON-able: n_calls, base_rate; points `in_use`, `chosen`, `whole_call_alone`, `near` (the
        chosen end_threshold with other call_thresholds), `ends` (each end_threshold with its best
        call_threshold), `left_out` (for each corpus the levels chosen on the others, on it);
        `indices`: for other ways to sum up a call their point, spearman and precision_at_10
    """
    pooled = [one for some in scored for one in some]
    calls = _calls(pooled, call_dissatisfaction, settings)
    grid = points(calls)
    chosen = best(grid)
    ends = sorted({point.end_threshold for point in grid})
    corpora = sorted(set(calls.corpus.tolist()))
    return {
        "n_calls": len(calls.whole),
        "base_rate": float(calls.is_angry.mean()),
        "in_use": asdict(_point(calls, settings.call_threshold, settings.end_threshold)),
        "chosen": asdict(chosen),
        "whole_call_alone": asdict(best(points(calls.without_ends()))),
        "near": [asdict(point) for point in grid if point.end_threshold == chosen.end_threshold],
        "ends": [
            asdict(_balanced([point for point in grid if point.end_threshold == end]))
            for end in ends
        ],
        "left_out": {
            name: asdict(_left_out(calls, calls.corpus == name))
            for name in corpora
            if len(corpora) > 1
        },
        "indices": {
            name: _index_figures(_calls(pooled, index, settings)) for name, index in INDICES.items()
        },
    }


def points(calls: _Calls) -> list[Point]:
    """The flag at every pair of levels, the end's at least as high as the whole call's."""
    return [_point(calls, call, end) for end in (*LEVELS, NO_END) for call in LEVELS[end >= LEVELS]]


def best(grid: Sequence[Point]) -> Point:
    """Of the pairs whose lower of precision and recall is nearly the highest, the one that flags
    most calls that end furious."""
    highest = max(point.worse for point in grid)
    near = [point for point in grid if point.worse >= highest - TOLERANCE]
    return max(near, key=lambda point: (point.furious_end_recall, point.worse))


def _balanced(grid: Sequence[Point]) -> Point:
    return max(grid, key=lambda point: point.worse)


def _left_out(calls: _Calls, is_left_out: BoolArray) -> Point:
    """The levels of the other corpora's calls, on those of one corpus."""
    chosen = best(points(calls.take(~is_left_out)))
    return _point(calls.take(is_left_out), chosen.call_threshold, chosen.end_threshold)


def _point(calls: _Calls, call_threshold: float, end_threshold: float) -> Point:
    is_flagged = (calls.whole >= call_threshold) | (calls.end >= end_threshold)
    return Point(
        call_threshold=float(call_threshold),
        end_threshold=float(end_threshold),
        precision=_share(calls.is_angry, is_flagged),
        recall=_share(is_flagged, calls.is_angry),
        flagged_share=float(is_flagged.mean()),
        furious_end_recall=_share(is_flagged, calls.is_furious_end),
    )


def _share(of: BoolArray, where: BoolArray) -> float:
    """Share of `where` that is also `of`, 0 where there is none."""
    return float(of[where].mean()) if where.any() else 0.0


def _calls(scored: Sequence[ScoredCall], index: Index, settings: DissatisfactionSettings) -> _Calls:
    whole, end = [], []
    for one in scored:
        known = ~one.is_uncertain
        value, seconds = one.value[known], one.seconds[known]
        enough = len(seconds) > 0 and seconds.sum() >= settings.min_scored_s
        whole.append(index(value, seconds) if enough else -1.0)
        end.append(first_and_last_third(value, seconds, index)[1] if enough else -1.0)
    return _Calls(
        whole=np.array(whole),
        end=np.nan_to_num(np.array(end), nan=-1.0),
        true_share=np.array([one.call.true_share for one in scored]),
        is_furious_end=np.array([one.call.kind == FURIOUS_END for one in scored]),
        corpus=np.array([one.call.corpus for one in scored]),
    )


def _index_figures(calls: _Calls) -> dict[str, Any]:
    worst = np.argsort(-calls.whole, kind="stable")[: max(1, round(len(calls.whole) / 10))]
    corpora = sorted(set(calls.corpus.tolist()))
    by_corpus = {name: calls.take(calls.corpus == name) for name in corpora}
    return {
        "point": asdict(best(points(calls))),
        "spearman": _spearman(calls),
        "spearman_by_corpus": {name: _spearman(some) for name, some in by_corpus.items()},
        "precision_at_10": float((calls.true_share[worst] >= MANY_SHARE).mean()),
    }


def _spearman(calls: _Calls) -> float | None:
    if np.ptp(calls.whole) == 0 or np.ptp(calls.true_share) == 0:
        return None
    return float(scipy.stats.spearmanr(calls.whole, calls.true_share).statistic)


def log_odds_mean(value: DoubleArray, seconds: DoubleArray, held: float) -> float:
    """Duration-weighted mean on log-odds, each value held this far from 0 and 1."""
    if not len(value):
        return float("nan")
    kept = np.clip(value, held, 1 - held)
    mean = np.average(np.log(kept / (1 - kept)), weights=seconds)
    return float(1 / (1 + np.exp(-mean)))


def _mean(value: DoubleArray, seconds: DoubleArray) -> float:
    return float(np.average(value, weights=seconds)) if len(value) else float("nan")


INDICES: Mapping[str, Index] = {
    "the product's": call_dissatisfaction,
    "mean": _mean,
    **{
        f"log-odds, held {held:g}": partial(log_odds_mean, held=held)
        for held in (0.002, 0.05, 0.1, 0.2)
    },
}
"""Ways to sum up a call that are compared."""
