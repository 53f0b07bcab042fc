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
from ser_batch.files.inputs import is_remote, is_there, name_of, named_path, status_of
from ser_batch.files.regular import refuse_special


def named_folders(given: Sequence[str], settings: Sequence[str]) -> list[Path]:
    """The folders of the command line, else those of the settings, absolute.

    Raises:
        NoFolderNamedError: if neither names one
        StoreAddressError: if one is an address of no bucket or folder
    """
    if not (named := given or settings):
        raise NoFolderNamedError
    return [named_path(folder) for folder in named]


def audio_roots(folders: Sequence[Path]) -> list[Path]:
    """The folders resolved, each once, in the order given; those of object stores as they are.

    Raises:
        NoFolderError: if one is not there
        NestedFoldersError: if one lies in another
    """
    for folder in folders:
        if not (is_remote(folder) or folder.is_dir()):
            raise NoFolderError(folder)
    found = (folder if is_remote(folder) else folder.resolve() for folder in folders)
    roots = list(dict.fromkeys(found))
    for root in roots:
        for other in roots:
            if other in root.parents:
                raise NestedFoldersError(name_of(root), name_of(other))
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
    if not is_there(path):
        raise NoSuchFileError(name_of(path))
    refuse_special(status_of(path).st_mode)
