"""Check a file that somebody names on the command line."""

from __future__ import annotations

from pathlib import Path

from ser_batch.errors import FileError


class NoSuchFileError(FileError):
    """A file that somebody named is not there."""

    code = "no_such_file"
    remedy = "Mend the path."

    def __init__(self, path: Path) -> None:
        super().__init__(f"there is no file {path}")


class FolderNamedError(FileError):
    """A folder was named where one recording is meant."""

    code = "folder"
    remedy = "Name recordings; `ser-batch nightly --audio FOLDER` takes a folder."

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is a folder")


def check_file(path: Path) -> None:
    """Refuse what a person may name by mistake.

    Raises:
        FolderNamedError: if it is a folder
        NoSuchFileError: if nothing is there
    """
    if path.is_dir():
        raise FolderNamedError(path)
    if not path.exists():
        raise NoSuchFileError(path)
