"""Every kind of bad input: one reason each, and the night goes on."""

from __future__ import annotations

import os
import shutil
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ser_batch.store.lake import Lake
from ser_batch.tables import CALLS, QUARANTINE, RECORDINGS
from tests.pipelines.conftest import Run, rows

RATE = 8000


def noise(seconds: float, n_channels: int = 2) -> np.ndarray[Any, Any]:
    samples = np.random.default_rng(5).normal(0, 0.05, (round(seconds * RATE), n_channels))
    return samples.astype(np.float32)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("Dear customer,\n")


def truncated(path: Path) -> None:
    soundfile.write(path, noise(4), RATE, subtype="ULAW")
    path.write_bytes(path.read_bytes()[:20_000])


def lying_header(path: Path) -> None:
    soundfile.write(path, noise(4), RATE, subtype="PCM_16")
    data = bytearray(path.read_bytes())
    place = data.index(b"data") + 4
    data[place : place + 4] = struct.pack("<I", 50_000_000)
    path.write_bytes(bytes(data))


def blink(path: Path) -> None:
    soundfile.write(path, noise(0.05), RATE)


def three_hours(path: Path) -> None:
    with soundfile.SoundFile(path, "w", RATE, 1, subtype="ULAW") as file:
        for _ in range(180):
            file.write(np.zeros(60 * RATE, np.float32))


def not_a_number(path: Path) -> None:
    samples = noise(3)
    samples[100:110] = np.nan
    samples[200] = np.inf
    soundfile.write(path, samples, RATE, subtype="FLOAT")


def six_channels(path: Path) -> None:
    soundfile.write(path, noise(3, 6), RATE)


def low_rate(path: Path) -> None:
    soundfile.write(path, noise(3), 4000)


def way_out(path: Path) -> None:
    outside = path.parent.parent / "outside.wav"
    soundfile.write(outside, noise(3), RATE)
    path.symlink_to(outside)


BAD: dict[str, tuple[str, Callable[[Path], None]]] = {
    "empty.wav": ("empty", empty),
    "letter.wav": ("not_audio", text),
    "cut off.wav": ("truncated", truncated),
    "lying.wav": ("truncated", lying_header),
    "blink.wav": ("too_short", blink),
    "endless.wav": ("too_long", three_hours),
    "nan.wav": ("non_finite", not_a_number),
    "conference.wav": ("channel_count", six_channels),
    "slow.wav": ("sample_rate", low_rate),
    "link.wav": ("outside_root", way_out),
}


