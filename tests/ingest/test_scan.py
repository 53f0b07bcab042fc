from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from ser_batch.audio.decode import read_audio
from ser_batch.config import AudioSettings, IngestSettings
from ser_batch.errors import NotRegularFileError
from ser_batch.ingest.folders import check_file
from ser_batch.ingest.scan import content_id, scan
from ser_batch.store.settled import TURNS

NOW = 1_800_000_000.0


def put(path: Path, content: bytes = b"x", *, age_s: float = 3600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (NOW - age_s, NOW - age_s))
    return path


def test_recordings_are_found_in_folders_and_other_files_left(tmp_path: Path) -> None:
    for name in ("b.WAV", "deep/er/a.flac", "notes.txt", ".hidden/c.wav", "deep/.part.wav"):
        put(tmp_path / name)

    found = scan(tmp_path, IngestSettings(), now_s=NOW)

    assert [file.path for file in found.found] == ["b.WAV", "deep/er/a.flac"]
    assert found.n_ignored == 2


def test_links_are_not_followed_out_of_the_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    put(outside / "secret.wav")
    put(inside / "a.wav")
    (inside / "file.wav").symlink_to(outside / "secret.wav")
    (inside / "folder").symlink_to(outside)
    (inside / "same.wav").symlink_to(inside / "a.wav")
    (inside / "loop").symlink_to(inside)

    found = scan(inside, IngestSettings(), now_s=NOW)

    assert [file.path for file in found.found] == ["a.wav"]
    assert {(bad.path, bad.error.code) for bad in found.rejected} == {
        ("file.wav", "outside_root"),
        ("folder", "outside_root"),
    }


def test_young_and_empty_files_are_distinguished(tmp_path: Path) -> None:
    put(tmp_path / "young.wav", age_s=5)
    put(tmp_path / "empty.wav", b"")

    found = scan(tmp_path, IngestSettings(min_age_s=60), now_s=NOW)

    assert found.growing == ["young.wav"]
    assert [(bad.path, bad.error.code) for bad in found.rejected] == [("empty.wav", "empty")]


def test_a_name_that_no_table_can_hold_is_shown_in_escapes(tmp_path: Path) -> None:
    put(tmp_path / os.fsdecode(b"caf\xe9.wav"))

    (bad,) = scan(tmp_path, IngestSettings(), now_s=NOW).rejected

    assert (bad.path, bad.error.code) == ("caf\\udce9.wav", "bad_name")


def test_the_id_follows_the_bytes_and_not_the_name(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("1.wav", "2.wav", "3.wav"))
    put(one, b"abc" * 10**6)
    put(same, b"abc" * 10**6)
    put(other, b"abd" * 10**6)
    assert content_id(one) == content_id(same) != content_id(other)


def test_what_is_no_file_is_named_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.wav")
    os.mkfifo(tmp_path / "fifo.txt")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.wav"))
        (tmp_path / "dangling.wav").symlink_to(tmp_path / "gone.wav")
        (tmp_path / "circle.wav").symlink_to(tmp_path / "circle.wav")

        found = scan(tmp_path, IngestSettings(), now_s=NOW)

    assert {(bad.path, bad.error.code) for bad in found.rejected} == {
        ("fifo.wav", "not_a_file"),
        ("socket.wav", "not_a_file"),
        ("dangling.wav", "dangling_link"),
        ("circle.wav", "dangling_link"),
    }
    assert found.n_ignored == 1
    for read in (content_id, check_file, lambda path: read_audio(path, AudioSettings())):
        with pytest.raises(NotRegularFileError, match="FIFO"):
            read(tmp_path / "fifo.wav")


@pytest.mark.parametrize("year", [2099, 2500])
def test_a_time_of_change_in_the_future_postpones_nothing(tmp_path: Path, year: int) -> None:
    path = put(tmp_path / "a.wav")
    future_s = (year - 1970) * 365.25 * 86_400
    os.utime(path, (future_s, future_s))

    soon = scan(tmp_path, IngestSettings(), now_s=time.time())
    later = scan(tmp_path, IngestSettings(), now_s=time.time() + 3600)

    assert soon.growing == ["a.wav"], "it was written a moment ago"
    (file,) = later.found
    assert -(2**63) <= file.modified_ns < 2**63


def test_a_folder_that_is_as_it_was_is_counted_and_one_that_changed_is_listed(tmp_path):
    for name in ("a/one.wav", "a/two.wav", "b/three.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"sound")
    now_s = time.time() + 3600
    before = scan(tmp_path, IngestSettings(), now_s=now_s)
    (tmp_path / "b" / "three.wav").write_bytes(b"other sound")
    after = scan(tmp_path, IngestSettings(), now_s=now_s, before=before.states)
    assert [found.path for found in after.found] == ["b/three.wav"]
    assert (after.n_as_before, after.n_found, after.is_empty) == (2, 3, False)
    others = IngestSettings(extensions=[".wav", ".mp3"])
    assert scan(tmp_path, others, now_s=now_s, before=before.states).n_as_before == 0


@pytest.mark.parametrize("every_days", [1, 2, 7])
def test_a_folder_that_is_long_as_it_was_is_listed_by_turns(tmp_path, every_days):
    for name in ("day", "day/inner"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.wav").write_bytes(b"sound")
    weeks_ago = NOW - 30 * 86_400
    for path in [*tmp_path.rglob("*"), tmp_path]:
        os.utime(path, (weeks_ago, weeks_ago))

    def changed_in_place(now_s: float) -> list[str]:
        seen = scan(tmp_path, IngestSettings(), now_s=now_s, before=before.states)
        assert seen.n_found == 2
        return [found.path for found in seen.found]

    before = scan(tmp_path, IngestSettings(), now_s=NOW)
    for name in ("day", "day/inner"):
        (tmp_path / name / "one.wav").write_bytes(b"another sound")
    nights = [changed_in_place(NOW + night * every_days * 86_400) for night in range(TURNS)]
    assert all("day/one.wav" in found for found in nights)  # a folder lies in it
    assert sum("day/inner/one.wav" in found for found in nights) == 1
    (tmp_path / "day" / "inner" / "two.wav").write_bytes(b"sound")
    added = scan(tmp_path, IngestSettings(), now_s=NOW, before=before.states)
    assert {found.path for found in added.found} >= {"day/inner/one.wav", "day/inner/two.wav"}
    others = IngestSettings(extensions=[".wav", ".mp3"])
    assert scan(tmp_path, others, now_s=NOW + 1, before=before.states).n_as_before == 0


def test_a_folder_with_a_bad_file_is_listed_every_time(tmp_path):
    (tmp_path / "good.wav").write_bytes(b"sound")
    (tmp_path / "empty.wav").touch()
    before = scan(tmp_path, IngestSettings(), now_s=NOW)
    after = scan(tmp_path, IngestSettings(), now_s=NOW, before=before.states)
    assert (len(after.found), len(after.rejected)) == (1, 1)
