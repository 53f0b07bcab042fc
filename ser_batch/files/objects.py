"""Objects under an address: in a bucket of an object store, or in a folder."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from ser_batch.errors import StoreAddressError, StoreMissingError

_UNFINISHED = ".tmp-"


@dataclass(frozen=True)
class StoredObject:
    """An object as a listing shows it.

    Attributes:
        key: its name below the address
        size: bytes
        etag: another content has another one
        modified_s: when it was put, by the store's clock, s since 1970
    """

    key: str
    size: int
    etag: str
    modified_s: float

    def is_same(self, other: StoredObject) -> bool:
        """Whether both are one content; a listing may tell its time finer than an answer."""
        return (self.size, self.etag) == (other.size, other.etag)


class Store(Protocol):
    """Objects by key. An object appears whole or not at all, and a listing shows it at once."""

    @property
    def address(self) -> str:
        """Where they lie, as the user named it."""

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """The objects whose key begins with `prefix` and a slash; all for an empty one."""

    def get(self, key: str) -> bytes:
        """An object's content.

        Raises:
            FileNotFoundError: if there is none
        """

    def list_folder(self, prefix: str) -> tuple[Sequence[StoredObject], Sequence[str]]:
        """The objects directly below `prefix` and a slash, and the longer prefixes below it."""

    def head(self, key: str) -> StoredObject:
        """An object as a listing shows it.

        Raises:
            FileNotFoundError: if there is none
        """

    def read(self, found: StoredObject, start: int, stop: int) -> bytes:
        """Bytes of an object from `start` to before `stop`, or to its end.

        Raises:
            FileNotFoundError: if it is gone, or holds another content than when it was found
        """

    def download(self, key: str, target: Path) -> None:
        """Write an object's content into a file.

        Raises:
            FileNotFoundError: if there is none
        """

    def put(self, key: str, content: bytes | Path) -> None:
        """Store an object; an older one is replaced."""

    def create(self, key: str, content: bytes) -> bool:
        """Store an object unless there is one; of several who try at once, one succeeds."""

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; those that are not there do not matter."""


class FolderStore:
    """Objects as files of a folder, such as a share that several machines mount.

    Args:
        folder: made with the first object
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def address(self) -> str:
        """The folder as an address."""
        return self._folder.as_uri()

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """As `Store.list`."""
        for place, _, names in os.walk(self._folder / prefix):
            for name in names:
                if not name.startswith(_UNFINISHED):
                    with suppress(FileNotFoundError):
                        yield self._found(Path(place, name).relative_to(self._folder).as_posix())

    def list_folder(self, prefix: str) -> tuple[Sequence[StoredObject], Sequence[str]]:
        """As `Store.list_folder`."""
        objects, folders = [], []
        with suppress(FileNotFoundError), os.scandir(self._folder / prefix) as entries:
            for entry in entries:
                key = f"{prefix}/{entry.name}".lstrip("/")
                if entry.is_dir(follow_symlinks=False):
                    folders.append(key)
                elif not entry.name.startswith(_UNFINISHED):
                    with suppress(FileNotFoundError):
                        objects.append(self._found(key))
        return objects, folders

    def head(self, key: str) -> StoredObject:
        """As `Store.head`."""
        return self._found(key)

    def read(self, found: StoredObject, start: int, stop: int) -> bytes:
        """As `Store.read`."""
        with (self._folder / found.key).open("rb") as file:
            if not found.is_same(_object(found.key, os.fstat(file.fileno()))):
                raise FileNotFoundError(found.key)
            file.seek(start)
            return file.read(stop - start)

    def get(self, key: str) -> bytes:
        """As `Store.get`."""
        return (self._folder / key).read_bytes()

    def download(self, key: str, target: Path) -> None:
        """As `Store.download`."""
        shutil.copyfile(self._folder / key, target)

    def put(self, key: str, content: bytes | Path) -> None:
        """As `Store.put`."""
        self._unfinished(key, content).replace(self._folder / key)

    def create(self, key: str, content: bytes) -> bool:
        """As `Store.create`."""
        unfinished = self._unfinished(key, content)
        try:
            (self._folder / key).hardlink_to(unfinished)
        except FileExistsError:
            return False
        finally:
            unfinished.unlink()
        return True

    def delete(self, keys: Iterable[str]) -> None:
        """As `Store.delete`; folders that are empty then go with them."""
        for key in keys:
            path = self._folder / key
            path.unlink(missing_ok=True)
            with suppress(OSError):
                for folder in path.relative_to(self._folder).parents[:-1]:
                    (self._folder / folder).rmdir()

    def _found(self, key: str) -> StoredObject:
        """An object by its key; links and devices are none.

        Raises:
            FileNotFoundError: if there is none
        """
        status = (self._folder / key).lstat()
        if not stat.S_ISREG(status.st_mode):
            raise FileNotFoundError(key)
        return _object(key, status)

    def _unfinished(self, key: str, content: bytes | Path) -> Path:
        """A file beside an object's place, with its content."""
        target = self._folder / key
        path = target.with_name(f"{_UNFINISHED}{secrets.token_hex(6)}")
        while True:  # whoever deletes the last file of a folder deletes the folder
            target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                path.touch()
                break
        if isinstance(content, Path):
            shutil.copyfile(content, path)
        else:
            path.write_bytes(content)
        return path


def _object(key: str, status: os.stat_result) -> StoredObject:
    etag = f"{status.st_mtime_ns:x}-{status.st_ino:x}-{status.st_size:x}"
    return StoredObject(key, status.st_size, etag, status.st_mtime)


def is_address(text: str) -> bool:
    """Whether a text is an address, of whatever kind of store, and no path of this machine."""
    return re.match(r"[A-Za-z][\w+.-]+:(/|$)", text) is not None


def address_of(text: str) -> str:
    """An address in its one spelling: a path has lost one of two slashes, and may end in one.

    Raises:
        StoreAddressError: if it names no bucket or folder
    """
    scheme, _, rest = text.partition(":")
    place = rest.strip("/")
    if scheme.lower() not in ("s3", "file") or not place or "?" in place or "#" in place:
        raise StoreAddressError(f"{scheme}://{rest.lstrip('/')}")
    return f"s3://{place}" if scheme.lower() == "s3" else f"file:///{place}"


def open_store(address: str) -> Store:
    """The objects under an address.

    Raises:
        DependencyError: if it is a bucket's, and the extra is not installed
        StoreAddressError: if it is none
        StoreMissingError: if the folder's parent is not there
    """
    parts = urlsplit(address)
    if parts.scheme == "file":
        folder = Path(unquote(parts.path))
        if not folder.parent.is_dir():  # a share that is not mounted
            raise StoreMissingError(address)
        return FolderStore(folder)
    if parts.scheme != "s3":
        raise StoreAddressError(address)
    from ser_batch.files.bucket import open_bucket  # noqa: PLC0415  an extra

    return open_bucket(parts.netloc, parts.path.strip("/"))
