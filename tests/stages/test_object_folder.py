"""Recordings that lie in an object store are taken in as those of a folder are."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest
import soundfile

from ser_batch.config import Settings
from ser_batch.erasure.erase import erase
from ser_batch.erasure.plan import ErasureSubject, plan_erasure
from ser_batch.errors import EmptiedFolderError, NestedFoldersError
from ser_batch.ingest.folder_states import Found
from ser_batch.ingest.folders import audio_roots
from ser_batch.ingest.inventory import name_by_content
from ser_batch.ingest.scan import scan
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.stages.ingest import IngestResult, ingest
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS, QUARANTINE
from ser_batch.transcripts.sidecars import Sidecars
from tests.stages.centre import SETTINGS, everything, light_night

OF_THE_PLACE = ("audio_root", "modified_ns", "ingested_at", "arrived_at")
NIGHT = dt.datetime(2099, 11, 3, 2)


def as_objects(folder: Path) -> Path:
    return Path(f"file:{folder}")


def tone(path: Path, value: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, [[value, value]] * 8000, 8000)
    return path


def rows(root: Root) -> dict[str, list[dict[str, object]]]:
    """Rows of every table, without what says where and when a recording was found."""
    found = everything(root)
    return {
        name: [{key: each[key] for key in each if key not in OF_THE_PLACE} for each in some]
        for name, some in found.items()
    }


def test_a_night_makes_the_same_rows_of_objects_as_of_files(
    tmp_path: Path, demo_calls: DemoCalls
) -> None:
    audio = tmp_path / "audio"
    recording = min(demo_calls.audio_dir.rglob("*.wav"))
    place = audio / recording.relative_to(demo_calls.audio_dir)
    place.parent.mkdir(parents=True)
    shutil.copy2(recording, place)
    (audio / "broken.wav").write_bytes(b"no recording")
    for name, place in (("local", audio), ("remote", as_objects(audio))):
        metadata = as_objects(demo_calls.metadata_path)
        light_night(Root(tmp_path / name), place, [metadata])
    local, remote = Root(tmp_path / "local"), Root(tmp_path / "remote")
    assert rows(remote) == rows(local)
    calls, issues = (Lake(remote.lake).read(table).to_pylist() for table in (CALLS, QUARANTINE))
    assert [call["audio_root"] for call in calls] == [f"file://{audio}"] * 2
    assert "billing" in {call["queue"] for call in calls}
    left_out = [(row["path"], row["code"]) for row in issues if row["severity"] == "quarantine"]
    assert left_out == [("broken.wav", "not_audio")]
    again = light_night(remote, as_objects(audio), number=2)
    assert (again.n_analysed, again.n_bad) == (0, 0)


def found_in(lake: Lake, folder: Path, *more: Path, **settings: object) -> IngestResult:
    given = Settings(ingest={"min_age_s": 0, **settings})
    return ingest(lake, [folder, *more], [], given, now=NIGHT, on_progress=lambda _done, _all: None)


def test_objects_that_are_new_replaced_or_as_before_are_told_apart(tmp_path: Path) -> None:
    lake, audio = Lake(tmp_path / "lake"), tmp_path / "audio"
    tone(audio / "day" / "a.wav", 0.1)
    tone(audio / "day" / "b.wav", 0.2)
    tone(audio / ".hidden" / "c.wav", 0.3)
    assert found_in(lake, as_objects(audio)).n_new == 2
    again = found_in(lake, as_objects(audio))
    assert (again.n_found, again.n_new) == (2, 0)
    before = {row["path"]: row["recording_id"] for row in lake.read(CALLS).to_pylist()}

    (audio / "day" / "a.wav").unlink()
    tone(audio / "day" / "a.wav", 0.4)  # of the same size
    assert found_in(lake, as_objects(audio)).n_new == 1
    after = {row["path"]: row["recording_id"] for row in lake.read(CALLS).to_pylist()}
    assert after["day/b.wav"] == before["day/b.wav"]
    assert after["day/a.wav"] != before["day/a.wav"]


def test_the_same_audio_in_two_places_is_counted_once_and_found_where_it_still_lies(
    tmp_path: Path,
) -> None:
    lake, audio, other = Lake(tmp_path / "lake"), tmp_path / "audio", tmp_path / "other"
    tone(audio / "a.wav", 0.1)
    shutil.copy(audio / "a.wav", audio / "b.wav")
    other.mkdir()
    shutil.copy(audio / "a.wav", other / "c.wav")
    assert found_in(lake, as_objects(audio), other).n_duplicates == 2
    codes = [row["code"] for row in lake.read(QUARANTINE).to_pylist()]
    assert codes == ["duplicate_audio"] * 2
    (audio / "a.wav").unlink()
    found_in(lake, as_objects(audio), other)
    assert [row["path"] for row in lake.read(CALLS).to_pylist()] == ["b.wav"]


def test_an_object_that_is_gone_before_it_is_read_is_left_for_the_next_run(tmp_path: Path) -> None:
    tone(tmp_path / "a.wav", 0.1)
    folder = as_objects(tmp_path)
    [listed] = scan(folder, SETTINGS.ingest, now_s=4e9).found
    others = [Found("gone.wav", 5, 1), Found("a.wav", listed.size_bytes, 1)]
    named, bad, moving = name_by_content([listed, *others], folder, lambda: None)
    assert ([file for file, _ in named], bad, moving) == ([listed], [], ["gone.wav", "a.wav"])


def test_a_folder_of_objects_that_was_emptied_or_lies_in_another_stops_the_night(
    tmp_path: Path,
) -> None:
    lake, audio = Lake(tmp_path / "lake"), tmp_path / "audio"
    tone(audio / "a.wav", 0.1)
    found_in(lake, as_objects(audio))
    (audio / "a.wav").unlink()
    with pytest.raises(EmptiedFolderError, match=f"file://{audio} holds"):
        found_in(lake, as_objects(audio))
    with pytest.raises(NestedFoldersError, match=r"s3://calls/a lies in .* s3://calls$"):
        audio_roots([Path("s3://calls/a"), Path("s3://calls")])


def test_a_transcript_lies_beside_an_object_or_under_its_path_in_another_folder(
    tmp_path: Path,
) -> None:
    audio, words = tmp_path / "audio", tmp_path / "words"
    for folder in (audio / "day", words / "day"):
        folder.mkdir(parents=True)
    (audio / "day" / "a.vtt").write_text("WEBVTT")
    (words / "day" / "b.wav.json").write_text("{}")
    beside = Sidecars(None, 4e18).of(f"file://{audio}", "day/a.wav")
    apart = Sidecars(as_objects(words), 4e18).of("s3://calls", "day/b.wav")
    assert beside is not None
    assert beside.path == as_objects(audio / "day" / "a.vtt")
    assert apart is not None
    assert apart.path == as_objects(words / "day" / "b.wav.json")
    assert Sidecars(None, 4e18).of(f"file://{audio}", "nowhere/a.wav") is None


def test_an_erased_call_is_deleted_from_the_object_store(tmp_path: Path) -> None:
    root, audio = Root(tmp_path / "root"), tmp_path / "audio"
    tone(audio / "a.wav", 0.1)
    tone(audio / "b.wav", 0.2)
    lake = Lake(root.lake)
    found_in(lake, as_objects(audio))
    [call] = [row for row in lake.read(CALLS).to_pylist() if row["path"] == "a.wav"]
    meant = ErasureSubject("call", call["recording_id"])
    plan = plan_erasure(lake, SETTINGS, meant, with_audio=True)
    assert plan.audio_files == (f"file://{audio}/a.wav",)
    done = erase(root, plan, lambda: None)
    assert (done.n_audio, done.audio_left) == (1, ())
    assert [path.name for path in audio.iterdir()] == ["b.wav"]
