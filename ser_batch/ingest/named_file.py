"""Check a file that somebody names on the command line."""

from __future__ import annotations

from pathlib import Path

from ser_batch.errors import FolderNamedError, NoSuchFileError
from ser_batch.regular_file import refuse_special


def check_file(path: Path) -> None:
    """Refuse what a person may name by mistake.

    Raises:
        FolderNamedError: if it is a folder
        NoSuchFileError: if nothing is there
        NotRegularFileError: if it is a FIFO, a socket or a device
    """
    if path.is_dir():
        raise FolderNamedError(path)
    if not path.exists():
        raise NoSuchFileError(path)
    refuse_special(path.stat().st_mode)
