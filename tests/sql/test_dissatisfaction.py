"""The index in SQL: the same numbers as in Python, weighted by speech time."""

from __future__ import annotations

import numpy as np
import pytest

from ser_batch.config import Settings
from ser_batch.emotions import call_dissatisfaction
from ser_batch.testing.lakes import put_call
from ser_batch.testing.rows import prediction, segment


def test_sql_and_python_derive_the_same_numbers(lake, published):
    rng = np.random.default_rng(4)
    by_segment = rng.uniform(0, 1, size=40).astype(np.float32)
    by_segment[0] = 1.0
    duration_s = rng.uniform(0.8, 12, size=40)
    segments = [
        segment(segment_no=number, start_s=number * 20.0, end_s=number * 20.0 + length)
        for number, length in enumerate(duration_s)
    ]
    predictions = [
        prediction(segment_no=number, dissatisfaction=float(value))
        for number, value in enumerate(by_segment)
    ]
    put_call(lake, *predictions, segments=segments)
    rows = published("select dissatisfaction from segment_emotion order by segment_no")
    assert [row[0] for row in rows] == pytest.approx(by_segment, abs=1e-6)
    [(by_call,)] = published("select dissatisfaction from call_summary")
    assert by_call == pytest.approx(call_dissatisfaction(by_segment, duration_s), abs=1e-5)


def test_dissatisfaction_is_the_models_own_answer_whatever_the_emotion(lake, published):
    put_call(lake, prediction(sadness=1.0, dissatisfaction=0.9))
    settings = Settings(report={"min_calls": 1})
    assert published("select dissatisfaction, is_dissatisfied from segment_emotion", settings) == [
        (pytest.approx(0.9), True)
    ]


def test_arousal_and_valence_are_weighted_by_speech_and_null_where_the_model_gives_none(
    lake, published
):
    rated = [
        {**prediction(segment_no=number), "arousal": arousal, "valence": valence}
        for number, (arousal, valence) in enumerate([(2.0, 4.0), (5.0, 1.0), (3.0, None)])
    ]
    rated[2]["ood_score"] = 2.0
    segments = [
        segment(segment_no=number, start_s=start_s, end_s=start_s + length_s)
        for number, (start_s, length_s) in enumerate([(0, 9), (10, 3), (20, 6)])
    ]
    put_call(lake, *rated, segments=segments)
    by_segment = published("select arousal, valence from segment_emotion order by segment_no")
    assert by_segment == [(2, 4), (5, 1), (None, None)]
    [of_call] = published("select arousal, valence from call_summary")
    assert of_call == pytest.approx(((9 * 2 + 3 * 5) / 12, (9 * 4 + 3 * 1) / 12))


def test_uncertain_segments_count_for_coverage_and_not_for_dissatisfaction(lake, published):
    put_call(
        lake,
        prediction(segment_no=0, neutral=1.0),
        prediction(segment_no=1, emotion="uncertain", anger=0.3, neutral=0.7),
        prediction(segment_no=2, emotion="uncertain", anger=0.3, neutral=0.7),
        prediction(segment_no=3, neutral=1.0),
    )
    assert published(
        "select dissatisfaction, coverage, count_scored_segments, count_uncertain_segments"
        " from call_summary"
    ) == [(pytest.approx(0), 0.5, 2, 2)]
    assert published(
        "select count(*) from segment_emotion"
        " where emotion = 'uncertain' and dissatisfaction is null"
    ) == [(2,)]


def test_share_is_weighted_by_speech_time(lake, published):
    put_call(
        lake,
        prediction(segment_no=0),
        prediction(segment_no=1, anger=1.0),
        segments=[
            segment(segment_no=0, start_s=0, end_s=9),
            segment(segment_no=1, start_s=9, end_s=12),
        ],
    )
    assert published("select dissatisfied_share from daily_dissatisfaction") == [(0.25,)]


def test_peak_is_the_mean_of_the_worst_tenth_of_the_speech(lake, published):
    put_call(
        lake,
        prediction(segment_no=0, anger=1.0),
        prediction(segment_no=1, anger=0.5, neutral=0.5),
        prediction(segment_no=2),
        segments=[
            segment(segment_no=0, start_s=0, end_s=1),
            segment(segment_no=1, start_s=1, end_s=5),
            segment(segment_no=2, start_s=5, end_s=20),
        ],
    )
    # a tenth of 20 s: the second of anger, and one second at a half
    assert published("select dissatisfaction_peak, worst_start_s from call_summary") == [(0.75, 0)]


def test_start_and_end_are_thirds_of_the_scored_speech(lake, published):
    levels = (0.2, 0.2, 0.5, 0.5, 0.9, 0.9)
    put_call(
        lake,
        *(prediction(segment_no=n, anger=p, neutral=1 - p) for n, p in enumerate(levels)),
    )
    assert published("select dissatisfaction_start, dissatisfaction_end from call_summary") == [
        (pytest.approx(0.2), pytest.approx(0.9))
    ]
