"""Who may not be scored is not learnt from either."""

from __future__ import annotations

from pathlib import Path

import pytest

from ser_batch.config import Settings
from ser_batch.errors import CorpusError
from ser_batch.ingest.scan import content_id
from ser_batch.lab.distill.consent import usable_channels
from ser_batch.lab.distill.material import read_material
from ser_batch.labels.callers import is_held_out
from ser_batch.store.lake import Lake
from ser_batch.testing.lakes import call_rows, put_rows


def test_of_a_call_that_may_be_scored_the_customer_is_used(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    put_rows(
        lake,
        call_rows(recording_id="spoken", objected=False),
        call_rows(recording_id="swapped", objected=False, roles=["customer", "agent"]),
        call_rows(recording_id="objected", objected=True),
        call_rows(recording_id="no notice", notice_given=False),
    )
    assert usable_channels(lake, Settings(labels={"held_out_share": 0})) == {
        "spoken": 1,
        "swapped": 0,
        "objected": None,
        "no notice": None,
    }


def test_callers_who_measure_teach_no_encoder(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    put_rows(lake, *(call_rows(recording_id=f"r{number}") for number in range(60)))
    channels = usable_channels(lake, Settings(labels={"held_out_share": 0.3}))
    measuring = {name for name in channels if is_held_out(f"customer:customer-{name}", 0.3)}
    assert 5 < len(measuring) < 30
    assert {name for name, channel in channels.items() if channel is None} == measuring


def test_a_call_whose_customer_objected_is_in_no_clip(demo_calls, tmp_path: Path) -> None:
    calls = sorted(demo_calls.audio_dir.rglob("*.wav"))[:2]
    for call in calls:
        (tmp_path / call.name).symlink_to(call)
    objected, other = (content_id(call) for call in calls)
    material = read_material([tmp_path], Settings(), seed=1, channels={objected: None})
    assert {recording.content for recording in material.recordings} == {other}
    with pytest.raises(CorpusError, match="no speech"):
        read_material([tmp_path], Settings(), seed=1, channels={objected: None, other: None})


def test_one_channel_that_is_the_agent_s_is_not_used(speech: Path) -> None:
    settings = Settings()
    roles = settings.roles.model_copy(update={"single_channel": "agent"})
    with pytest.raises(CorpusError, match="no speech"):
        read_material([speech], settings.model_copy(update={"roles": roles}), seed=1)
