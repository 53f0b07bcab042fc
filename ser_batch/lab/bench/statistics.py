"""How often the warehouse's intervals fail: false alarms and coverage on simulated calls.

Simulated rows stand in for `call_summary`; the figures come from the shipped SQL. No queue changes
from one window to the next, or differs from the others, so every difference that is called beyond
chance is a false alarm. Calls of one day share a deviation, and so do all calls of one customer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import duckdb
import numpy as np
import pyarrow as pa
from scipy.special import expit, logit

from ser_batch.arrays import IntArray
from ser_batch.resources import sql_folder
from ser_batch.warehouse.models import bind_macros, read_blueprint

N_DAYS = 56
FIRST_DAY = np.datetime64("2026-01-05")  # a Monday
SHARE = 0.2
WEEKEND = 0.4
"""Calls of a Saturday or Sunday over those of a working day."""
N_HOURS = 10
QUEUES_A_CENTRE = 5
"""Queues whose calls lie in one warehouse: together they show how long bad days persist."""
CALLS_A_CUSTOMER = 5
"""Of customers who call again, on average in all days."""
GOAL = 0.07

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Scenario:
    """How calls depend on each other.

    Attributes:
        name: in the table
        day_sd: standard deviation of a day's deviation, log-odds
        customer_sd: standard deviation of a customer's, log-odds
        repeat_share: share of the calls that come from customers who call again
        calls_a_day: calls of a queue on a working day
        day_memory: correlation of a day's deviation with the day before
    """

    name: str
    day_sd: float = 0.3
    customer_sd: float = 1.0
    repeat_share: float = 0.3
    calls_a_day: int = 40
    day_memory: float = 0.0


SCENARIOS = (
    Scenario("independent calls", day_sd=0, customer_sd=0),
    Scenario("days differ", customer_sd=0),
    Scenario("repeat customers", day_sd=0, repeat_share=0.6),
    Scenario("both"),
    Scenario("both, few calls", calls_a_day=12),
    Scenario("both, stronger days", day_sd=0.5),
    Scenario("both, days persist", day_memory=0.5),
    Scenario("both, days persist long", day_memory=0.8),
)

_IS_ALARM_OF_INDEPENDENT_CALLS = """
    abs(change) > 1.95996 * sqrt(
        dissatisfied_call_share * (1 - dissatisfied_call_share) / count_scored_calls
        + dissatisfied_call_share_before * (1 - dissatisfied_call_share_before)
        / count_scored_calls_before
    )"""

# 7-day windows that share no day, and the one pair of 28-day windows
_OF_TREND = f"""
select
    window_days,
    p_value <= 0.05,
    {_IS_ALARM_OF_INDEPENDENT_CALLS},
    change_low <= 0 and change_high >= 0,
    max(is_beyond_chance::int) over (partition by window_days, call_date)
from trend
where scope = 'queue' and p_value is not null
    and date_diff('day', date '2026-01-05', call_date) % (2 * window_days) = 2 * window_days - 1
"""

_OF_COMPARED = f"""
select
    kind,
    adjusted_change_low > 0 or adjusted_change_high < 0,
    {_IS_ALARM_OF_INDEPENDENT_CALLS},
    adjusted_change_low <= 0 and adjusted_change_high >= 0
