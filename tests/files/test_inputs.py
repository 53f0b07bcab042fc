"""Objects are read by their paths as files are, whole or with an error, and nowhere else."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
import soundfile

from ser_batch.audio.decode import open_audio
from ser_batch.errors import (
    GoneFileError,
    OutsideRootError,
    StoreAddressError,
    StoreUnreachableError,
)
from ser_batch.files import object_reader
from ser_batch.files.inputs import (
    are_there,
    delete_input,
    files_in,
    is_there,
    name_of,
    named_path,
    objects_below,
    open_input,
    path_inside,
    read_input,
    status_of,
)
from ser_batch.files.object_reader import ObjectReader
from ser_batch.files.objects import FolderStore, StoredObject


def as_object(path: Path) -> Path:
    return Path(f"file:{path}")


def read_while_replaced(path: Path) -> None:
    with open_input(as_object(path)) as file:
        file.read(10)
        path.unlink()
        path.write_bytes(bytes(5000))
        file.read()


class FailingStore(FolderStore):
    """A store that cannot be reached any more after some blocks."""

    n_left = 1

    def read(self, found: StoredObject, start: int, stop: int) -> bytes:
        self.n_left -= 1
        if self.n_left < 0:
            raise StoreUnreachableError(self.address, "no route to host")
        return super().read(found, start, stop)


def test_any_place_of_an_object_is_read_as_that_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_reader, "BLOCK_BYTES", 100_000)
    chance = random.Random(4)
    path = tmp_path / "call ä#1?.wav"
    path.write_bytes(chance.randbytes(450_001))
    with open_input(as_object(path)) as read, path.open("rb") as expected:
        for _ in range(200):
            place, n_bytes = chance.randrange(460_000), chance.randrange(150_000)
            whence = chance.choice([io.SEEK_SET, io.SEEK_END])
            place -= 460_000 * (whence == io.SEEK_END)
            if whence == io.SEEK_END:
                place = max(place, -450_001)
            assert read.seek(place, whence) == expected.seek(place, whence)
            assert read.read(n_bytes) == expected.read(n_bytes)


def test_an_object_of_several_blocks_decodes_as_the_file_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_reader, "BLOCK_BYTES", 1000)
    for name in ("a.wav", "a.flac", "a.ogg", "a.mp3"):
        path = tmp_path / name
        soundfile.write(path, [[n % 97 / 97, n % 89 / 89] for n in range(20_000)], 8000)
        with open_audio(path) as local, open_audio(as_object(path)) as remote:
            assert (remote.read() == local.read()).all()


def test_an_object_that_is_gone_or_replaced_while_it_is_read_is_an_error_not_a_shorter_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_reader, "BLOCK_BYTES", 1000)
    path = tmp_path / "a.wav"
    with pytest.raises(GoneFileError), open_input(as_object(path)):
        pass
    path.write_bytes(bytes(5000))
    with pytest.raises(GoneFileError):
        read_while_replaced(path)


def test_a_store_that_fails_while_a_recording_is_decoded_is_no_shorter_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_reader, "BLOCK_BYTES", 1000)
    soundfile.write(tmp_path / "a.mp3", [0.1] * 80_000, 8000)
    store = FailingStore(tmp_path)
    reader = ObjectReader(store, store.head("a.mp3"))
    assert len(reader.read()) == 1000
    assert isinstance(reader.error, StoreUnreachableError)

    monkeypatch.setattr("ser_batch.files.inputs._store", lambda _address: FailingStore(Path("/")))
    with (
        pytest.raises(StoreUnreachableError, match="no route"),
        open_audio(as_object(tmp_path / "a.mp3")) as audio,
    ):
        audio.read()


def test_an_object_of_another_content_has_another_state(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"one")
    before = status_of(as_object(path))
    path.unlink()
    path.write_bytes(b"two")  # of the same size, within the same second
    after = status_of(as_object(path))
    assert (before.st_size, after.st_size) == (3, 3)
    assert before.st_mtime_ns != after.st_mtime_ns


def test_objects_below_a_folder_are_found_however_many_folders_there_are(tmp_path: Path) -> None:
    (tmp_path / "link.wav").symlink_to("/etc/hostname")
    names = {"a.wav", "x/y/z/b.wav", *(f"day-{n}/{m}.wav" for n in range(30) for m in range(3))}
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    found = {path: status.st_size for path, status in objects_below(as_object(tmp_path))}
    assert found == {name: len(name) for name in names}
    assert [name for name, _ in files_in(as_object(tmp_path / "day-1"), ("1.wav",))] == ["1.wav"]


def test_a_path_that_leads_out_of_its_folder_is_refused() -> None:
    folder = Path("s3://calls/site")
    assert path_inside(folder, "a/b.wav") == Path("s3://calls/site/a/b.wav")
    for name in ("../other/b.wav", "/etc/hostname", "a/../../b.wav"):
        with pytest.raises(OutsideRootError):
            path_inside(folder, name)
    with pytest.raises(OutsideRootError):
        is_there(folder / ".." / "b.wav")


def test_an_address_is_shown_as_it_was_named() -> None:
    for text in ("s3://calls", "s3://calls/site/a", "file:///srv/calls/a"):
        assert name_of(named_path(text)) == text
        assert name_of(named_path(text + "/")) == text
    assert name_of(named_path("calls")) == str(Path.cwd() / "calls")
    with pytest.raises(StoreAddressError):
        named_path("s3://")


def test_objects_and_files_are_asked_for_read_and_deleted_alike(tmp_path: Path) -> None:
    for name, shown in (("a", lambda p: p), ("b", as_object)):
        path = shown(tmp_path / name)
        assert not is_there(path)
        with pytest.raises(FileNotFoundError):
            read_input(path)
        (tmp_path / name).write_bytes(b"text")
        assert are_there([path, tmp_path / "nothing"]) == [True, False]
        assert read_input(path) == b"text"
        delete_input(path)
        delete_input(path)
        assert not is_there(path)
