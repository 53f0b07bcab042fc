"""Time to recover: the interval of its median, by the shipped model on calls written by hand."""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import scipy.stats

from ser_batch.resources import sql_folder
from ser_batch.warehouse.models import bind_macros, read_blueprint

LAST = dt.date(2026, 11, 28)
N_DATES = 28


def calls(n: int = 280, seed: int = 1) -> pa.Table:
    """Calls of one queue by one customer each, ten a date, a third censored."""
    rng = np.random.default_rng(seed)
    recovers, ends = rng.exponential(60, n), rng.exponential(120, n)
    return pa.table(
        {
            "queue": ["billing"] * n,
            "call_date": [LAST - dt.timedelta(days=i % N_DATES) for i in range(n)],
            "customer": [f"caller {i}" for i in range(n)],
            "recording_id": [f"r{i}" for i in range(n)],
            "recovery_watched_s": np.minimum(recovers, ends).round(1),
            "recovery_s": pa.array(recovers.round(1), mask=recovers > ends),
        }
    )


def median_of(*parts: pa.Table) -> tuple[float | None, ...]:
    """Median and both ends of its interval."""
    models = {found.name: found.sql for found in read_blueprint(sql_folder()).models}
    with duckdb.connect(config={"threads": 1}) as con:
        macros = (sql_folder() / "macros.sql").read_text(encoding="utf-8")
        con.execute(bind_macros(macros, min_calls=1))
        con.register("written", pa.concat_tables(parts))
        con.execute("create table call_summary as from written")
        [found] = con.execute(
            "select recovery_median_s, recovery_median_low_s, recovery_median_high_s "
            f"from ({models['recovery']})"
        ).fetchall()
    return found


@pytest.mark.filterwarnings("ignore:The confidence interval is undefined")
def test_the_interval_of_independent_calls_is_that_of_brookmeyer_and_crowley():
    table = calls()
    times = table["recovery_watched_s"].to_numpy()
    censored = table["recovery_s"].is_null().to_numpy()
    curve = scipy.stats.ecdf(
        scipy.stats.CensoredData(uncensored=times[~censored], right=times[censored])
    ).sf
    ends = curve.confidence_interval(method="log-log")
    at = curve.quantiles
    median, low, high = median_of(table)
    assert median == at[curve.probabilities <= 0.5][0]
    assert low == pytest.approx(at[ends.low.probabilities <= 0.5][0], rel=0.1)
    assert high == pytest.approx(at[ends.high.probabilities < 0.5][0], rel=0.1)


def test_calls_that_say_the_same_again_do_not_narrow_the_interval():
    """Four alike of each customer on one date: taken as independent they would halve it."""
    _, low, high = median_of(calls())
    median, low_of_four, high_of_four = median_of(*[calls()] * 4)
    assert median == median_of(calls())[0]
    assert high_of_four - low_of_four > 0.75 * (high - low)


def test_calls_of_a_single_customer_have_a_median_and_no_interval():
    table = calls(40)
    alone = table.set_column(2, "customer", pa.array(["caller"] * 40))
    dates = pa.array([LAST] * 40)
    median, low, high = median_of(alone.set_column(1, "call_date", dates))
    assert median is not None
    assert (low, high) == (None, None)


def test_two_calls_of_which_the_first_ends_early_have_a_median_and_no_interval():
    """The only one that is left recovers: no time has a part of them recovered."""
    table = calls(2).set_column(4, "recovery_watched_s", pa.array([5.0, 10.0]))
    assert median_of(table.set_column(5, "recovery_s", pa.array([None, 10.0]))) == (10, None, None)


@pytest.mark.parametrize("recovery_s", [[5.0, 10.0], [None, 10.0], [None, None]])
def test_two_calls_are_enough_for_a_figure(recovery_s):
    table = calls(2)
    table = table.set_column(4, "recovery_watched_s", pa.array([5.0, 10.0]))
    median, _, _ = median_of(table.set_column(5, "recovery_s", pa.array(recovery_s, pa.float64())))
    assert median == {(5.0, 10.0): 5.0, (None, 10.0): 10.0}.get(tuple(recovery_s))
