"""Figures of groups: counted, given an interval, withheld where they say too little."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from scipy import stats

from ser_batch.config import Settings
from ser_batch.resources import sql_folder
from ser_batch.testing.lakes import call_rows, put_call, put_rows
from ser_batch.testing.rows import prediction
from ser_batch.warehouse.models import bind_macros, read_blueprint


def put_calls(lake, *levels: float, queue: str | None = "billing") -> None:
    for number, level in enumerate(levels):
        put_call(
            lake,
            prediction(anger=level, neutral=1 - level),
            recording_id=f"{queue}-{number}",
            queue=queue,
        )


def test_intervals_are_those_of_student_and_wilson(lake, published):
    levels = (0.1, 0.2, 0.15, 0.6, 0.9, 0.25)
    put_calls(lake, *levels)
    [row] = published(
        "select dissatisfaction, dissatisfaction_low, dissatisfaction_high,"
        " dissatisfied_call_share, dissatisfied_call_share_low, dissatisfied_call_share_high"
        " from daily_dissatisfaction"
    )
    student = stats.t.interval(0.95, 5, np.mean(levels), stats.sem(levels))
    wilson = stats.binomtest(2, 6).proportion_ci(method="wilson")
    expected = (np.mean(levels), *student, 2 / 6, wilson.low, wilson.high)
    assert row == pytest.approx(expected, abs=1e-3)


def test_calls_that_are_all_alike_have_no_interval_of_zero_width(lake, published):
    put_calls(lake, 0.1, 0.1, 0.1)
    assert published(
        "select dissatisfied_share, dissatisfied_share_low, dissatisfied_share_high,"
        " dissatisfaction_low, dissatisfied_call_share_high > 0.5 from daily_dissatisfaction",
        Settings(report={"min_calls": 3}),
    ) == [(0, None, None, None, True)]


def test_groups_with_too_few_scored_calls_are_counted_but_withheld(lake, published):
    put_calls(lake, 0.2, 0.9, queue="billing")
    put_calls(lake, 0.2, 0.9, 0.9, queue="technical")
    assert published(
        "select queue, count_scored_calls, dissatisfied_call_share from daily_dissatisfaction",
        Settings(report={"min_calls": 3}),
    ) == [("billing", 2, None), ("technical", 3, pytest.approx(2 / 3))]


def test_calls_without_a_queue_are_a_group_of_their_own(lake, published):
    put_calls(lake, 0.2, queue=None)
    put_calls(lake, 0.2, queue="billing")
    rows = published(
        "select queue, count_calls, count_dissatisfied_calls from daily_dissatisfaction"
    )
    assert sorted(rows, key=str) == [("billing", 1, 0), (None, 1, 0)]


def test_the_share_of_speech_has_the_interval_of_a_ratio_of_sums(lake, published):
    """Against the jackknife, which leaves one call out at a time: alike for so many calls."""
    rng = np.random.default_rng(3)
    n_bad, n_segments = rng.integers(0, 4, 80), rng.integers(4, 12, 80)
    put_rows(
        lake,
        *(
            call_rows(
                *(
                    prediction(segment_no=n, **{"anger" if n < bad else "neutral": 1.0})
                    for n in range(count)
                ),
                recording_id=f"r{number}",
            )
            for number, (bad, count) in enumerate(zip(n_bad, n_segments, strict=True))
        ),
    )
    [row] = published(
        "select dissatisfied_share, dissatisfied_share_low, dissatisfied_share_high"
        " from daily_dissatisfaction"
    )
    without = (n_bad.sum() - n_bad) / (n_segments.sum() - n_segments)
    error = np.sqrt(79 / 80 * ((without - without.mean()) ** 2).sum())
    share = n_bad.sum() / n_segments.sum()
    half = stats.t.ppf(0.975, 79) * error
    assert row == pytest.approx((share, share - half, share + half), rel=0.01)


def test_the_ends_of_a_medians_interval_are_the_binomials(published):
    """So many values lie below the median by chance that 95 % or more of intervals hold it."""
    counts = range(6, 300)
    ranks = [row[0] for row in published("select median_rank(range, range) from range(6, 300)")]
    held = [1 - 2 * stats.binom.cdf(r - 1, n, 0.5) for n, r in zip(counts, ranks, strict=True)]
    assert min(held) >= 0.95
    exact = [stats.binom.ppf(0.025, n, 0.5) for n in counts]
    assert all(0 <= e - r <= 1 for e, r in zip(exact, ranks, strict=True))
    [(low, high)] = published(
        "select median_low(value, 6), median_high(value, 6)"
        " from (select unnest([9, 1, null, 7, 3, 5, 11]) as value)"
    )
    assert (low, high) == (1, 11)


def test_why_calls_are_not_scored_is_a_share_of_the_days_calls(lake, published):
    put_calls(lake, 0.2, 0.4, 0.6)
    put_call(lake, recording_id="objected", objected=True)
    [row] = published(
        "select count_calls, count_day_calls, call_share, call_share_low, call_share_high"
        " from not_scored"
    )
    wilson = stats.binomtest(1, 4).proportion_ci(method="wilson")
    assert row == pytest.approx((1, 4, 0.25, wilson.low, wilson.high), abs=1e-3)
    few = Settings(report={"min_calls": 5})
    assert published("select count_calls, call_share from not_scored", few) == [(1, None)]


def test_calls_of_the_same_customer_widen_the_share_that_is_not_scored(lake, published):
    """Ten customers with four calls each, who either object or do not: as ten calls."""
    put_rows(
        lake,
        *(
            call_rows(
                prediction(),
                recording_id=f"r{number}",
                customer=f"c{number % 10}",
                objected=number % 10 < 3,
            )
            for number in range(40)
        ),
    )
    [(low, high)] = published("select call_share_low, call_share_high from not_scored")
    as_calls = stats.binomtest(12, 40).proportion_ci(method="wilson")
    assert high - low > 1.8 * (as_calls.high - as_calls.low)


def test_a_mean_is_clustered_by_date_and_customer(published):
    """Equal dates: the variance of their means; one date alone: of its customers' means."""
    rng = np.random.default_rng(5)
    values = rng.normal(size=(6, 4))
    rows = ", ".join(
        f"(date '2026-01-01' + {day}, 'c{day}-{call}', {value})"
        for (day, call), value in np.ndenumerate(values)
    )
    found = published(f"""
        with means as (
            select *, 1 as whole from (values {rows}) as calls(call_date, customer, part)
        ),
        calls as (
            select 'apart' as category, * from means
            union all
            select 'together', * replace (customer[3:] as customer) from means
            union all
            select null, * from means where call_date = date '2026-01-02'
        )
        select variance, degrees from clustered_by(calls) order by category nulls last
    """)
    [(apart, degrees), (together, _), (of_one_date, _)] = found
    assert apart == pytest.approx(values.mean(axis=1).var(ddof=1) / 6)
    assert degrees == pytest.approx(5)
    assert of_one_date == pytest.approx(values[1].var(ddof=1) / 4)
    of_customers = (values - values.mean()).sum(axis=0)
    shared = (np.square(of_customers).sum() - np.square(values - values.mean()).sum()) / 24**2
    assert together == pytest.approx(apart + max(0, shared))


def test_memory_of_a_clustered_mean_grows_with_the_calls_alone():
    with duckdb.connect(config={"memory_limit": "100MB"}) as con:
        con.execute(bind_macros(read_blueprint(sql_folder()).macros, min_calls=1))
        [(variance,)] = con.sql("""
            with calls as (
                select 1 as category, call % 2 as part, 1 as whole,
                    date '2026-01-01' + (call % 28)::int as call_date, call % 20000 as customer
                from range(40000) as calls(call)
            )
            select variance from clustered_by(calls)
        """).fetchall()
    assert variance > 0


def test_student_t_is_scipys(published):
    degrees = [*np.linspace(1, 5, 401), *range(5, 2000, 7), 1e9]
    rows = published(f"select student_t(unnest({[float(each) for each in degrees]}))")
    assert [row[0] for row in rows] == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-4)
    assert published("select student_t(null), student_t(nullif(1 - 1, 0))") == [(None, None)]
