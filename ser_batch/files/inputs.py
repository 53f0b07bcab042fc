"""Files that others deliver, on this machine or in an object store, by their paths.

An address is a path too, as `Path` spells it: `Path("s3://calls/site/a.wav")`. Objects are read in
place, a block at a time, and never stored.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from ser_batch.errors import GoneFileError, OutsideRootError
from ser_batch.files.object_reader import ObjectReader
from ser_batch.files.objects import Store, StoredObject, address_of, is_address, open_store
from ser_batch.files.regular import open_regular

AT_ONCE = 16
"""Requests to an object store at the same time."""
MOST_FOLDERS = 1000
"""Folders whose objects are listed each by itself; of more, those of the folder that holds them."""
_BUFFER_BYTES = 1 << 16


def is_remote(path: Path) -> bool:
    """Whether a path is that of an object or of a folder of objects."""
    return is_address(str(path))


def named_path(text: str) -> Path:
    """The path of a file or folder that somebody names, absolute.

    Raises:
        StoreAddressError: if it is an address of no bucket or folder
    """
    if not is_address(text):
        return Path(text).absolute()
    address = address_of(text)
    return Path(unquote(address) if address.startswith("file:") else address)


def name_of(path: Path) -> str:
    """A path as it is shown and kept: an address has its slashes again."""
    if not is_remote(path):
        return str(path)
    scheme, _, place = str(path).partition(":")
    return f"{scheme}://{'/' if scheme == 'file' else ''}{place.lstrip('/')}"


def path_inside(folder: Path, name: str) -> Path:
    """The path of a name below a folder, links followed.

    Raises:
        OutsideRootError: if it leads out of the folder
    """
    root = folder if is_remote(folder) else folder.resolve()
    path = root / name if is_remote(folder) else (root / name).resolve()
    if not path.is_relative_to(root) or ".." in path.parts:
        raise OutsideRootError(Path(name))
    return path


def open_input(path: Path, *, buffering: int = -1) -> AbstractContextManager[BinaryIO]:
    """Open a file for reading, without ever waiting for another process.

    Reading an object that cannot be read any more looks like its end; leaving the context then
    raises why, in the place of what the shortened content led to.

    Raises:
        NotRegularFileError: if it is a FIFO, a socket or a device
        UnreadableFileError: if the operating system refuses, or it is a folder
        GoneFileError: if there is no such object, or it was replaced while it was read
        StoreError: if the object store cannot be used
    """
    return _opened_object(path) if is_remote(path) else open_regular(path, buffering=buffering)


def read_input(path: Path) -> bytes:
    """The content of a small file.

    Raises:
        OSError: if it cannot be read
        StoreError: if the object store cannot be used
    """
    if not is_remote(path):
        return path.read_bytes()
    store, key = _place(path)
    try:
        return store.get(key)
    except FileNotFoundError as error:
        code = errno.ENOENT
        raise FileNotFoundError(code, os.strerror(code), name_of(path)) from error


def status_of(path: Path) -> os.stat_result:
    """Size and time of change of a file. Of an object, see `_as_status`.

    Raises:
        OSError: if it is not there, or the operating system refuses
        StoreError: if the object store cannot be used
    """
    if not is_remote(path):
        return path.stat()
    store, key = _place(path)
    return _as_status(store.head(key))


def is_there(path: Path) -> bool:
    """Whether something lies under a path.

    Raises:
        StoreError: if the object store cannot be used
    """
    if not is_remote(path):
        return path.exists()
    try:
        status_of(path)
    except FileNotFoundError:
        return False
    return True


def are_there(paths: Sequence[Path]) -> list[bool]:
    """`is_there` of each; object stores are asked about many at the same time."""
    if not any(map(is_remote, paths)):
        return [path.exists() for path in paths]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(is_there, paths))


def delete_input(path: Path) -> None:
    """Delete a file; one that is not there does not matter."""
    if not is_remote(path):
        path.unlink(missing_ok=True)
        return
    store, key = _place(path)
    store.delete([key])


def files_in(folder: Path, endings: tuple[str, ...]) -> Iterator[tuple[str, os.stat_result]]:
    """Name and status of the files directly in a folder whose names end so, links left out.

    Raises:
        OSError: if the folder cannot be listed
        StoreError: if the object store cannot be used
    """
    if is_remote(folder):
        store, prefix = _place(folder)
        for found in store.list_folder(prefix)[0]:
            if found.key.endswith(endings):
                yield found.key.rpartition("/")[2], _as_status(found)
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(endings) and not entry.is_symlink():
                yield entry.name, entry.stat(follow_symlinks=False)


def objects_below(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Path below a folder, and status, of every object in it and its subfolders, in no order.

    Folders are opened level by level until there are enough of them to be listed side by side.

    Args:
        folder: of an object store

    Raises:
        StoreError: if the object store cannot be used
    """
    store, prefix = _place(folder)
    n_before = len(prefix) + 1 if prefix else 0
    folders = [prefix]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        while folders and len(folders) < AT_ONCE:
            levels = list(threads.map(store.list_folder, folders))
            below = [each for _, some in levels for each in some]
            if len(below) > MOST_FOLDERS:
                break
            yield from (_below(found, n_before) for objects, _ in levels for found in objects)
            folders = below
        for objects in threads.map(store.list, folders):
            yield from (_below(found, n_before) for found in objects)


def _below(found: StoredObject, n_before: int) -> tuple[str, os.stat_result]:
    return found.key[n_before:], _as_status(found)


@contextmanager
def _opened_object(path: Path) -> Iterator[BinaryIO]:
    store, key = _place(path)
    try:
        reader = ObjectReader(store, store.head(key))
    except FileNotFoundError as error:
        raise GoneFileError from error
    try:
        with io.BufferedReader(reader, _BUFFER_BYTES) as file:
            yield file
    finally:
        if reader.error is not None:
            raise reader.error


def _as_status(found: StoredObject) -> os.stat_result:
    """An object as `os.stat` describes a file: its time of change has a digest of the ETag in the
    place of the fraction of a second, so that another content has another time."""
    second = int(found.modified_s)
    fraction = int.from_bytes(blake2b(found.etag.encode(), digest_size=8).digest()) % 10**9
    fields = (stat.S_IFREG, 0, 0, 1, 0, 0, found.size, second, second, second)
    return os.stat_result(fields, {"st_mtime_ns": second * 10**9 + fraction})


def _place(path: Path) -> tuple[Store, str]:
    """The store and the key of an address.

    Raises:
        OutsideRootError: if it leads upwards
    """
    if ".." in path.parts:
        raise OutsideRootError(path)
    scheme, _, place = str(path).partition(":")
    if scheme == "file":
        return _store("file:///"), place.strip("/")
    bucket, _, key = place.strip("/").partition("/")
    return _store(f"s3://{bucket}"), key


_store = cache(open_store)
