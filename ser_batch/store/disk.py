"""What changes files: every write, flush, rename and deletion of the store goes through here.

One home, so that a simulated disk can take its place: one on which any step fails, tears, or is the
last before the machine stops.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def copy_blocks(source: BinaryIO, target: BinaryIO) -> None:
    """Copy an open file; file systems that can share blocks (XFS, Btrfs) write nothing for it."""
    try:
        while os.copy_file_range(source.fileno(), target.fileno(), 1 << 30):
            pass
    except OSError:  # no file of the system, or not between these two file systems
        source.seek(0)
        target.seek(0)
        shutil.copyfileobj(source, target, 1 << 20)


class Disk:
    """The file system as it is."""

    def write(self, path: Path, data: bytes) -> None:
        """Write a file from its beginning; the old content is gone first."""
        try:
            path.write_bytes(data)
        except OSError as error:  # a full disk names no file
            error.filename = error.filename or str(path)
            raise

    def sync(self, path: Path) -> None:
        """Wait until a file, or the names in a folder, are on the disk."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        """Put a file in another's place, at once."""
        source.replace(target)

    def unlink(self, path: Path) -> None:
        """Delete a file if it is there."""
        path.unlink(missing_ok=True)

    def remove_folder(self, folder: Path) -> None:
        """Delete a folder and the files in it, if it is there."""
        if not folder.is_dir():
            return
        for path in sorted(folder.iterdir()):
            if path.is_dir() and not path.is_symlink():
                self.remove_folder(path)
            else:
                self.unlink(path)
        folder.rmdir()

    def append(self, path: Path, data: bytes) -> None:
        """Add to the end of a file, and wait until it is on the disk."""
        with path.open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def copy(
        self,
        source: Path,
        target: Path,
        *,
        open_source: Callable[[Path], BinaryIO] = lambda path: path.open("rb"),
        change: Callable[[BinaryIO, BinaryIO], None] = copy_blocks,
    ) -> None:
        """Copy a file's content.

        Args:
            source: the file
            target: a file that is replaced
            open_source: opens it for reading
            change: copies from one open file to another, and changes it on the way
        """
        with open_source(source) as opened, target.open("wb") as written:
            change(opened, written)


class _Used:
    disk = Disk()


def disk() -> Disk:
    """The disk that this process writes to."""
    return _Used.disk


@contextmanager
def simulated(other: Disk) -> Iterator[None]:
    """Let another disk take the place of the real one in this process."""
    before, _Used.disk = _Used.disk, other
    try:
        yield
    finally:
        _Used.disk = before
