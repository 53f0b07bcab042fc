"""The part files in folders of the lake."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ser_batch.store.atomic import TEMPORARY

ENDING = ".parquet"
"""Of a part's file name."""

FileState = tuple[int, int, int]
"""Size in bytes, time of change in ns since 1970, inode: another file has others.

In a working copy of a root in an object store the inode is 0: a file is the same on every machine.
"""

_SETTLED_NS = 60 * 10**9
"""After so long without a change, a folder's time of change tells it from what it was."""


class Listing:
    """Lists folders of parts.

    A folder that had been as it is for a while when it was listed is listed once only, until a
    file is added, replaced or removed; a file that is changed in place meanwhile is not noticed.

    Args:
        with_inodes: whether they are part of a file's state
    """

    def __init__(self, *, with_inodes: bool = True) -> None:
        self._with_inodes = with_inodes
        self._known: dict[Path, tuple[int, dict[str, FileState]]] = {}

    def files(self, folder: Path) -> dict[str, FileState]:
        """State of the part files in a folder, by name without ending; none if it is not there."""
        try:
            changed_ns = folder.stat().st_mtime_ns
        except FileNotFoundError:
            return {}
        known = self._known.get(folder)
        if known is not None and known[0] == changed_ns:
            return known[1]
        found = dict(_parts(folder, with_inodes=self._with_inodes))
        if time.time_ns() - changed_ns > _SETTLED_NS:
            self._known[folder] = (changed_ns, found)
        return found


def folders(folder: Path, start: str) -> list[str]:
    """Names in a folder that begin with a text, in order."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.name.startswith(start))
    return []


def _parts(folder: Path, *, with_inodes: bool) -> Iterator[tuple[str, FileState]]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(ENDING) and not entry.name.startswith(TEMPORARY):
                status = entry.stat()
                inode = status.st_ino if with_inodes else 0
                state = (status.st_size, status.st_mtime_ns, inode)
                yield entry.name.removesuffix(ENDING), state
