"""Figures of calls whose truth is known: what the product decides, beside what was so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.stats
from sklearn.metrics import roc_auc_score

from ser_batch.arrays import BoolArray, DoubleArray, IntArray
from ser_batch.lab.bench.simulated_calls import FURIOUS_END

ANGRY_SHARE = 1 / 3
"""Share of the customer's speech that is angry, from which a call should be flagged."""
MANY_SHARE = 0.5
"""Share from which a call belongs among the worst, and a segment is angry."""
CHANGES = ("worsening", "improving")
N_BOOTSTRAP = 400
LEAST_CUSTOMERS = 5
"""With fewer customers there is no interval: whole customers are resampled."""


@dataclass(frozen=True)
class CallResult:
    """What the product says of a call, beside the truth.

    Attributes:
        speaker, corpus, kind: of the call
        true_share: share of the customer's speech that is angry
        true_change: worsening, improving or steady
        index: dissatisfaction of the call, NaN where it is not scored
        plain_mean: mean of the scored segments' dissatisfaction, NaN where there is none
        is_flagged: the product's flag
        arc: the product's arc
        scored_s, speech_s: the customer's scored speech, and all of it, seconds
        segment_value: dissatisfaction of every segment, shape (n,)
        segment_anger: true share of anger in it, NaN where the customer does not speak, shape (n,)
    """

    speaker: str
    corpus: str
    kind: str
    true_share: float
    true_change: str
    index: float
    plain_mean: float
    is_flagged: bool
    arc: str
    scored_s: float
    speech_s: float
    segment_value: DoubleArray
    segment_anger: DoubleArray


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval.

    Attributes:
        value: NaN where it cannot be formed
        low, high: percentiles of the bootstrap over customers; None with too few of them
    """

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class _Table:
    """Columns of many results, for figures of many draws of them."""

    true_share: DoubleArray
    true_change: np.ndarray
    is_furious_end: BoolArray
    index: DoubleArray
    plain_mean: DoubleArray
    is_flagged: BoolArray
    change: np.ndarray
    scored_s: DoubleArray
    speech_s: DoubleArray
    segment_value: DoubleArray
    segment_anger: DoubleArray


def call_figures(
    results: Sequence[CallResult], names: Collection[str] | None = None, *, intervals: bool = True
) -> dict[str, Figure]:
    """Figures of some calls, with intervals over customers.

    Args:
        results: of calls
        names: of the figures; None: all of `FIGURES`
        intervals: whether to draw customers again and again

    Returns:
        by name, in the order of `FIGURES`
    """
    names = FIGURES if names is None else names
    whole = _figures(_table(results), names)
    by_customer: dict[str, list[CallResult]] = {}
    for result in results:
        by_customer.setdefault(result.speaker, []).append(result)
    if not intervals or len(by_customer) < LEAST_CUSTOMERS:
        return {name: Figure(value, None, None) for name, value in whole.items()}
    rng = np.random.default_rng(0)
    customers = list(by_customer.values())
    draws = []
    for chosen in rng.integers(0, len(customers), (N_BOOTSTRAP, len(customers))):
        drawn = [result for i in chosen for result in customers[i]]
        draws.append(list(_figures(_table(drawn), names).values()))
    return {
        name: Figure(value, *_interval(drawn))
        for (name, value), drawn in zip(whole.items(), np.array(draws).T, strict=True)
    }


def _interval(drawn: DoubleArray) -> tuple[float, float] | tuple[None, None]:
    """Percentiles of the draws in which the figure can be formed, None where that is no draw."""
    known = drawn[np.isfinite(drawn)]
    if not len(known):
        return None, None
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def _table(results: Sequence[CallResult]) -> _Table:
    def column(name: str) -> np.ndarray:
        return np.array([getattr(result, name) for result in results])

    arcs = column("arc")
    return _Table(
        true_share=column("true_share"),
        true_change=column("true_change"),
        is_furious_end=column("kind") == FURIOUS_END,
        # a call that is not scored is ranked last
        index=np.nan_to_num(column("index").astype(float), nan=-1.0),
        plain_mean=np.nan_to_num(column("plain_mean").astype(float), nan=-1.0),
        is_flagged=column("is_flagged"),
        change=np.where(np.isin(arcs, CHANGES), arcs, "steady"),
        scored_s=column("scored_s"),
        speech_s=column("speech_s"),
        segment_value=np.concatenate([result.segment_value for result in results]),
        segment_anger=np.concatenate([result.segment_anger for result in results]),
    )


def _figures(table: _Table, names: Collection[str]) -> dict[str, float]:
    return {name: figure(table) for name, figure in FIGURES.items() if name in names}


def _segment_auc(table: _Table) -> float:
    known = np.isfinite(table.segment_anger)
    truth = table.segment_anger[known] >= MANY_SHARE
    if truth.all() or not truth.any():
        return float("nan")
    return float(roc_auc_score(truth, table.segment_value[known]))


def _segment_ece(table: _Table) -> float:
    """Mean gap, over ten bins of the probability, between it and the share of angry segments."""
    known = np.isfinite(table.segment_anger)
    value, truth = table.segment_value[known], table.segment_anger[known] >= MANY_SHARE
    gap = np.bincount(np.minimum((value * 10).astype(int), 9), weights=truth - value, minlength=10)
    return float(np.abs(gap).sum() / max(len(value), 1))


def _spearman(column: str) -> Callable[[_Table], float]:
    def figure(table: _Table) -> float:
        scores = getattr(table, column)
        if np.ptp(scores) == 0 or np.ptp(table.true_share) == 0:
            return float("nan")
        return float(scipy.stats.spearmanr(scores, table.true_share).statistic)

    return figure


def _precision_at_10(column: str) -> Callable[[_Table], float]:
    def figure(table: _Table) -> float:
        worst = np.argsort(-getattr(table, column), kind="stable")
        worst = worst[: max(1, round(len(worst) / 10))]
        return float((table.true_share[worst] >= MANY_SHARE).mean())

    return figure


def _share(of: BoolArray, where: BoolArray) -> float:
    """Share of `where` that is also `of`, NaN where there is none."""
    return float(of[where].mean()) if where.any() else float("nan")


def _arc_recall(table: _Table) -> float:
    """Mean over worsening, improving and steady calls of the share that is called so."""
    right = table.change == table.true_change
    return float(np.nanmean([_share(right, table.true_change == c) for c in (*CHANGES, "steady")]))


FIGURES: Mapping[str, Callable[[_Table], float]] = {
    "segment_auc": _segment_auc,
    "segment_ece": _segment_ece,
    "spearman": _spearman("index"),
    "spearman_plain_mean": _spearman("plain_mean"),
    "precision_at_10": _precision_at_10("index"),
    "precision_at_10_plain_mean": _precision_at_10("plain_mean"),
    "half_angry_share": lambda table: float((table.true_share >= MANY_SHARE).mean()),
    "flag_precision": lambda table: _share(table.true_share >= ANGRY_SHARE, table.is_flagged),
    "flag_recall": lambda table: _share(table.is_flagged, table.true_share >= ANGRY_SHARE),
    "flagged_share": lambda table: float(table.is_flagged.mean()),
    "third_angry_share": lambda table: float((table.true_share >= ANGRY_SHARE).mean()),
    "furious_end_recall": lambda table: _share(table.is_flagged, table.is_furious_end),
    "calm_flagged_share": lambda table: _share(table.is_flagged, table.true_share == 0),
    "arc_accuracy": lambda table: float((table.change == table.true_change).mean()),
    "arc_recall": _arc_recall,
    "steady_share": lambda table: float((table.true_change == "steady").mean()),
    "coverage": lambda table: float(table.scored_s.sum() / max(table.speech_s.sum(), 1e-9)),
}
"""What each figure is.

