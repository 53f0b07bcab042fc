"""Open files, and nothing else that a folder may hold under a file's name."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from ser_batch.errors import NotRegularFileError, UnreadableFileError

_KINDS = {
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
}


def open_regular(path: Path, *, buffering: int = -1) -> BinaryIO:
    """Open a file for reading, without ever waiting for another process.

    Raises:
        NotRegularFileError: if it is a FIFO, a socket or a device
        UnreadableFileError: if the operating system refuses, or it is a folder
    """
    try:
        refuse_special(path.stat().st_mode)
        return open(path, "rb", buffering=buffering, opener=_without_waiting)
    except OSError as error:
        raise UnreadableFileError(error) from error


def refuse_special(mode: int) -> None:
    """Refuse what is neither a file nor a folder.

    Args:
        mode: as `os.stat` gives it

    Raises:
        NotRegularFileError: if it is a FIFO, a socket or a device
    """
    if (kind := stat.S_IFMT(mode)) not in (stat.S_IFREG, stat.S_IFDIR):
        raise NotRegularFileError(_KINDS.get(kind, "special file"))


def _without_waiting(path: str, flags: int) -> int:
    """A FIFO that took the file's place since it was looked at is empty, and no wait."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
