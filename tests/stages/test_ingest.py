"""What a night finds in its folders, or does not."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path

import pytest
import soundfile

from ser_batch.config import Settings
from ser_batch.errors import (
    EmptiedFolderError,
    NestedFoldersError,
    NoFolderError,
    NoFolderNamedError,
)
from ser_batch.ingest.folders import named_folders
from ser_batch.ingest.metadata_import import known_attributes
from ser_batch.stages.ingest import IngestResult, ingest
from ser_batch.store.checked import FOLDER, keep_known, read_known
from ser_batch.store.lake import Lake
from ser_batch.store.remembered import key_of
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
    lake: Lake,
    audio: Path | list[Path],
    *metadata: Path,
    at: dt.datetime = NIGHT,
    **settings: object,
) -> IngestResult:
    given = Settings(ingest={"min_age_s": 0, **settings})
    folders = audio if isinstance(audio, list) else [audio]
    return ingest(lake, folders, metadata, given, now=at, on_progress=lambda _done, _total: None)


def codes(lake: Lake) -> list[str]:
    return [row["code"] for row in lake.read(QUARANTINE).to_pylist()]


def test_a_recording_that_replaces_another_is_taken_though_the_clock_went_back(
    lake: Lake, audio: Path
) -> None:
    put_call(audio)
    night(lake, audio)
    before = lake.read(CALLS)["recording_id"].to_pylist()
    os.utime(put_call(audio, value=0.2), (1.7e9, 1.7e9))
    back = NIGHT - dt.timedelta(hours=5)
    assert night(lake, audio, at=back).n_new == 1
    assert lake.read(CALLS)["recording_id"].to_pylist() != before
    assert night(lake, audio, at=back).n_new == 0


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
    assert "files hidden or with other endings: 1" in warning["message"]
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


def test_columns_that_nothing_gives_a_meaning_are_named_once(
    lake: Lake, audio: Path, tmp_path: Path
) -> None:
    put_call(audio)
    export = tmp_path / "export.csv"
    export.write_text("Recording;Start;Agentin;Status;widerspruch\na.wav;3.11.;;x;ja\n")
    mapped = {"columns": {"objected": "Widerspruch"}, "drop_attributes": ["status"]}
    assert night(lake, audio, export, **mapped).attributes == ("Start",)
    assert night(lake, audio, export, **mapped).attributes == ()
    settings = Settings(ingest=mapped)
    assert known_attributes(lake, settings.ingest) == ["start"]
    assert known_attributes(lake, Settings().ingest) == ["start", "status", "widerspruch"]


def test_damaged_metadata_is_named_every_night_and_stops_none(
    lake: Lake, audio: Path, tmp_path: Path
) -> None:
    put_call(audio)
    damaged, headerless = tmp_path / "export.parquet", tmp_path / "export.csv"
    damaged.write_bytes(b"PAR1 cut off on the way")
    headerless.write_text("a.wav,billing\n", encoding="utf-8")
    for at in (NIGHT, NIGHT + dt.timedelta(days=1)):
        assert night(lake, audio, damaged, headerless, at=at).n_metadata_lines == 0
        assert sorted(codes(lake)) == ["bad_metadata", "no_key_column"]


def test_a_stored_date_at_the_edge_of_the_calendar_poisons_no_night(
    lake: Lake, audio: Path, tmp_path: Path
) -> None:
    put_call(audio)
    export = tmp_path / "export.csv"
    export.write_text("file,started_at\na.wav,9999-12-31T23:59:59-12:00\n", encoding="utf-8")
    for at in (NIGHT, NIGHT + dt.timedelta(days=1)):
        night(lake, audio, export, at=at)
        assert codes(lake) == ["bad_time"]
        assert lake.read(CALLS)["started_at_source"].to_pylist() == ["file"]


def places(lake: Lake) -> list[tuple[str, str]]:
    rows = lake.read(CALLS).to_pylist()
    return sorted((Path(row["audio_root"]).name, row["path"]) for row in rows)


def test_a_folder_that_was_moved_holds_the_same_calls(
    lake: Lake, audio: Path, tmp_path: Path
) -> None:
    for name, value in (("a.wav", 0.1), ("b.wav", 0.2)):
        put_call(audio, name, value)
    night(lake, audio)
    shards = lake.parts(CALLS)
    moved = audio.rename(tmp_path / "moved")
    second = night(lake, moved, at=NIGHT + dt.timedelta(days=1))
    assert (second.n_new, second.n_duplicates) == (2, 2)
    assert lake.parts(CALLS) == shards
    assert places(lake) == [("moved", "a.wav"), ("moved", "b.wav")]
    assert codes(lake) == []
    assert night(lake, moved, at=NIGHT + dt.timedelta(days=2)).n_new == 0


def test_copies_below_a_second_folder_are_counted_once(
    lake: Lake, audio: Path, tmp_path: Path
) -> None:
    put_call(audio)
    night(lake, audio)
    copies = shutil.copytree(audio, tmp_path / "copies")
    put_call(copies, "own.wav", 0.3)
    assert night(lake, copies, at=NIGHT + dt.timedelta(days=1)).n_new == 2
    assert places(lake) == [("audio", "a.wav"), ("copies", "own.wav")]
    [warning] = lake.read(QUARANTINE).to_pylist()
    assert (warning["path"], warning["code"]) == ("a.wav", "duplicate_audio")
    assert str(audio / "a.wav") in warning["message"]


def test_equal_paths_below_two_folders_are_two_calls_and_two_bad_files(
    lake: Lake, audio: Path, tmp_path: Path
) -> None:
    second = tmp_path / "second"
    second.mkdir()
    for folder, value in ((audio, 0.1), (second, 0.2)):
        put_call(folder, value=value)
        put_call(folder, "empty.wav").write_bytes(b"")
        os.utime(folder / "empty.wav", (1, 1))
    export = tmp_path / "export.csv"
    export.write_text(f"file,queue\n{second}/a.wav,billing\n", encoding="utf-8")

    found = night(lake, [audio, second, audio], export)

    assert (found.n_found, found.n_new, found.n_rejected) == (2, 2, 2)
    assert places(lake) == [("audio", "a.wav"), ("second", "a.wav")]
    queues = {row["audio_root"]: row["queue"] for row in lake.read(CALLS).to_pylist()}
    assert queues == {str(audio): None, str(second): "billing"}
    rows = lake.read(QUARANTINE).to_pylist()
    rejected = sorted((row["audio_root"], row["path"]) for row in rows if row["code"] == "empty")
    assert rejected == [(str(audio), "empty.wav"), (str(second), "empty.wav")]
    shards = lake.parts(CALLS)
    again = night(lake, [second, audio], export, at=NIGHT + dt.timedelta(days=1))
    assert (again.n_new, lake.parts(CALLS)) == (0, shards)


def test_a_copy_below_another_folder_does_not_lend_its_name(
    lake: Lake, audio: Path, tmp_path: Path
) -> None:
    put_call(audio, "a.wav", 0.1)
    put_call(audio, "b.wav", 0.2)
    second = tmp_path / "second"
    second.mkdir()
    put_call(second, "b.wav", 0.1)
    export = tmp_path / "export.csv"
    export.write_text(f"file,queue\n{audio}/b.wav,billing\n", encoding="utf-8")
    night(lake, [audio, second], export)
    queues = {row["path"]: row["queue"] for row in lake.read(CALLS).to_pylist()}
    assert queues == {"a.wav": None, "b.wav": "billing"}


def test_one_of_several_folders_that_was_emptied_stops_the_night(
    lake: Lake, audio: Path, tmp_path: Path
) -> None:
    second = tmp_path / "second"
    second.mkdir()
    put_call(audio)
    put_call(second, value=0.2).touch()
    night(lake, [audio, second], at=NIGHT + dt.timedelta(days=400))
    (second / "a.wav").unlink()
    with pytest.raises(EmptiedFolderError, match="second"):
        night(lake, [audio, second])


def test_folders_are_those_named_else_those_of_the_settings(audio: Path) -> None:
    assert named_folders([str(audio)], ["/other"]) == [audio]
    assert named_folders([], ["/other"]) == [Path("/other")]
    with pytest.raises(NoFolderNamedError) as caught:
        named_folders([], [])
    assert "ingest.audio" in caught.value.remedy


def test_a_folder_in_another_is_refused(lake: Lake, audio: Path) -> None:
    inner = audio / "inner"
    inner.mkdir()
    with pytest.raises(NestedFoldersError, match=r"inner lies in"):
        night(lake, [inner, audio])


def test_a_file_that_was_renamed_is_found_where_it_lies(lake: Lake, audio: Path) -> None:
    put_call(audio).rename(audio / "b.wav")
    put_call(audio)
    night(lake, audio)
    assert codes(lake) == ["duplicate_audio"]
    (audio / "a.wav").unlink()
    night(lake, audio, at=NIGHT + dt.timedelta(days=1))
    assert places(lake) == [("audio", "b.wav")]
    assert codes(lake) == []


def test_a_missing_file_that_the_next_export_names_again_is_not_noticed_again(
    lake: Lake, audio: Path, tmp_path: Path
) -> None:
    put_call(audio)
    first, second = tmp_path / "export-1.csv", tmp_path / "export-2.csv"
    first.write_text("file,queue\na.wav,billing\nlost.wav,billing\n")
    second.write_text("file,queue\nb.wav,billing\nlost.wav,billing\na.wav,billing\n")
    later = NIGHT + dt.timedelta(days=1)
    night(lake, audio, first)
    night(lake, audio, first, second, at=later)
    noticed = {row["path"]: row["noticed_at"] for row in lake.read(QUARANTINE).to_pylist()}
    assert noticed == {"export-1.csv, row 2": NIGHT, "export-2.csv, row 1": later}


def written(lake: Lake) -> dict[str, int]:
    """When the part of each call was written, by the call's path; one call a part."""
    return {
        lake.read(CALLS, [part]).to_pylist()[0]["path"]: state[1]
        for part, state in lake.files(CALLS).items()
    }


