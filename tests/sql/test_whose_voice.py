"""Who is scored, and what is said of the others."""

from __future__ import annotations

import datetime as dt

import pytest

from ser_batch.config import Settings
from ser_batch.errors import WarehouseTestError
from ser_batch.policy import NOT_SCORED
from ser_batch.store.closed_days import close_before
from ser_batch.tables import CALLS, RECORDINGS
from ser_batch.testing.lakes import TODAY, put, put_call
from ser_batch.testing.rows import call, prediction, recording, segment

REASONS = "select recording_id, not_scored_reason from call_summary order by recording_id"


def test_predictions_of_a_channel_that_may_no_longer_be_scored_are_not_shown(lake, published):
    put_call(lake, prediction(anger=1.0), prediction(channel=0, anger=1.0))
    assert published("select channel from segment_emotion") == [(1,)]
    put_call(lake, prediction(anger=1.0), recording_id="r2", objected=True)
    assert published("select recording_id, channel from segment_emotion") == [("r1", 1)]
    assert published(REASONS) == [("r1", None), ("r2", "objected")]


def test_each_call_without_emotion_says_why(lake, published):
    put_call(lake, recording_id="agents", roles=["agent", "agent"])
    put_call(lake, recording_id="denied", notice_given=False)
    put_call(lake, recording_id="later", segments=[segment("later")])
    put_call(lake, recording_id="mute")
    put_call(lake, prediction(emotion="uncertain"), recording_id="mumble")
    put_call(lake, recording_id="nobody", roles=["agent", "unknown"])
    put_call(lake, prediction(), recording_id="silent-notice", notice_given=None)
    required = Settings(policy={"notice_required": True})
    assert published(REASONS, required) == [
        ("agents", "agent"),
        ("denied", "no_notice"),
        ("later", "not_scored_yet"),
        ("mumble", "uncertain"),
        ("mute", "no_speech"),
        ("nobody", "unknown_role"),
        ("silent-notice", "notice_not_stated"),
    ]
    [(remedy,)] = published(
        "select remedy from not_scored where not_scored_reason = 'notice_not_stated'", required
    )
    assert remedy == NOT_SCORED["notice_not_stated"].remedy


def test_a_call_of_which_retention_left_nothing_to_score_says_so(lake, published):
    put_call(lake, recording_id="expired")
    put_call(lake, prediction(anger=1.0), recording_id="scored")
    close_before(lake, TODAY + dt.timedelta(1))
    assert published(REASONS) == [("expired", "past_retention"), ("scored", None)]


def test_counts_of_the_unscored_are_by_day_and_reason(lake, published):
    for name in ("a", "b"):
        put_call(lake, recording_id=name, objected=True)
    assert published("select not_scored_reason, count_calls, duration_s from not_scored") == [
        ("objected", 2, 600.0)
    ]


def test_one_channel_recordings_are_scored_only_where_their_role_is_known(lake, published):
    put(lake, CALLS, call("mono"), call("voicemail", single_role="customer"))
    put(lake, RECORDINGS, recording("mono", n_channels=1), recording("voicemail", n_channels=1))
    assert published(REASONS) == [("mono", "unknown_role"), ("voicemail", "no_speech")]


def test_a_recording_whose_call_is_gone_is_not_shown(lake, published):
    put(lake, RECORDINGS, recording("superseded"))
    put_call(lake, prediction())
    assert published("select recording_id from call_summary") == [("r1",)]


def test_probabilities_that_do_not_sum_to_one_stop_the_publication(lake, published):
    put_call(lake, prediction(anger=0.9, neutral=0.9))
    with pytest.raises(WarehouseTestError, match="probabilities of a segment sum to 1"):
        published("select 1")
