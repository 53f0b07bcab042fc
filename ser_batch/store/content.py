"""The content of files under a root, encrypted or not: read here, and made ready for the disk."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ser_batch.errors import StopError
from ser_batch.store.disk import copy_blocks, disk
from ser_batch.store.keys import encrypted_root, key_to_read, key_to_write, settings_of
from ser_batch.store.sealed import BLOCK, SealedReader, is_sealed, seal, seal_stream

MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory."""


def to_store(path: Path, data: bytes) -> bytes:
    """What is written to the disk for a file of this content."""
    key = key_to_write(path)
    return data if key is None else seal(data, key)


def read_bytes(path: Path) -> bytes:
    """The content of a file, whether it is encrypted or not.

    Raises:
        OSError: if it cannot be read
        BrokenSealError: if it is encrypted and not as it was written
        NoKeyError: if it is encrypted and there is no key
    """
    if not is_sealed(path):
        return path.read_bytes()
    with SealedReader(path, key_to_read) as file:
        return file.readall()


def read_text(path: Path) -> str:
    """The content of a UTF-8 file.

    Raises:
        OSError: if it cannot be read
        UnicodeDecodeError: if it is not UTF-8
        BrokenSealError: if it is encrypted and not as it was written
    """
    return read_bytes(path).decode()


def open_content(path: Path) -> io.BufferedReader:
    """A file open for reading at any place of its content.

    Raises:
        OSError: if it cannot be read
        BrokenSealError: here or in a read, if it is encrypted and not as it was written
    """
    if not is_sealed(path):
        return path.open("rb")
    return io.BufferedReader(SealedReader(path, key_to_read), BLOCK)


def copy_in(source: Path, target: Path) -> None:
    """Copy a file's content as it must lie at the target: encrypted where that is."""
    key = key_to_write(target)
    change = copy_blocks if key is None else partial(seal_stream, key=key)
    disk().copy(source, target, open_source=open_content, change=change)


def copy_out(source: Path, target: Path) -> None:
    """Copy a file's content, decrypted."""
    disk().copy(source, target, open_source=open_content)


@contextmanager
def decrypted(path: Path) -> Iterator[Path]:
    """A file that other programs' readers can open: itself, or a copy in memory for the block.

    Who opened the copy inside the block can read it afterwards too.
    """
    if not is_sealed(path):
        yield path
        return
    with tempfile.TemporaryDirectory(dir=scratch(path), prefix="ser-batch-") as folder:
        copy = Path(folder) / path.name
        with open_content(path) as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        yield copy


def working_folder(target: Path) -> Path:
    """Where a file is built that later takes the target's place.

    Beside the target; of an encrypted root, a folder in memory that this user alone can read.

    Raises:
        StopError: if another user made that folder
    """
    if key_to_write(target) is None:
        return target.parent
    digest = hashlib.blake2b(os.fsencode(target.absolute()), digest_size=8).hexdigest()
    folder = scratch(target) / f"ser-batch-{os.geteuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise StopError(f"{folder} belongs to another user; set encryption.scratch")
    return folder


def scratch(path: Path) -> Path:
    """The folder for decrypted working copies of what lies under an encrypted root."""
    root = encrypted_root(path)
    named = settings_of(root).scratch if root else None
    if named is not None:
        return Path(named)
    return MEMORY if os.access(MEMORY, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
