"""Files appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ser_batch.store.content import read_bytes, to_store
from ser_batch.store.disk import disk
from ser_batch.store.keys import key_to_write

TEMPORARY = ".tmp-"
"""How the names of unfinished files begin; a killed run leaves some."""


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path beside `target` that takes its place when the block ends without an error."""
    temporary = target.with_name(f"{TEMPORARY}{os.getpid()}-{target.name}")
    try:
        yield temporary
        disk().rename(temporary, target)
    finally:
        disk().unlink(temporary)


def write_bytes_atomic(target: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file whole or not at all, with its folder; encrypted below an encrypted root.

    Args:
        target: the file; an older one is replaced
        data: its content
        durable: wait until it is on the disk, for what could not be recomputed after a power cut
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as temporary:
        disk().write(temporary, to_store(target, data))
        if durable:
            disk().sync(temporary)
    if durable:
        disk().sync(target.parent)


def write_text_atomic(target: Path, text: str, *, durable: bool = False) -> None:
    """Write a UTF-8 text file whole or not at all, with its folder."""
    write_bytes_atomic(target, text.encode(), durable=durable)


def sweep(folder: Path, *, is_left_out: Callable[[str], bool] = lambda _folder: False) -> int:
    """Delete the temporary files that killed runs left below a folder; returns how many.

    Only the run that holds the root's lock may call it.

    Args:
        folder: which
        is_left_out: whether a folder below it, by its path, is not looked through
    """
    leftovers = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_left_out(f"{place}/{name}")]
        leftovers += [Path(place, name) for name in names if name.startswith(TEMPORARY)]
    for path in leftovers:
        disk().unlink(path)
    return len(leftovers)


def append_bytes(target: Path, data: bytes) -> None:
    """Add to the end of a file, and wait until it is on the disk.

    An encrypted file is written again, whole or not at all; below an encrypted root every file is.
    """
    if key_to_write(target) is None:
        disk().append(target, data)
        return
    before = read_bytes(target) if target.exists() else b""
    write_bytes_atomic(target, before + data, durable=True)
