"""Whether a night scored what it could, and which setting would change that."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest

from ser_batch.config import IngestSettings, Settings
from ser_batch.stages.completeness import Completeness, night_completeness
from ser_batch.stages.publish import publish
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import FILES
from ser_batch.testing.lakes import MODEL_ID, put, put_call
from ser_batch.testing.rows import MIDDAY, prediction

SCORED = {f"scored-{number}": {} for number in range(3)}
UNKNOWN = {f"unknown-{number}": {"roles": ["agent", "unknown"]} for number in range(3)}
OBJECTED = {f"objected-{number}": {"objected": True} for number in range(3)}


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path / "root")


def judged(
    root: Root, counts: dict[str, int] | None = None, *, may_be_empty: bool = False
) -> Completeness:
    """The verdict on a night whose recordings were taken in at MIDDAY or later."""
    return night_completeness(
        Lake(root.lake),
        publish(root, Settings(), MODEL_ID),
        Counter(counts if counts is not None else {"files_found": 1}),
        audio=["/calls"],
        since=MIDDAY - dt.timedelta(hours=1),
        settings=IngestSettings(may_be_empty=may_be_empty),
    )


def put_calls(root: Root, *groups: dict[str, dict[str, object]]) -> None:
    for group in groups:
        for name, given in group.items():
            rows = [prediction()] if name.startswith("scored") else []
            put_call(Lake(root.lake), *rows, recording_id=name, **given)


def take_in(root: Root, *names: str, at: dt.datetime = MIDDAY) -> None:
    for name in names:
        row = {"path": f"{name}.wav", "recording_id": name, "audio_root": "/calls"}
        row |= {"size_bytes": 1, "modified_ns": 1, "duplicate_of": None, "ingested_at": at}
        put(Lake(root.lake), FILES, row, name=f"files-{name}")


def test_a_night_that_scored_nothing_names_the_commonest_reason_and_its_setting(root):
    put_calls(root, UNKNOWN, {"mute": {}})
    verdict = judged(root)
    assert (verdict.count_scorable_calls, verdict.count_scored_calls) == (4, 0)
    assert verdict.reason == "unknown_role"
    assert verdict.message.startswith("none of 4 calls was scored: nothing says who speaks")
    assert 'roles.first_speaker = "agent"' in verdict.remedy


def test_half_is_enough_and_less_is_not(root):
    put_calls(root, SCORED, UNKNOWN)
    assert judged(root).is_complete
    put_calls(root, {"mute": {}})
    verdict = judged(root)
    assert not verdict.is_complete
    assert "only 3 of 7 calls" in verdict.message


def test_calls_whose_customer_objected_do_not_count_among_those_that_could_be_scored(root):
    put_calls(root, OBJECTED)
    assert judged(root) == Completeness(3, 0, 0)
    put_calls(root, {"scored-0": {}})
    assert judged(root) == Completeness(4, 1, 1)


def test_a_night_is_judged_by_its_new_recordings_not_by_those_before(root):
    put_calls(root, SCORED, {"unknown-0": {"roles": ["agent", "unknown"]}})
    take_in(root, *SCORED, at=MIDDAY - dt.timedelta(days=1))
    take_in(root, "unknown-0")
    assert judged(root).message.startswith("none of 1 call was scored")
    take_in(root, "scored-0")
    assert judged(root).is_complete


def test_new_files_that_were_all_rejected_are_no_clean_night(root):
    put_calls(root, SCORED)
    take_in(root, "broken")
    verdict = judged(root, {"files_found": 4, "quarantined": 1})
    assert verdict.reason == "rejected"
    assert "ser-batch quarantine list" in verdict.remedy


def test_a_folder_without_recordings_is_named(root):
    empty = judged(root, {})
    assert "no recording was found in /calls" in empty.message
    assert "ingest.may_be_empty" in empty.remedy
    assert judged(root, {}, may_be_empty=True).is_complete


def test_a_folder_whose_files_are_all_still_being_written_names_the_age(root):
    growing = judged(root, {"files_growing": 5})
    assert "5 files" in growing.message
    assert "ingest.min_age_s" in growing.remedy


def test_a_side_that_comes_late_counts_for_its_call(root):
    sides = [
        {"recording_id": name, "audio_root": "/calls", "path": f"{name}.wav", "start_s": 0.0}
        for name in ("scored-0", "late-agent")
    ]
    put_calls(root, {"scored-0": {"sides": sides}})
    take_in(root, "scored-0", at=MIDDAY - dt.timedelta(days=1))
    take_in(root, "late-agent")
    assert judged(root, {"files_found": 2, "quarantined": 1}) == Completeness(1, 1, 1)
