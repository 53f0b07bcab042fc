"""How often the warehouse's intervals fail: false alarms and coverage on simulated calls.

Simulated rows stand in for `call_summary`; the figures come from the shipped SQL. No queue changes
from one window to the next, so every change that is called beyond chance is a false alarm. Calls of
one day share a deviation, and so do all calls of one customer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from scipy.special import expit, logit

from ser_batch.arrays import IntArray
from ser_batch.resources import sql_folder
from ser_batch.warehouse.macros import bind_macros
from ser_batch.warehouse.models import read_blueprint

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

# 7-day windows that share no day, and the one pair of 28-day windows
_COMPARED = """
select
    window_days,
    p_value <= 0.05 as is_alarm,
    abs(change) > 1.95996 * sqrt(
        dissatisfied_call_share * (1 - dissatisfied_call_share) / count_scored_calls
        + dissatisfied_call_share_before * (1 - dissatisfied_call_share_before)
        / count_scored_calls_before
    ) as is_alarm_of_independent_calls,
    change_low <= 0 and change_high >= 0 as holds_no_change,
    max(is_beyond_chance::int) over (partition by window_days, call_date) as any_queue
from trend
where scope = 'queue' and p_value is not null
    and date_diff('day', date '2026-01-05', call_date) % (2 * window_days) = 2 * window_days - 1
"""


def run(*, n_queues: int = 100, on_progress: Progress) -> dict[str, Any]:
    """Build the trend of simulated queues that do not change.

    Args:
        n_queues: queues of each scenario, independent of each other
        on_progress: called with what is done, how far, of how much

    Returns:
        JSON-able; a row a scenario and window: the share of comparisons that are called beyond
        chance, the same by intervals that take calls as independent, the share of intervals of the
        change that hold 0, the share of dates on which any queue is reported after correction for
        their number
    """
    rows: list[dict[str, Any]] = []
    n_centres = max(1, n_queues // QUEUES_A_CENTRE)
    for number, scenario in enumerate(SCENARIOS):
        rng = np.random.default_rng(number)
        found = []
        for centre in range(n_centres):
            on_progress(scenario.name, centre, n_centres)
            found += _compared(simulated_calls(scenario, QUEUES_A_CENTRE, rng))
        rows += [_figures(scenario, days, found) for days in (7, 28)]
        on_progress(scenario.name, n_centres, n_centres)
    return {
        "rows": rows,
        "alarms": f"share of comparisons called beyond chance at 5 %; goal at most {GOAL:.0%}",
        "naive": "the same where calls are taken as independent",
        "coverage": "share of the 95 % intervals of the change that hold 0",
        "any queue": f"share of dates that report one of a centre's {QUEUES_A_CENTRE} queues",
    }


def _compared(calls: pa.Table) -> list[tuple[Any, ...]]:
    """The comparisons that the shipped SQL makes of a call centre's calls, see `_COMPARED`."""
    models = {model.name: model.sql for model in read_blueprint(sql_folder()).models}
    macros = (sql_folder() / "macros.sql").read_text(encoding="utf-8")
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute(bind_macros(macros, min_calls=5))
        con.execute("set variable min_calls = 5")
        con.register("simulated", calls)
        con.execute("create table call_summary as from simulated")
        for name in ("stg_date_correlation", "trend"):
            con.execute(f"create table {name} as {models[name]}")
        return con.execute(_COMPARED).fetchall()


def _figures(scenario: Scenario, days: int, found: list[tuple[Any, ...]]) -> dict[str, Any]:
    """The table's row of a scenario and length of window."""
    of_days = np.array([row[1:] for row in found if row[0] == days], float)
    alarms, naive, coverage, any_queue = of_days.mean(axis=0)
    return {
        "scenario": scenario.name,
        "days": days,
        "n": len(of_days),
        "alarms": float(alarms),
        "naive": float(naive),
        "coverage": float(coverage),
        "any queue": float(any_queue),
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
