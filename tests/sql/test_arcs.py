"""Which way calls went: the same in SQL and Python, and what is derived from it."""

from __future__ import annotations

import numpy as np
import pytest

from ser_batch.config import Settings
from ser_batch.emotions import first_and_last_third
from ser_batch.lab.bench.arcs import arc_class
from ser_batch.testing.lakes import call_rows, put_call, put_rows
from ser_batch.testing.rows import prediction, segment

SETTINGS = Settings(report={"min_calls": 1})


def put_levels(lake, *levels: float, recording_id: str = "r1") -> None:
    put_call(
        lake,
        *(prediction(segment_no=n, anger=p, neutral=1 - p) for n, p in enumerate(levels)),
        recording_id=recording_id,
    )


@pytest.mark.parametrize(
    ("levels", "arc"),
    [
        ((0.1, 0.1, 0.5, 0.8, 0.8), "worsening"),
        ((0.8, 0.8, 0.5, 0.1, 0.1), "improving"),
        ((0.1, 0.2, 0.9, 0.1, 0.2), "stayed negative"),
        ((0.7, 0.8, 0.3, 0.8, 0.7), "stayed negative"),
        ((0.01, 0.01, 0.05, 0.1, 0.1), "stayed positive"),
        ((0.9, 0.9, 0.95, 0.99, 0.99), "stayed negative"),
        ((0.99, 0.99, 0.9, 0.8, 0.8), "stayed negative"),
        ((0.1, 0.9), "uncertain"),
    ],
)
def test_arcs_are_named_by_the_first_and_last_third(lake, published, levels, arc):
    put_levels(lake, *levels)
    assert published("select arc from call_summary") == [(arc,)]
    assert arc_class(levels, np.full(len(levels), 10.0), SETTINGS.dissatisfaction) == arc


def test_sql_and_python_name_random_calls_alike(lake, published):
    rng = np.random.default_rng(1)
    calls, expected = [], []
    for number in range(60):
        n_segments = int(rng.integers(1, 9))
        levels, lengths = rng.uniform(0, 1, n_segments), rng.uniform(5, 9, n_segments)
        name = f"r{number:02}"
        segments = [
            segment(name, 1, n, start_s=n * 10.0, end_s=n * 10.0 + length)
            for n, length in enumerate(np.float32(lengths))
        ]
        predictions = [
            prediction(segment_no=n, anger=float(p), neutral=1 - float(p))
            for n, p in enumerate(levels)
        ]
        calls.append(call_rows(*predictions, recording_id=name, segments=segments))
        thirds = first_and_last_third(levels, lengths)
        expected.append((arc_class(levels, lengths, SETTINGS.dissatisfaction), *thirds))
    put_rows(lake, *calls)
    rows = published(
        "select arc, dissatisfaction_start, dissatisfaction_end from call_summary"
        " order by recording_id"
    )
    assert [row[0] for row in rows] == [row[0] for row in expected]
    for row, wanted in zip(rows, expected, strict=True):
        known = [value if value is not None else np.nan for value in row[1:]]
        assert known == pytest.approx(wanted[1:], abs=1e-4, nan_ok=True)


def test_recovery_runs_from_the_worst_moment_to_the_first_better_one(lake, published):
    put_levels(lake, 0.2, 0.9, 0.7, 0.3, 0.2)
    put_levels(lake, 0.2, 0.9, 0.7, 0.8, recording_id="never")
    put_levels(lake, 0.2, 0.3, 0.1, recording_id="calm")
    assert published("select recovery_s from call_summary order by recording_id") == [
        (None,),
        (None,),
        (20.0,),
    ]


def test_slope_is_the_change_a_minute(lake, published):
    put_levels(lake, 0.2, 0.3, 0.4)  # ten seconds each
    assert published("select slope_per_min from call_summary") == [(pytest.approx(0.6),)]


def test_emotions_are_shares_of_the_scored_speech_largest_first(lake, published):
    put_call(
        lake,
        prediction(segment_no=0, anger=1.0),
        prediction(segment_no=1),
        prediction(segment_no=2),
        prediction(segment_no=3, emotion="uncertain"),
    )
    [(emotions,)] = published("select emotions from call_summary")
    assert list(emotions.items()) == [
        ("neutral", pytest.approx(2 / 3)),
        ("anger", pytest.approx(1 / 3)),
    ]


def test_tenths_hold_the_speech_that_lies_in_them(lake, published):
    put_call(  # the recording lasts 300 s, a tenth 30 s
        lake,
        prediction(segment_no=0, anger=0.9, neutral=0.1),
        prediction(segment_no=1, anger=0.2, neutral=0.8),
        segments=[
            segment(segment_no=0, start_s=25, end_s=40),
            segment(segment_no=1, start_s=290, end_s=300),
        ],
    )
    rows = published("select tenth, scored_s, dissatisfaction from call_arc order by tenth")
    assert [row[0] for row in rows] == list(range(1, 11))
    assert [row[1] for row in rows] == [5, 10, 0, 0, 0, 0, 0, 0, 0, 10]
    assert [row[2] for row in rows] == [
        pytest.approx(0.9),
        pytest.approx(0.9),
        *[None] * 7,
        pytest.approx(0.2),
    ]
