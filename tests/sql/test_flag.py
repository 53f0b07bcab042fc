"""The flag of a call: the same in SQL and Python, and what it finds."""

from __future__ import annotations

import numpy as np
import pytest

from ser_batch.config import Settings
from ser_batch.emotions import call_dissatisfaction, first_and_last_third, is_call_dissatisfied
from ser_batch.testing.lakes import call_rows, put_call, put_rows
from ser_batch.testing.rows import prediction, segment

SETTINGS = Settings(report={"min_calls": 1})
RULES = SETTINGS.dissatisfaction


def put_levels(lake, *levels: float, recording_id: str = "r1", length_s: float = 10) -> None:
    put_call(
        lake,
        *(prediction(segment_no=n, anger=p, neutral=1 - p) for n, p in enumerate(levels)),
        recording_id=recording_id,
        segments=[
            segment(recording_id, 1, n, start_s=n * 10.0, end_s=n * 10.0 + length_s)
            for n in range(len(levels))
        ],
    )


def test_sql_and_python_flag_random_calls_alike(lake, published):
    rng = np.random.default_rng(2)
    calls, expected = [], []
    for number in range(60):
        n_segments = int(rng.integers(1, 9))
        levels = rng.uniform(0, 1, n_segments) ** 2
        lengths = np.float32(rng.uniform(5, 9, n_segments)).astype(float)
        name = f"r{number:02}"
        segments = [
            segment(name, 1, n, start_s=n * 10.0, end_s=n * 10.0 + length)
            for n, length in enumerate(lengths)
        ]
        predictions = [
            prediction(segment_no=n, anger=float(p), neutral=1 - float(p))
            for n, p in enumerate(levels)
        ]
        calls.append(call_rows(*predictions, recording_id=name, segments=segments))
        end = first_and_last_third(levels, lengths)[1]
        expected.append((is_call_dissatisfied(levels, lengths, **RULES.flag), end))
    put_rows(lake, *calls)
    rows = published(
        "select is_dissatisfied, dissatisfaction_end from call_summary order by recording_id"
    )
    assert [row[0] for row in rows] == [row[0] for row in expected]
    assert {row[0] for row in rows} == {True, False}
    ends = [np.nan if row[1] is None else row[1] for row in rows]
    assert ends == pytest.approx([row[1] for row in expected], abs=1e-4, nan_ok=True)


def test_a_call_that_is_calm_and_ends_furious_is_flagged_and_worsening(lake, published):
    levels = (0.02,) * 10 + (0.95,) * 3
    put_levels(lake, *levels)
    assert call_dissatisfaction(levels, np.full(13, 10.0)) < RULES.call_threshold
    assert published("select is_dissatisfied, arc from call_summary") == [(True, "worsening")]


def test_one_angry_segment_of_many_does_not_flag_a_call(lake, published):
    put_levels(lake, *(0.05,) * 11, 0.95)
    assert published("select is_dissatisfied from call_summary") == [(False,)]


def test_a_call_that_begins_furious_and_ends_calm_is_flagged_by_the_whole_call_alone(
    lake, published
):
    put_levels(lake, *(0.95,) * 2, *(0.05,) * 10)
    put_levels(lake, *(0.95,) * 7, *(0.05,) * 5, recording_id="r2")
    assert published("select is_dissatisfied from call_summary order by recording_id") == [
        (False,),
        (True,),
    ]


def test_too_little_scored_speech_gives_no_flag_and_says_why(lake, published):
    put_levels(lake, 0.9, 0.9, length_s=2)
    assert published(
        "select dissatisfaction, is_dissatisfied, arc, not_scored_reason, scored_s"
        " from call_summary"
    ) == [(None, None, None, "too_little_scored", 4.0)]
    assert not is_call_dissatisfied((0.9, 0.9), (2, 2), **RULES.flag)
    assert not is_call_dissatisfied((), (), **{**RULES.flag, "min_scored_s": 0})


def test_the_flag_follows_its_settings(lake, published):
    put_levels(lake, 0.05, 0.05, 0.4)
    for rules, flagged in (
        ({"call_threshold": 0.05}, True),
        ({"end_threshold": 0.3}, True),
        ({"end_threshold": 0.5}, False),
    ):
        settings = Settings(dissatisfaction=rules)
        assert published("select is_dissatisfied from call_summary", settings) == [(flagged,)]
