"""What a night finds in its folders, or does not."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest
import soundfile

from ser_batch.config import Settings
from ser_batch.lake import Lake
from ser_batch.stages.ingest import EmptiedFolderError, IngestResult, NoFolderError, ingest
from ser_batch.tables import CALLS, METADATA, QUARANTINE

RATE = 8000
NIGHT = dt.datetime(2026, 11, 3, 2, 0)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    folder = tmp_path / "audio"
    folder.mkdir()
    return folder


def put_call(audio: Path, name: str = "a.wav", value: float = 0.1) -> Path:
    soundfile.write(audio / name, [[value, value]] * RATE, RATE)
    day_before = (NIGHT - dt.timedelta(days=1)).timestamp()
    os.utime(audio / name, (day_before, day_before))
    return audio / name


def night(
    lake: Lake, audio: Path, *metadata: Path, at: dt.datetime = NIGHT, **settings: object
) -> IngestResult:
    given = Settings(ingest={"min_age_s": 0, **settings})
    return ingest(lake, audio, metadata, given, now=at, on_progress=lambda _done, _total: None)


def codes(lake: Lake) -> list[str]:
    return [row["code"] for row in lake.read(QUARANTINE).to_pylist()]


def test_a_folder_that_is_not_there_stops_the_night(lake: Lake, audio: Path) -> None:
    with pytest.raises(NoFolderError, match="nowhere") as caught:
        night(lake, audio / "nowhere")
    assert "mounted" in caught.value.remedy


def test_a_folder_that_was_emptied_stops_the_night_unless_it_may_be_empty(
    lake: Lake, audio: Path
) -> None:
    put_call(audio).with_suffix(".txt").touch()
    night(lake, audio)
    (audio / "a.wav").unlink()
    with pytest.raises(EmptiedFolderError, match="earlier nights found 1"):
        night(lake, audio)
    assert night(lake, audio, may_be_empty=True).n_found == 0
    assert lake.read(CALLS).num_rows == 1
    assert codes(lake) == []


def test_an_empty_folder_on_the_first_night_is_warned_about_until_calls_come(
    lake: Lake, audio: Path
) -> None:
    (audio / "notes.txt").touch()
    night(lake, audio)
    (warning,) = lake.read(QUARANTINE).to_pylist()
    assert (warning["code"], warning["severity"]) == ("no_recordings", "warning")
    assert "1 files have other endings" in warning["message"]
    put_call(audio)
    night(lake, audio)
    assert codes(lake) == []


def test_an_empty_metadata_file_is_warned_about_every_night_and_its_calls_are_taken(
    lake: Lake, audio: Path, tmp_path: Path
) -> None:
    put_call(audio)
    export = tmp_path / "export.csv"
    export.write_bytes(b"\xef\xbb\xbf")
    for at in (NIGHT, NIGHT + dt.timedelta(days=1)):
        assert night(lake, audio, export, at=at).n_new == (at == NIGHT)
        (warning,) = lake.read(QUARANTINE).to_pylist()
        assert (warning["code"], warning["noticed_at"]) == ("empty_metadata", at)
    export.write_text("file,queue\na.wav,billing\n", encoding="utf-8")
    night(lake, audio, export)
    assert codes(lake) == []
    assert lake.read(METADATA).num_rows == 1
    assert lake.read(CALLS)["queue"].to_pylist() == ["billing"]