from (values
    ('5, 17 before', date '2026-02-11', date '2026-02-15', date '2026-01-25', date '2026-02-10'),
    ('14, other queues', date '2026-02-02', date '2026-02-15', null, null)
) as asked(kind, first_asked, last_asked, first_before, last_before)
cross join (select distinct queue as asked_queue from call_summary) as queues
cross join lateral (
    from compared(
        asked.first_asked,
        asked.last_asked,
        asked.first_before,
        asked.last_before,
        only_queue := queues.asked_queue,
        against_others := asked.first_before is null
    )
) as found
where p_value is not null
"""

Topic = Literal["trend", "compare"]
_QUESTIONS: dict[Topic, str] = {"trend": _OF_TREND, "compare": _OF_COMPARED}
_MEANINGS = {
    "alarms": f"share of comparisons called beyond chance at 5 %; goal at most {GOAL:.0%}",
    "naive": "the same where calls are taken as independent",
    "coverage": "share of the 95 % intervals of the change that hold 0",
    "any queue": f"share of dates that report one of a centre's {QUEUES_A_CENTRE} queues",
}


def run(*, n_queues: int = 100, topic: Topic = "trend", on_progress: Progress) -> dict[str, Any]:
    """Compare simulated queues that do not change and do not differ.

    Args:
        n_queues: queues of each scenario
        topic: the mart `trend`, or the SQL function `compared`: unequal periods, and a queue
            against the others
        on_progress: called with what is done, how far, of how much

    Returns:
        JSON-able; a row a scenario and kind of comparison: the share of comparisons that are called
        beyond chance, the same by intervals that take calls as independent, the share of intervals
        of the change that hold 0; of trend also the share of dates on which any queue is reported
        after correction for their number
    """
    rows: list[dict[str, Any]] = []
    n_centres = max(1, n_queues // QUEUES_A_CENTRE)
    for number, scenario in enumerate(SCENARIOS):
        rng = np.random.default_rng(number)
        found: dict[Any, list[tuple[Any, ...]]] = defaultdict(list)
        for centre in range(n_centres):
            on_progress(scenario.name, centre, n_centres)
            for kind, *figures in _found(simulated_calls(scenario, QUEUES_A_CENTRE, rng), topic):
                found[kind].append(tuple(figures))
        rows += [_figures(scenario, kind, found[kind]) for kind in sorted(found)]
        on_progress(scenario.name, n_centres, n_centres)
    return {"rows": rows, **{name: _MEANINGS[name] for name in rows[0] if name in _MEANINGS}}


def _found(calls: pa.Table, topic: Topic) -> list[tuple[Any, ...]]:
    """What the shipped SQL finds in a call centre's calls: a comparison's kind and its figures."""
    blueprint = read_blueprint(sql_folder())
    models = {model.name: model.sql for model in blueprint.models}
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute(bind_macros(blueprint.macros, min_calls=5))
        con.execute("set variable min_calls = 5")
        con.register("simulated", calls)
        con.execute("create table call_summary as from simulated")
        con.execute(f"create table stg_date_correlation as {models['stg_date_correlation']}")
        if topic == "trend":
            con.execute(f"create table trend as {models['trend']}")
        else:
            con.execute(blueprint.functions)
        return con.execute(_QUESTIONS[topic]).fetchall()


def _figures(scenario: Scenario, kind: Any, found: list[tuple[Any, ...]]) -> dict[str, Any]:
    """The table's row of a scenario and kind of comparison."""
    means = np.array(found, float).mean(axis=0)
    return {
        "scenario": scenario.name,
        "days": kind,
        "n": len(found),
        **{name: float(mean) for name, mean in zip(_MEANINGS, means, strict=False)},
    }


def simulated_calls(scenario: Scenario, n_queues: int, rng: np.random.Generator) -> pa.Table:
    """Rows of `call_summary` with the columns that the trend reads."""
    weight = np.where(np.arange(N_DAYS) % 7 < 5, 1.0, WEEKEND)
    counts = rng.poisson(np.tile(weight * scenario.calls_a_day, (n_queues, 1)))
    queue, day = (np.repeat(axis.ravel(), counts.ravel()) for axis in np.indices(counts.shape))
    n = len(queue)
    customer = _customers(scenario, queue, n_queues, rng)
    hour = rng.integers(0, N_HOURS, n)
    days = rng.normal(size=(n_queues, N_DAYS))
    for number in range(1, N_DAYS):
        days[:, number] *= np.sqrt(1 - scenario.day_memory**2)
        days[:, number] += scenario.day_memory * days[:, number - 1]
    odds = logit(SHARE) + 0.4 * np.sin(2 * np.pi * hour / N_HOURS)
    odds += scenario.day_sd * days[queue, day]
    odds += scenario.customer_sd * rng.normal(size=customer.max() + 1)[customer]
    hit = rng.random(n) < expit(odds)
    date = (FIRST_DAY + day).astype("datetime64[D]")
    return pa.table(
        {
            "call_date": pa.array(date, pa.date32()),
            "queue": pa.array(queue).cast(pa.string()),
            "hour": hour,
            "customer": pa.array(customer).cast(pa.string()),
            "is_dissatisfied": hit,
            "dissatisfaction": np.where(hit, 0.8, 0.2),
            **dict.fromkeys(("scored_s", "customer_s", "eligible_s"), np.full(n, 60.0)),
            "dissatisfied_s": np.where(hit, 60.0, 0.0),
        }
    )


def _customers(
    scenario: Scenario, queue: IntArray, n_queues: int, rng: np.random.Generator
) -> IntArray:
    """Who calls: customers of the queue who call again, some much more often; or anyone once."""
    of_queue = len(queue) / n_queues * scenario.repeat_share
    n_pool = max(2, round(of_queue / CALLS_A_CUSTOMER))
    often = rng.dirichlet(np.ones(n_pool), n_queues).cumsum(axis=1)
    picked = (often[queue] < rng.random(len(queue))[:, np.newaxis]).sum(axis=1)
    again = rng.random(len(queue)) < scenario.repeat_share
    once = n_queues * n_pool + np.arange(len(queue))
    return np.where(again, queue * n_pool + np.minimum(picked, n_pool - 1), once).astype(np.int64)
