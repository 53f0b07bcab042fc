from __future__ import annotations

import itertools

from ser_batch.config import PolicySettings
from ser_batch.eligibility import channel_scoring
from ser_batch.policy import why_not_scored
from ser_batch.tables import CALLS, RECORDINGS
from ser_batch.testing.rows import call, recording


def scoring(calls, recordings, *, notice_required=False):
    table = channel_scoring(
        CALLS.from_rows(calls),
        RECORDINGS.from_rows(recordings),
        PolicySettings(notice_required=notice_required),
    )
    return [tuple(row.values()) for row in table.to_pylist()]


def test_each_channel_of_a_two_channel_call_takes_its_own_role():
    assert scoring([call("a")], [recording("a")]) == [
        ("a", 0, "agent", "agent"),
        ("a", 1, "customer", None),
    ]


def test_one_channel_and_dual_mono_recordings_have_one_row_in_the_single_role():
    calls = [call("mono"), call("twin", single_role="customer")]
    recordings = [recording("mono", n_channels=1), recording("twin", dual_mono=True)]
    assert scoring(calls, recordings) == [
        ("mono", 0, "unknown", "unknown_role"),
        ("twin", 0, "customer", None),
    ]


def test_two_diarized_voices_have_the_first_speakers_role_and_the_other():
    calls = [call("a", first_speaker="agent"), call("b", first_speaker="customer")]
    recordings = [
        recording("a", n_channels=1, diarized=True, diarization_confidence=0.8),
        recording("b", dual_mono=True, diarized=True, diarization_confidence=0.7),
    ]
    assert scoring(calls, recordings) == [
        ("a", 0, "agent", "agent"),
        ("a", 1, "customer", None),
        ("b", 0, "customer", None),
        ("b", 1, "agent", "agent"),
    ]


def test_two_who_share_a_channel_are_not_scored_until_they_are_diarized_and_named():
    calls = [
        call("mixed", first_speaker="customer", single_role="customer"),
        call("nameless", single_role="customer"),
    ]
    recordings = [
        recording("mixed", n_channels=1, diarization_confidence=0.2),
        recording("nameless", n_channels=1, diarized=True, diarization_confidence=0.8),
    ]
    assert scoring(calls, recordings) == [
        ("mixed", 0, "unknown", "unknown_role"),
        ("nameless", 0, "unknown", "unknown_role"),
        ("nameless", 1, "unknown", "unknown_role"),
    ]


def test_who_speaks_first_does_not_touch_a_channel_for_each_side():
    assert scoring([call("a", first_speaker="customer")], [recording("a")]) == [
        ("a", 0, "agent", "agent"),
        ("a", 1, "customer", None),
    ]


def test_every_combination_gets_the_answer_of_the_rule():
    combinations = list(
        itertools.product(
            ("agent", "customer", "unknown"), (True, False, None), (True, False, None)
        )
    )
    calls = [
        call(f"r{number:02}", roles=["agent", role], notice_given=notice, objected=objected)
        for number, (role, notice, objected) in enumerate(combinations)
    ]
    recordings = [recording(row["recording_id"]) for row in calls]
    for notice_required in (False, True):
        settings = PolicySettings(notice_required=notice_required)
        rows = scoring(calls, recordings, notice_required=notice_required)
        assert [row[2:] for row in rows if row[1] == 1] == [
            (role, why_not_scored(role, notice_given=notice, objected=objected, settings=settings))
            for role, notice, objected in combinations
        ]


def test_a_recording_without_a_call_and_a_call_without_a_recording_have_no_row():
    assert scoring([call("waiting")], [recording("superseded")]) == []


def test_no_calls_give_an_empty_table_with_the_same_columns():
    table = channel_scoring(CALLS.empty(), RECORDINGS.empty(), PolicySettings())
    assert table.num_rows == 0
    assert table.column_names == ["recording_id", "channel", "role", "not_scored_reason"]
