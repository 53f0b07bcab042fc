"""Files appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ser_batch.store.disk import disk

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
    """Write a file whole or not at all, with its folder.

    Args:
        target: the file; an older one is replaced
        data: its content
        durable: wait until it is on the disk, for what could not be recomputed after a power cut
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as temporary:
        disk().write(temporary, data)
        if durable:
            disk().sync(temporary)
    if durable:
        disk().sync(target.parent)


def write_text_atomic(target: Path, text: str, *, durable: bool = False) -> None:
    """Write a UTF-8 text file whole or not at all, with its folder."""
    write_bytes_atomic(target, text.encode(), durable=durable)
