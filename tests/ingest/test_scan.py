from __future__ import annotations

import os
from pathlib import Path

from ser_batch.config import IngestSettings
from ser_batch.ingest.scan import content_id, scan

NOW = 1_800_000_000.0


def put(path: Path, content: bytes = b"x", *, age_s: float = 3600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (NOW - age_s, NOW - age_s))
    return path


def test_recordings_are_found_in_folders_and_other_files_left(tmp_path: Path) -> None:
    for name in ("b.WAV", "deep/er/a.flac", "notes.txt", ".hidden/c.wav"):
        put(tmp_path / name)

    found = scan(tmp_path, IngestSettings(), now_s=NOW)

    assert [file.path for file in found.found] == ["b.WAV", "deep/er/a.flac"]
    assert found.n_ignored == 1


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


def test_young_and_empty_files_are_told_apart(tmp_path: Path) -> None:
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
