"""Windows against the windows before: counted, adjusted for the mix of calls, withheld."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from scipy import stats

from ser_batch.config import Settings
from ser_batch.store.lake import Lake
from tests.lakes import call_rows, put_rows
from tests.rows import MIDDAY, prediction

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
    assert beyond is False
    assert compared == 1


def test_a_queue_that_got_worse_is_told_from_one_that_did_not(lake, published):
    put_day(lake, 8, steady=(10, 40), worse=(10, 40))
    put_day(lake, 0, steady=(11, 40), worse=(30, 40))
    assert week_to_today(published, "queue, is_beyond_chance", "queue") == [
        ("steady", False),
        ("worse", True),
    ]


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
    assert week_to_today(published, "queue, count_scored_calls, change", "queue") == [
        ("large", 5, 0.0),
        ("small", 5, None),
    ]


def test_the_interval_of_the_greatest_change_there_is_ends_at_one(lake, published):
    put_day(lake, 8, only=(0, 5))
    put_day(lake, 0, only=(5, 5))
    [(low, change, high)] = week_to_today(
        published, "adjusted_change_low, adjusted_change, adjusted_change_high", "queue"
    )
    assert (change, high) == (1, 1)
    assert 0 < low < 1


def test_a_change_has_newcombes_interval_and_the_share_before_wilsons(lake, published):
    """Newcombe (1998), table II, case (a): 56 of 70 against 48 of 80, .0524 to .3339."""
    put_day(lake, 8, only=(48, 80))
    put_day(lake, 0, only=(56, 70))
    [row] = week_to_today(
        published,
        "change, change_low, change_high,"
        " dissatisfied_call_share_before_low, dissatisfied_call_share_before_high",
        "queue",
    )
    wilson = stats.binomtest(48, 80).proportion_ci(method="wilson")
    assert row == pytest.approx((0.2, 0.0524, 0.3339, wilson.low, wilson.high), abs=1e-4)


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
    assert row == pytest.approx((np.mean(peaks), *student, 300, 300, 300), rel=0.01)


def test_the_length_of_few_calls_is_withheld(lake, published):
    put_day(lake, 0, only=(1, 4))
    assert published("select count_calls, mean_duration_s from queue_day", SETTINGS) == [(4, None)]