def lines(folder: Path, name: str, *rows: str) -> Path:
    path = folder / name
    path.write_text("\n".join(rows) + "\n")
    return path


NAMINGS = {
    "its path": "file,queue\na.wav,sales",
    "another folder of that name": "file,queue\n/share/x/a.wav,billing\na.wav,sales",
    "its name in another case of slashes": "file,queue\n.\\a.wav,sales",
    "its id": "call_id,queue\na,sales",
}


@pytest.mark.parametrize("naming", NAMINGS.values(), ids=NAMINGS)
def test_a_late_line_rewrites_the_part_of_its_call_and_no_other(
    lake: Lake, audio: Path, tmp_path: Path, naming: str
) -> None:
    put_call(audio), put_call(audio, "b.wav", 0.2)
    first = lines(tmp_path, "first.csv", "file,queue", "b.wav,billing", "a.wav,billing")
    night(lake, audio, first, shard_calls=1)
    before = written(lake)
    night(lake, audio, lines(tmp_path, "late.csv", naming), shard_calls=1)
    after = written(lake)
    assert after["b.wav"] == before["b.wav"]
    assert after["a.wav"] > before["a.wav"]
    rows = {row["path"]: row["queue"] for row in lake.read(CALLS).to_pylist()}
    assert rows == {"a.wav": "sales", "b.wav": "billing"}


