"""Bad days that persist: how alike the dates are is estimated from the calls; intervals widen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from ser_batch.lab.bench.statistics import Scenario, simulated_calls
from ser_batch.report.queries import ask
from ser_batch.resources import sql_folder
from ser_batch.warehouse.models import bind_macros, read_blueprint

PERSISTING = Scenario("persisting", day_sd=0.8, customer_sd=0, calls_a_day=200, day_memory=0.6)
INDEPENDENT = """
update stg_date_correlation set correlation_1 = 0, correlation_2 = 0, correlation_3 = 0
"""
FORGOTTEN = Scenario("forgotten", day_sd=0.8, customer_sd=0, calls_a_day=200)


def calls_of(scenario: Scenario) -> pa.Table:
    """Eight weeks of calls of twelve queues."""
    return simulated_calls(scenario, 12, np.random.default_rng(1))


@contextmanager
def warehouse(calls: pa.Table) -> Iterator[duckdb.DuckDBPyConnection]:
    """The calls, and the correlations of their dates by the shipped model."""
    models = {found.name: found.sql for found in read_blueprint(sql_folder()).models}
    with duckdb.connect(config={"threads": 1}) as con:
        macros = (sql_folder() / "macros.sql").read_text(encoding="utf-8")
        con.execute(bind_macros(macros, min_calls=5))
        con.register("simulated", calls)
        con.execute(
            "create table call_summary as"
            " select *, 90 as duration_s, map {'line': 'one'} as attributes from simulated"
        )
        con.execute(f"create table stg_date_correlation as {models['stg_date_correlation']}")
        yield con


def correlations(calls: pa.Table) -> list[tuple]:
    """Of dates 1, 2 and 3 days apart, one row a call date."""
    with warehouse(calls) as con:
        return con.execute(
            "select correlation_1, correlation_2, correlation_3 "
            "from stg_date_correlation where scope = 'queue' order by call_date"
        ).fetchall()


def widths(con: duckdb.DuckDBPyConnection, days: int) -> tuple[float, float]:
    """Of the headline's intervals, one queue: of the share, and of its difference."""
    [(last,)] = con.execute("select max(call_date) from call_summary").fetchall()
    first = last - dt.timedelta(days=days - 1)
    values = {
        "first_date": f"date '{first}'",
        "last_date": f"date '{last}'",
        "all_days": f"call_date >= date '{first - dt.timedelta(days=28)}' and queue = '3'",
        "scope": "'queue'",
    }
    [row] = ask(con, "headline", values)
    return row["share_high"] - row["share_low"], row["difference_high"] - row["difference_low"]


@pytest.mark.parametrize("scenario", [PERSISTING, FORGOTTEN], ids=lambda scenario: scenario.name)
def test_the_correlation_of_dates_is_estimated(scenario):
    """With so many calls nearly all of a day's deviation is the day's own."""
    expected = [0.9 * scenario.day_memory**lag for lag in (1, 2, 3)]
    assert correlations(calls_of(scenario))[-1] == pytest.approx(expected, abs=0.13)


def test_a_change_of_the_last_week_is_no_correlation():
    """Dates deviate from the mean of their own week."""
    calls = calls_of(FORGOTTEN)
    day = calls["call_date"].to_numpy()
    is_last_week = day > day.max() - np.timedelta64(7, "D")
    worse = calls["is_dissatisfied"].to_numpy(zero_copy_only=False) | (
        is_last_week & (np.random.default_rng(2).random(len(day)) < 0.3)
    )
    place = calls.column_names.index("is_dissatisfied")
    changed = calls.set_column(place, "is_dissatisfied", pa.array(worse))
    assert correlations(changed)[-1] == pytest.approx([0, 0, 0], abs=0.13)


def test_too_few_dates_say_nothing_of_their_correlation():
    found = correlations(calls_of(PERSISTING))
    assert found[13] == (None, None, None)
    assert None not in found[-1]


@pytest.mark.parametrize(("days", "least"), [(1, 1.0), (7, 1.3), (28, 1.5)])
def test_the_headlines_interval_widens_where_bad_days_persist(days, least):
    with warehouse(calls_of(PERSISTING)) as con:
        share, difference = widths(con, days)
        con.execute(INDEPENDENT)
        share_of_independent, difference_of_independent = widths(con, days)
    assert share >= least * share_of_independent
    assert difference > 1.05 * difference_of_independent


def test_a_headline_without_an_estimate_takes_dates_as_independent():
    with warehouse(calls_of(FORGOTTEN)) as con:
        con.execute(INDEPENDENT)
        known = widths(con, 7)
        con.execute("delete from stg_date_correlation")
        assert widths(con, 7) == known
