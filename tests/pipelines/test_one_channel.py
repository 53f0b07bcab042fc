"""Both sides in one channel: nobody is scored until somebody says who speaks first."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.store.lake import Lake
from ser_batch.tables import CHANNELS, QUARANTINE, RECORDINGS, SEGMENTS, predictions_contract
from tests.pipelines.conftest import Run, rows
from tests.pipelines.test_cli import ser_batch


@pytest.fixture
def mixed(demo_calls: DemoCalls, tmp_path: Path) -> Path:
    """A folder with one demo call, both sides in one channel."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    call = sorted(demo_calls.audio_dir.rglob("*.wav"))[0]
    samples, rate = soundfile.read(call, dtype="float32")
    mono = np.clip(samples.sum(axis=1), -1, 1)
    soundfile.write(folder / "call.wav", mono, rate, subtype="ULAW")
    return folder


@pytest.mark.slow
def test_the_customers_share_is_scored_while_it_is_said_who_speaks_first(
    run: Run, mixed: Path, lake: Lake
) -> None:
    silent = run(mixed)
    assert silent["status"] == "partial"
    assert silent["completeness"]["reason"] == "unknown_role"
    assert 'roles.first_speaker = "agent"' in silent["completeness"]["remedy"]
    assert rows(lake, predictions_contract(silent["model_id"])) == []
    assert {row["channel"] for row in rows(lake, SEGMENTS)} == {0}

    summary = run(mixed, roles__first_speaker="agent")
    assert summary["status"] == "clean"
    (recording,) = rows(lake, RECORDINGS)
    assert recording["diarized"]
    assert recording["diarization_confidence"] >= 0.7
    assert [row["channel"] for row in rows(lake, CHANNELS)] == [0, 1]
    spoken = {row["segment_no"] for row in rows(lake, SEGMENTS) if row["channel"] == 1}
    scored = rows(lake, predictions_contract(summary["model_id"]))
    assert {(row["channel"], row["segment_no"]) for row in scored} == {(1, no) for no in spoken}
    assert summary["counts"]["calls_analysed"] == 1

    again = run(mixed, roles__first_speaker="agent")
    assert not again["counts"].get("calls_analysed"), "nothing is diarized twice"

    turned = run(mixed, roles__first_speaker="customer")
    scored = rows(lake, predictions_contract(turned["model_id"]))
    assert {row["channel"] for row in scored} == {0}

    run(mixed)
    assert rows(lake, predictions_contract(silent["model_id"])) == []
    assert {row["channel"] for row in rows(lake, SEGMENTS)} == {0}


def test_voices_without_a_clear_diarization_stay_one_channel_with_a_warning(
    run: Run, mixed: Path, lake: Lake
) -> None:
    summary = run(mixed, roles__first_speaker="agent", line__min_separation_confidence=1)

    assert rows(lake, predictions_contract(summary["model_id"])) == []
    assert [row["channel"] for row in rows(lake, CHANNELS)] == [0]
    (row,) = rows(lake, QUARANTINE)
    assert (row["severity"], row["code"]) == ("warning", "not_diarized")
    assert "min_separation_confidence" in row["remedy"]


@pytest.mark.slow
def test_a_first_try_can_say_who_speaks_first(mixed: Path, tmp_path: Path) -> None:
    call = mixed / "call.wav"
    (silent,) = json.loads(ser_batch("score", call, "--json", "--root", tmp_path).stdout)["files"]
    assert (silent["segments"], list(silent["not_scored"])) == ([], ["0"])
    assert [option.split("  ")[0] for option in silent["options"]] == [
        "--first-speaker agent",
        "--first-speaker customer",
        "--customer-channel 0",
    ]

    done = ser_batch("score", call, "--first-speaker", "agent", "--json", "--root", tmp_path)
    (scored,) = json.loads(done.stdout)["files"]
    assert {segment["channel"] for segment in scored["segments"]} == {1}
    assert (list(scored["not_scored"]), scored["options"]) == (["0"], [])

    alone = ser_batch("score", call, "--customer-channel", "0", "--json", "--root", tmp_path)
    (scored,) = json.loads(alone.stdout)["files"]
    assert {segment["channel"] for segment in scored["segments"]} == {0}