def test_a_line_that_says_nothing_new_rewrites_nothing(
    lake: Lake, audio: Path, tmp_path: Path
) -> None:
    put_call(audio), put_call(audio, "b.wav", 0.2)
    night(lake, audio, lines(tmp_path, "first.csv", "file,queue", "a.wav,billing"))
    before = written(lake)
    night(lake, audio, lines(tmp_path, "next.csv", "file,queue", "x.wav,x", "a.wav,billing"))
    assert written(lake) == before
    shutil.rmtree(lake.folder / FOLDER)  # as if nothing was known: all is compared
    night(lake, audio)
    assert written(lake) == before
    assert codes(lake) == ["missing_file"]


def test_a_line_that_comes_before_its_recording_joins_with_it(
    lake: Lake, audio: Path, tmp_path: Path
) -> None:
    put_call(audio)
    night(lake, audio, lines(tmp_path, "first.csv", "file,queue", "b.wav,billing"))
    assert codes(lake) == ["missing_file"]
    put_call(audio, "b.wav", 0.2)
    night(lake, audio)
    rows = {row["path"]: row["queue"] for row in lake.read(CALLS).to_pylist()}
    assert rows == {"a.wav": None, "b.wav": "billing"}
    assert codes(lake) == []


def test_lines_that_name_no_recording_are_the_same_as_if_all_were_counted_again(
    lake: Lake, audio: Path, tmp_path: Path
) -> None:
    def named(number: int, *lines: str) -> list[tuple[str, str]]:
        """Codes and places of a night with a metadata file, and of one that remembers nothing."""
        export = tmp_path / f"{number}.csv"
        export.write_text("\n".join(["file,queue", *(f"{line},billing" for line in lines)]))
        fresh = Lake(shutil.copytree(lake.folder, tmp_path / f"lake-{number}", dirs_exist_ok=True))
        shutil.rmtree(fresh.folder / FOLDER, ignore_errors=True)
        found = []
        for each in (lake, fresh):
            night(each, audio, export, at=NIGHT + dt.timedelta(days=number))
            rows = each.read(QUARANTINE).to_pylist()
            lines = [row for row in rows if ".csv" in row["path"]]
            found.append(sorted((row["code"], row["path"]) for row in lines))
        assert found[0] == found[1]
        return found[0]

    lake.folder.mkdir()
    put_call(audio, "a.wav", 0.1)
    assert named(1, "a.wav", "b.wav", "never.wav") == [
        ("missing_file", "1.csv, row 2"),
        ("missing_file", "1.csv, row 3"),
    ]
    put_call(audio, "b.wav", 0.2)
    assert named(2, "later.wav") == [
        ("missing_file", "1.csv, row 3"),
        ("missing_file", "2.csv, row 1"),
    ]
    (audio / "other").mkdir()
    put_call(audio, "other/a.wav", 0.3)
    assert ("ambiguous_file", "1.csv, row 1") in named(3)
    put_call(audio, "later.wav", 0.4)
    (audio / "other/a.wav").unlink()
    put_call(audio, "other/a.wav", 0.5)
    assert [place for _, place in named(4)] == ["1.csv, row 1", "1.csv, row 3"]


def test_names_in_lines_are_counted_again_only_where_something_changed(
    lake: Lake, audio: Path, tmp_path: Path
) -> None:
    put_call(audio, "a.wav", 0.1)
    export = tmp_path / "export.csv"
    export.write_text("file,queue\na.wav,billing\n", encoding="utf-8")
    night(lake, audio, export)
    known = read_known(lake, "rows-of-odd-lines")
    assert known["counts"] == []
    keep_known(lake, "rows-of-odd-lines", {**known, "counts": [["path", key_of("a.wav"), 0]]})
    put_call(audio, "b.wav", 0.2)
    night(lake, audio, export, at=NIGHT + dt.timedelta(days=400))
    stated = [["path", key_of("a.wav"), 0]] if codes(lake) == ["missing_file"] else []
    assert read_known(lake, "rows-of-odd-lines")["counts"] == stated != []
