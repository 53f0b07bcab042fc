"""Figures of groups: counted, given an interval, withheld where they say too little."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ser_batch.config import Settings
from tests.lakes import put_call
from tests.rows import prediction


def put_calls(lake, *levels: float, queue: str | None = "billing") -> None:
    for number, level in enumerate(levels):
        put_call(
            lake,
            prediction(anger=level, neutral=1 - level),
            recording_id=f"{queue}-{number}",
            queue=queue,
        )


def test_intervals_are_those_of_student_and_wilson(lake, published):
    levels = (0.1, 0.2, 0.4, 0.6, 0.9, 0.3)
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


def test_student_t_is_right_to_a_percent_where_figures_are_shown(published):
    degrees = range(3, 200)
    rows = published("select student_t(range) from range(3, 200)")
    exact = [stats.t.ppf(0.975, n) for n in degrees]
    assert [row[0] for row in rows] == pytest.approx(exact, rel=0.01)
