"""Two models on the same calls."""

from __future__ import annotations

import pytest

from ser_batch.tables import predictions_contract
from ser_batch.testing.lakes import put, put_call
from ser_batch.testing.rows import prediction


def test_another_models_scores_stand_beside_those_in_use_and_nowhere_else(lake, published):
    put_call(lake, prediction(segment_no=0), prediction(segment_no=1, anger=1.0))
    put(
        lake,
        predictions_contract("challenger"),
        prediction(segment_no=0, anger=1.0),
        prediction(segment_no=1, anger=1.0),
        name="shard-r1",
    )
    assert published(
        "select model_id, other_model_id, dissatisfaction, other_dissatisfaction, agreement"
        " from model_comparison"
    ) == [("test-model", "challenger", pytest.approx(0.5), 1.0, 0.5)]
    assert published("select distinct model_id from segment_emotion") == [("test-model",)]
    assert published("select count_scored_segments from call_summary") == [(2,)]


def test_segments_that_one_model_is_unsure_of_are_not_compared(lake, published):
    put_call(lake, prediction(segment_no=0), prediction(segment_no=1))
    put(
        lake,
        predictions_contract("challenger"),
        prediction(segment_no=0, emotion="uncertain"),
        prediction(segment_no=1, anger=1.0),
        name="shard-r1",
    )
    assert published("select scored_s, other_scored_s, agreement from model_comparison") == [
        (20, 10, 0)
    ]
