"""Whether a segment is judged better within its call: a head over the call's segments in order.

It is trained on simulated calls of customers that the model of single segments was trained without,
and tested on calls of unseen corpora, beside the plain index. All calls come from one simulator, so
it may learn how that places anger in a call; it knows nothing of the agent but when they speak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import lightgbm
import numpy as np

from ser_batch.arrays import DoubleArray
from ser_batch.config import Settings
from ser_batch.lab.bench.call_figures import CallResult, as_json, call_figures
from ser_batch.lab.bench.scored_calls import ScoredCall, call_result

PARAMETERS = {
    "objective": "cross_entropy",
    "learning_rate": 0.05,
    "num_leaves": 7,
    "min_data_in_leaf": 40,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "seed": 1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}
N_ROUNDS = 80
COMPARED = ("segment_auc", "spearman", "precision_at_10", "flag_precision", "flag_recall")
N_BOOTSTRAP = 200
FORGETTING = 0.6
"""Weight of what came before in the running mean, a segment."""


def compare(
    trained: Sequence[ScoredCall], tested: Sequence[ScoredCall], settings: Settings
) -> dict[str, Any]:
    """The index with and without the head.

    Args:
        trained: calls, each scored by a model that was trained without its customer
        tested: calls of unseen corpora, scored by the whole model
        settings: of the index and the flag

    Returns:
        JSON-able: `plain` and `in_context`, figures with intervals over customers; `gain` by figure
        with its 95 % interval, the same customers drawn for both; n_calls and n_customers of both
    """
    head = fit(trained)
    plain = [call_result(call, settings) for call in tested]
    context = [call_result(in_context(head, call), settings) for call in tested]
    return {
        "plain": as_json(call_figures(plain, COMPARED)),
        "in_context": as_json(call_figures(context, COMPARED)),
        "gain": _gain(plain, context),
        "n_calls": {"trained": len(trained), "tested": len(tested)},
        "n_customers": {
            "trained": len({call.call.speaker for call in trained}),
            "tested": len({call.call.speaker for call in tested}),
        },
    }


def fit(calls: Sequence[ScoredCall]) -> lightgbm.Booster:
    """A head that learns the share of anger of each segment from what surrounds it."""
    rows = np.concatenate([described(call) for call in calls])
    anger = np.concatenate([call.call.anger for call in calls])
    known = np.isfinite(anger)
    data = lightgbm.Dataset(rows[known], anger[known])
    return lightgbm.train(PARAMETERS, data, num_boost_round=N_ROUNDS)


def in_context(head: lightgbm.Booster, scored: ScoredCall) -> ScoredCall:
    """The call with the head's values; what is uncertain stays so."""
    if not len(scored.value):
        return scored
    return replace(scored, value=np.asarray(head.predict(described(scored)), np.float64))


def described(scored: ScoredCall) -> DoubleArray:
    """What the head reads of each segment, shape (n_segments, 17).

    Its own log-odds, those beside it, means and extremes of those before, after and in the whole
    call; its number, its place in the call and its length; the customer's pause before it, the
    agent's last and next turn, and how much both speak.
    """
    segments, odds = scored.call.segments, _log_odds(scored.value)
    n_segments = len(segments)
    if not n_segments:
        return np.zeros((0, 17))
    before, after = np.roll(odds, 1), np.roll(odds, -1)
    before[0] = after[-1] = np.nan
    number = np.arange(n_segments)
    running = np.full(n_segments, np.nan)
    for at in range(1, n_segments):
        past = odds[at - 1] if at == 1 else running[at - 1]
        running[at] = FORGETTING * past + (1 - FORGETTING) * odds[at - 1]
    sums = np.cumsum(odds)
    mean_before = np.where(number > 0, (sums - odds) / np.maximum(number, 1), np.nan)
    left = n_segments - 1 - number
    mean_after = np.where(left > 0, (sums[-1] - sums) / np.maximum(left, 1), np.nan)
    length_s = segments[:, 1] - segments[:, 0]
    pause_s = segments[:, 0] - np.concatenate([[np.nan], segments[:-1, 1]])
    whole = [odds.mean(), odds.max(), odds.min(), n_segments]
    own = [odds, before, after, running, mean_before, mean_after, number, number / n_segments]
    return np.column_stack(
        [
            *own,
            length_s,
            pause_s,
            _sides(segments, scored.call.agent_turns),
            np.tile(whole, (n_segments, 1)),
        ]
    )


def _sides(segments: DoubleArray, agent: DoubleArray) -> DoubleArray:
    """Pause since the agent's last turn, its length, and the agent's share of all speech so far.

    Args:
        segments: of the customer, seconds, shape (n, 2)
        agent: the agent's turns, seconds, shape (n_turns, 2)

    Returns:
        shape (n, 3), NaN before the agent's first turn
    """
    if not len(agent):
        return np.full((len(segments), 3), np.nan)
    last = np.searchsorted(agent[:, 0], segments[:, 0]) - 1
    spoke = last >= 0
    turn = agent[np.maximum(last, 0)]
    agent_s = np.cumsum(agent[:, 1] - agent[:, 0])[np.maximum(last, 0)]
    customer_s = np.cumsum(segments[:, 1] - segments[:, 0])
    found = np.column_stack(
        [
            segments[:, 0] - turn[:, 1],
            turn[:, 1] - turn[:, 0],
            agent_s / (agent_s + customer_s),
        ]
    )
    return np.where(spoke[:, np.newaxis], found, np.nan)


def _log_odds(value: DoubleArray) -> DoubleArray:
    held = np.clip(value, 1e-3, 1 - 1e-3)
    return np.asarray(np.log(held / (1 - held)), np.float64)


def _gain(plain: Sequence[CallResult], context: Sequence[CallResult]) -> dict[str, Any]:
    """Figure with the head less figure without, with its 95 % interval over customers."""
    customers = sorted({result.speaker for result in plain})
    rows = [
        [number for number, result in enumerate(plain) if result.speaker == customer]
        for customer in customers
    ]
    whole = _difference(plain, context, range(len(plain)))
    draws = np.random.default_rng(0).integers(0, len(rows), (N_BOOTSTRAP, len(rows)))
    drawn = [_difference(plain, context, [n for i in draw for n in rows[i]]) for draw in draws]
    low, high = np.nanpercentile([list(one.values()) for one in drawn], [2.5, 97.5], axis=0)
    return {
        name: {"value": value, "low": float(low[at]), "high": float(high[at])}
        for at, (name, value) in enumerate(whole.items())
    }


def _difference(
    plain: Sequence[CallResult], context: Sequence[CallResult], rows: Sequence[int]
) -> dict[str, float]:
    without, with_head = (
        call_figures([results[row] for row in rows], COMPARED, intervals=False)
        for results in (plain, context)
    )
    return {name: with_head[name].value - without[name].value for name in COMPARED}
