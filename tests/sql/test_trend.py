"""Windows against the windows before: counted, adjusted for the mix of calls, withheld."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import numpy as np
import pytest
from scipy import stats

from ser_batch.config import Settings
from ser_batch.resources import sql_folder
from ser_batch.store.lake import Lake
from ser_batch.testing.lakes import MODEL_ID, call_rows, put_rows
from ser_batch.testing.rows import MIDDAY, prediction
from ser_batch.warehouse import build, connect
from ser_batch.warehouse.models import read_model
from ser_batch.warehouse.run import rounded

SETTINGS = Settings(report={"min_calls": 5})


def put_day(lake: Lake, days_ago: int, **queues: tuple[int, int]) -> None:
    """Calls of a day: of each queue so many dissatisfied, of so many."""
    put_rows(
        lake,
        *(
            call_rows(
                prediction(**({"anger": 1.0} if number < n_dissatisfied else {"neutral": 1.0})),
                recording_id=f"{days_ago}-{queue}-{number}",
                queue=queue,
                started_at=MIDDAY - dt.timedelta(days=days_ago),
            )
            for queue, (n_dissatisfied, n_calls) in queues.items()
            for number in range(n_calls)
        ),
    )


def week_to_today(published, columns: str, scope: str) -> list[tuple]:
    return published(
        f"select {columns} from trend where call_date = date '2026-11-03' and window_days = 7"
        f" and scope = '{scope}' order by queue",
        SETTINGS,
    )


def test_more_calls_of_a_bad_queue_are_no_change_within_queues(lake, published):
    put_day(lake, 8, good=(4, 40), bad=(10, 20))
    put_day(lake, 0, good=(2, 20), bad=(30, 60))
    [(change, adjusted, beyond, compared)] = week_to_today(
        published, "change, adjusted_change, is_beyond_chance, compared_share", "all"
    )
    assert change == pytest.approx(32 / 80 - 14 / 60, abs=1e-6)
    assert adjusted == pytest.approx(0)
    assert beyond is not True
    assert compared == 1


def put_days(lake: Lake, days_ago: Iterable[int], **queues: tuple[int, int]) -> None:
    """Some days with the same calls each."""
    for ago in days_ago:
        put_day(lake, ago, **queues)


def test_a_queue_that_got_worse_is_distinguished_from_one_that_did_not(lake, published):
    put_days(lake, (8, 10, 12), steady=(4, 16), worse=(4, 16))
    put_days(lake, (0, 2), steady=(4, 16), worse=(11, 16))
    put_day(lake, 4, steady=(5, 16), worse=(12, 16))
    assert week_to_today(published, "queue, is_beyond_chance", "queue") == [
        ("steady", False),
        ("worse", True),
    ]


def test_two_single_days_do_not_show_whether_the_weeks_differ(lake, published):
    put_day(lake, 8, only=(10, 40))
    put_day(lake, 0, only=(30, 40))
    assert week_to_today(
        published,
        "count_days, adjusted_change, adjusted_change_low, p_value, is_beyond_chance,"
        " not_compared_reason",
        "all",
    ) == [(1, 0.5, None, None, None, "single call date")]


def test_days_that_differ_widen_the_interval(lake, published):
    put_days(lake, (8, 10, 12, 13), same=(10, 40), apart=(10, 40))
    put_days(lake, (0, 2), same=(16, 40), apart=(31, 40))
    put_days(lake, (4, 6), same=(16, 40), apart=(1, 40))
    [(apart, apart_beyond), (same, same_beyond)] = week_to_today(
        published, "adjusted_change_high - adjusted_change_low, is_beyond_chance", "queue"
    )
    assert apart > 2 * same
    assert (apart_beyond, same_beyond) == (False, True)


def put_customers(lake: Lake, *, n_customers: int) -> None:
    """Two weeks of 20 calls a day, half of them dissatisfied; few customers keep to one side."""
    for ago in range(14):
        put_rows(
            lake,
            *(
                call_rows(
                    prediction(**({"anger": 1.0} if number % 4 < 2 else {"neutral": 1.0})),
                    recording_id=f"{ago}-{number}",
                    customer=f"c{number % n_customers}-{ago if n_customers == 20 else ago // 7}",
                    started_at=MIDDAY - dt.timedelta(days=ago),
                )
                for number in range(20)
            ),
        )


def test_calls_of_the_same_few_customers_count_for_less(tmp_path):
    widths = []
    for n_customers in (20, 4):
        lake = Lake(tmp_path / str(n_customers))
        put_customers(lake, n_customers=n_customers)
        target = tmp_path / f"{n_customers}.duckdb"
        build(lake, target, model_id=MODEL_ID, settings=SETTINGS)
        with connect(target) as con:
            [(width,)] = con.sql(
                "select adjusted_change_high - adjusted_change_low from trend"
                " where scope = 'all' and window_days = 7 and call_date = date '2026-11-03'"
            ).fetchall()
        widths.append(width)
    assert widths[1] > 1.5 * widths[0]


def test_many_queues_need_more_than_one_that_stands_out_by_chance(lake, published):
    """The change of `odd` is beyond chance alone, but not among twenty queues without a change."""
    steady = {f"q{number:02}": (3, 10) for number in range(20)}
    put_days(lake, (8, 10), **steady, odd=(1, 10))
    put_days(lake, (9, 11), **steady, odd=(4, 10))
    put_days(lake, (0, 1), **steady, odd=(5, 10))
    put_days(lake, (2, 3), **steady, odd=(7, 10))
    [(p_value, q_value, beyond)] = [
        row[1:]
        for row in week_to_today(published, "queue, p_value, q_value, is_beyond_chance", "queue")
        if row[0] == "odd"
    ]
    assert p_value < 0.05 < q_value
    assert beyond is False


def test_only_the_window_and_the_one_before_it_count(lake, published):
    put_day(lake, 20, only=(10, 10))
    put_day(lake, 10, only=(0, 10))
    put_day(lake, 3, only=(5, 10))
    put_day(lake, 0, only=(5, 10))
    assert week_to_today(
        published, "count_scored_calls, count_scored_calls_before, change", "queue"
    ) == [(20, 10, 0.5)]


def test_windows_with_too_few_calls_are_withheld(lake, published):
    put_day(lake, 8, small=(1, 4), large=(1, 5))
    put_day(lake, 0, small=(1, 5), large=(1, 5))
    columns = "queue, count_scored_calls, change, not_compared_reason"
    assert week_to_today(published, columns, "queue") == [
        ("large", 5, 0.0, "single call date"),
        ("small", 5, None, "too few calls"),
    ]


def test_the_interval_of_the_greatest_change_there_is_ends_at_one(lake, published):
    put_days(lake, (8, 10), only=(0, 5))
    put_days(lake, (0, 2), only=(5, 5))
    [(low, change, high)] = week_to_today(
        published, "adjusted_change_low, adjusted_change, adjusted_change_high", "queue"
    )
    assert (change, high) == (1, 1)
    assert 0 < low < 1


def test_an_adjusted_change_has_the_cluster_robust_interval(lake, published):
    """One queue and hour: Welch's t-test of the days' shares, as the days have as many calls."""
    before, now = (4, 9, 6, 11), (14, 10, 19, 13, 17)
    for number, hits in enumerate(before):
        put_day(lake, 8 + number, only=(hits, 40))
    for number, hits in enumerate(now):
        put_day(lake, number, only=(hits, 40))
    [(change, low, high, p_value)] = week_to_today(
        published, "adjusted_change, adjusted_change_low, adjusted_change_high, p_value", "queue"
    )
    welch = stats.ttest_ind(np.array(now) / 40, np.array(before) / 40, equal_var=False)
    expected = welch.confidence_interval()
    assert change == pytest.approx(np.mean(now) / 40 - np.mean(before) / 40, abs=1e-5)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.003)
    assert p_value == pytest.approx(welch.pvalue, rel=0.05)


@pytest.mark.parametrize(
    ("hits", "count", "hits_before", "count_before"), [(56, 70, 48, 80), (9, 10, 3, 10)]
)
def test_a_change_has_newcombes_interval(tmp_path, hits, count, hits_before, count_before):
    """Newcombe (1998), table II, cases (a) and (b): .0524 to .3339, .1705 to .8090."""
    expected = {56: (0.0524, 0.3339), 9: (0.1705, 0.8090)}[hits]
    build(Lake(tmp_path), tmp_path / "calls.duckdb", model_id=MODEL_ID, settings=SETTINGS)
    with connect(tmp_path / "calls.duckdb") as con:
        [found] = con.execute(
            """
            select
                difference_low(a / n, wilson_low(a, n), b / m, wilson_high(b, m)),
                difference_high(a / n, wilson_high(a, n), b / m, wilson_low(b, m))
            from (select ? as a, ? as n, ? as b, ? as m)
            """,
            [hits, count, hits_before, count_before],
        ).fetchall()
    assert found == pytest.approx(expected, abs=1e-3)


def test_a_windows_coverage_is_of_all_its_calls(lake, published):
    put_day(lake, 8, only=(1, 10))
    put_day(lake, 0, only=(1, 10))
    at = MIDDAY - dt.timedelta(days=1)
    unsure = [prediction(segment_no=n, emotion="uncertain") for n in range(10)]
    put_rows(lake, call_rows(*unsure, recording_id="unsure", queue="only", started_at=at))
    assert week_to_today(published, "coverage, coverage_before, count_scored_calls", "queue") == [
        (0.5, 1.0, 10)
    ]


def test_a_queue_that_is_new_is_left_out_of_the_comparison(lake, published):
    put_day(lake, 8, old=(2, 10))
    put_day(lake, 0, old=(2, 10), new=(9, 10))
    [(adjusted, compared)] = week_to_today(published, "adjusted_change, compared_share", "all")
    assert adjusted == pytest.approx(0)
    assert compared == 0.5


def test_hours_of_the_week_hold_the_last_four_weeks(lake, published):
    put_day(lake, 40, billing=(5, 5))
    put_day(lake, 7, billing=(1, 5))
    put_day(lake, 0, billing=(1, 5))
    put_day(lake, 1, billing=(1, 4))
    assert published(
        "select weekday, hour, count_scored_calls, dissatisfied_call_share from hour_of_week",
        SETTINGS,
    ) == [(1, 12, 4, None), (2, 12, 10, pytest.approx(0.2))]


def test_hours_seen_on_one_date_are_not_distinguished_from_chance(lake, published):
    """One date says nothing of how much the same hour differs from week to week."""
    put_day(lake, 0, billing=(9, 10))
    columns = "design_effect, dissatisfied_call_share_low < 0.9, p_value"
    assert published(f"select {columns} from hour_of_week", SETTINGS) == [(None, True, None)]


def test_a_queues_day_counts_arcs_and_what_was_not_scored(lake, published):
    rising = [prediction(segment_no=n, anger=p, neutral=1 - p) for n, p in enumerate((0, 0.5, 1))]
    put_rows(
        lake,
        *(call_rows(*rising, recording_id=f"r{number}") for number in range(5)),
        call_rows(prediction(), recording_id="short"),
        call_rows(recording_id="objected", objected=True),
    )
    assert published(
        "select count_calls, count_scored_calls, count_not_scored_calls, count_worsening,"
        " count_uncertain_arc, worsening_share from queue_day",
        SETTINGS,
    ) == [(7, 6, 1, 5, 1, pytest.approx(5 / 6))]


def test_the_peaks_of_a_queues_day_have_students_interval(lake, published):
    peaks = (0.1, 0.3, 0.5, 0.6, 0.9)
    put_rows(
        lake,
        *(
            call_rows(prediction(anger=p, neutral=1 - p), recording_id=f"r{i}")
            for i, p in enumerate(peaks)
        ),
    )
    [row] = published(
        "select dissatisfaction_peak, dissatisfaction_peak_low, dissatisfaction_peak_high,"
        " mean_duration_s, mean_duration_low_s, mean_duration_high_s from queue_day"
    )
    student = stats.t.interval(0.95, 4, np.mean(peaks), stats.sem(peaks))
    assert row[:3] == pytest.approx((np.mean(peaks), *student), rel=0.01)
    assert row[3:] == (300, None, None)  # all are as long


def test_the_length_of_few_calls_is_withheld(lake, published):
    put_day(lake, 0, only=(1, 4))
    assert published("select count_calls, mean_duration_s from queue_day", SETTINGS) == [(4, None)]


def test_customers_of_many_calls_count_as_those_of_few(tmp_path):
    """What they share is summed another way; both ways give the same rows."""
    lake, target = Lake(tmp_path), tmp_path / "calls.duckdb"
    put_customers(lake, n_customers=4)
    build(lake, target, model_id=MODEL_ID, settings=SETTINGS)
    model = read_model(sql_folder() / "marts" / "trend.sql")
    with connect(target) as con:
        con.execute("set variable min_calls = 5")
        sql = rounded(con, model)
        rows = [
            con.sql(sql.replace("> 24 as is_frequent", f"> {most} as is_frequent")).fetchall()
            for most in (0, 24)
        ]
    assert "> 24 as is_frequent" in sql
    assert rows[0] == rows[1]