segment_auc: area under the ROC curve of the segments' dissatisfaction, angry against the rest
segment_ece: expected calibration error of it
spearman: rank correlation of the index with the true share of angry speech; of the plain mean
precision_at_10: share of calls with at least half angry speech among the worst tenth by the index;
    by the plain mean; half_angry_share is its base rate
flag_precision, flag_recall: of the flag for calls with at least a third angry speech, whose base
    rate is third_angry_share; flagged_share: of all calls
furious_end_recall: share of the calls that are calm and end furious that is flagged
calm_flagged_share: share of the calls without anger that is flagged
arc_accuracy: share of calls whose arc is right; steady_share is what "steady" alone would reach
arc_recall: mean of the recalls of worsening, improving and steady calls
coverage: share of the customers' speech that is scored
"""


def seed_figures(results: Sequence[Sequence[CallResult]], name: str) -> list[float | None]:
    """One figure of each seed's calls; None where it cannot be formed."""
    return [as_json(call_figures(some, intervals=False))[name]["value"] for some in results]


def as_json(figures: Mapping[str, Figure]) -> dict[str, dict[str, float | None]]:
    """Figures for JSON: a value that cannot be formed is null."""
    return {
        name: {
            "value": None if np.isnan(figure.value) else figure.value,
            "low": figure.low,
            "high": figure.high,
        }
        for name, figure in figures.items()
    }


def rows_of(labels: Sequence[str], wanted: str) -> IntArray:
    """Numbers of the rows that carry a label."""
    return np.flatnonzero(np.array(labels) == wanted)
