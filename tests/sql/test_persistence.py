"""Bad days that persist: how alike the dates are is estimated from the calls."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from ser_batch.lab.bench.statistics import Scenario, simulated_calls
from ser_batch.resources import sql_folder
from ser_batch.warehouse.macros import bind_macros
from ser_batch.warehouse.models import read_blueprint

PERSISTING = Scenario("persisting", day_sd=0.8, customer_sd=0, calls_a_day=200, day_memory=0.6)
FORGOTTEN = Scenario("forgotten", day_sd=0.8, customer_sd=0, calls_a_day=200)


def calls_of(scenario: Scenario) -> pa.Table:
    """Eight weeks of calls of twelve queues."""
    return simulated_calls(scenario, 12, np.random.default_rng(1))


def correlations(calls: pa.Table) -> list[tuple]:
    """Of dates 1, 2 and 3 days apart, by the shipped model, one row a call date."""
    models = {found.name: found.sql for found in read_blueprint(sql_folder()).models}
    with duckdb.connect(config={"threads": 1}) as con:
        macros = (sql_folder() / "macros.sql").read_text(encoding="utf-8")
        con.execute(bind_macros(macros, min_calls=5))
        con.register("simulated", calls)
        con.execute("create table call_summary as from simulated")
        return con.execute(
            "select correlation_1, correlation_2, correlation_3 "
            f"from ({models['stg_date_correlation']}) where scope = 'queue' order by call_date"
        ).fetchall()


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
