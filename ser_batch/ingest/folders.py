"""Audio folders and files that somebody names: which they are, and whether they can be meant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ser_batch.errors import (
    FolderNamedError,
    NestedFoldersError,
    NoFolderError,
    NoFolderNamedError,
    NoSuchFileError,
)
from ser_batch.files.regular import refuse_special


def named_folders(given: Sequence[str], settings: Sequence[str]) -> list[Path]:
    """The folders of the command line, else those of the settings, absolute.

    Raises:
        NoFolderNamedError: if neither names one
    """
    if not (named := given or settings):
        raise NoFolderNamedError
    return [Path(folder).absolute() for folder in named]


def audio_roots(folders: Sequence[Path]) -> list[Path]:
    """The folders resolved, each once, in the order given.

    Raises:
        NoFolderError: if one is not there
        NestedFoldersError: if one lies in another
    """
    for folder in folders:
        if not folder.is_dir():
            raise NoFolderError(folder)
    roots = list(dict.fromkeys(folder.resolve() for folder in folders))
    for root in roots:
        for other in roots:
            if other in root.parents:
                raise NestedFoldersError(root, other)
    return roots


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