@pytest.fixture
def bad_night(
    run: Run, audio: Path, lake: Lake
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """A night on good calls and every bad file; its summary and its quarantine by path."""
    for name, (_, make) in BAD.items():
        make(audio / name)
    summary = run(audio, ingest__max_bad_share=1)
    return summary, {row["path"]: row for row in rows(lake, QUARANTINE)}


def test_each_bad_file_has_its_reason_and_the_good_ones_are_scored(
    bad_night: tuple[dict[str, Any], dict[str, dict[str, Any]]], lake: Lake, audio: Path
) -> None:
    summary, found = bad_night
    assert {name: found[name]["code"] for name in BAD} == {n: code for n, (code, _) in BAD.items()}
    assert {found[name]["severity"] for name in BAD} == {"quarantine"}
    assert all(found[name]["remedy"] for name in BAD), "each says what to do"
    assert summary["status"] == "partial"
    good = [path for path in audio.rglob("*.wav") if path.name not in BAD]
    assert len(rows(lake, RECORDINGS)) == len(good)
    assert summary["rows"]["call_summary"] >= len(good)


def test_a_released_file_is_tried_again_once_it_is_repaired(
    bad_night: tuple[dict[str, Any], dict[str, dict[str, Any]]],
    run: Run,
    audio: Path,
    lake: Lake,
    tmp_path: Path,
) -> None:
    from ser_batch.ingest.quarantine import release
    from ser_batch.store.paths import Root

    good = next(path for path in sorted(audio.rglob("*.wav")) if path.name not in BAD)
    assert release(Root(tmp_path / "root"), code="too_long") == ["endless.wav"]
    n_before = len(rows(lake, RECORDINGS))

    summary = run(audio, ingest__max_bad_share=1, audio__max_duration_s=4 * 3600)

    assert good.exists()
    assert len(rows(lake, RECORDINGS)) == n_before + 1
    found = {row["path"]: row["code"] for row in rows(lake, QUARANTINE)}
    assert found["endless.wav"] == "no_speech"
    assert summary["status"] == "clean"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(run: Run, audio: Path, lake: Lake) -> None:
    locked = next(audio.rglob("*.wav"))
    locked.chmod(0)

    run(audio)

    (row,) = rows(lake, QUARANTINE)
    assert (row["path"], row["code"]) == (locked.relative_to(audio).as_posix(), "unreadable")


def test_a_file_still_growing_is_left_for_the_next_night(run: Run, audio: Path, lake: Lake) -> None:
    for path in audio.rglob("*.wav"):
        os.utime(path, (time.time() - 3600, time.time() - 3600))
    young = sorted(audio.rglob("*.wav"))[0]
    os.utime(young)

    first = run(audio, ingest__min_age_s=600)
    assert first["counts"]["files_growing"] == 1
    assert [row["code"] for row in rows(lake, QUARANTINE)] == ["still_growing"]

    os.utime(young, (time.time() - 3600, time.time() - 3600))
    second = run(audio, ingest__min_age_s=600)
    assert second["counts"]["calls_analysed"] == 1
    assert rows(lake, QUARANTINE) == []


def test_a_dead_line_is_a_call_with_a_warning(run: Run, audio: Path, lake: Lake) -> None:
    shutil.rmtree(audio)
    audio.mkdir()
    soundfile.write(audio / "dead line.wav", np.zeros((5 * RATE, 2), np.float32), RATE)

    summary = run(audio)

    assert (summary["status"], summary["completeness"]["reason"]) == ("partial", "no_speech")
    assert {row["code"] for row in rows(lake, QUARANTINE)} == {"no_speech", "dead_channel"}
    assert len(rows(lake, RECORDINGS)) == 1


def test_doubtful_metadata_is_warned_about_line_by_line(
    run: Run, audio: Path, lake: Lake, tmp_path: Path
) -> None:
    one, two, *_ = sorted(path.relative_to(audio).as_posix() for path in audio.rglob("*.wav"))
    export = tmp_path / "export.csv"
    export.write_text(
        "file,call_id,started_at,queue,objected\n"
        f'{one},same,2026-13-45,"a, ""b""",\n'
        f"{two},same,2026-03-02T10:00:00,c,perhaps\n"
        f"{two},same,2026-03-02T11:00:00,d,perhaps\n"
        "missing.wav,x,2026-03-02T10:00:00,c,\n"
        ",,,e,\n"
        "ragged.wav,y,z,c,no,one cell too many\n",
        encoding="utf-8",
    )

    summary = run(audio, export)

    found = {row["code"] for row in rows(lake, QUARANTINE)}
    assert found == {
        "bad_time",
        "duplicate_call_id",
        "duplicate_metadata",
        "unclear_consent",
        "missing_file",
        "names_nothing",
        "bad_line",
    }
    calls = {row["path"]: row for row in rows(lake, CALLS)}
    assert calls[one]["queue"] == 'a, "b"'
    assert calls[one]["started_at_source"] == "file"
    assert summary["undated"] == sum(row["started_at_source"] == "file" for row in calls.values())
    assert (calls[two]["queue"], calls[two]["objected"]) == ("d", True)
    assert summary["status"] == "clean"


def test_unicode_names_and_the_same_audio_twice(run: Run, audio: Path, lake: Lake) -> None:
    first = sorted(audio.rglob("*.wav"))[0]
    copy = audio / "Ärger - 怒り.wav"
    shutil.copyfile(first, copy)

    run(audio)

    (row,) = rows(lake, QUARANTINE)
    assert row["code"] == "duplicate_audio"
    assert {row["path"], *row["message"].split("as ")[1].split(";")[:1]} == {
        copy.name,
        first.relative_to(audio).as_posix(),
    }
