"""Where a working copy lies, and which of its files belong to the root."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs

from ser_batch.files.objects import address_of, is_address

FOLDER = ".remote"
"""Below the working copy: the address, and what is known of the store."""

Wanted = Callable[[str], bool]
"""Whether a path below the root is meant."""

_OWN = frozenset({FOLDER, ".prefect", ".cache", ".checked", ".lock", ".lock-holder"})
"""Names that belong to this machine."""


def is_working_copy(folder: Path) -> bool:
    """Whether a folder is the working copy of a root in an object store."""
    return (folder / FOLDER / "address").exists()


def everything(_path: str) -> bool:
    """All paths."""
    return True


def shared_files(top: Path, wanted: Wanted) -> Iterator[tuple[str, tuple[int, int]]]:
    """The files that belong to a root, not to this machine: path, size and time of change, ns."""
    todo = [top]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in entries:
                if _is_own(entry.name) or entry.is_symlink():
                    continue
                path = entry.path[len(str(top)) + 1 :]
                if entry.is_dir():
                    todo.append(Path(entry.path))
                elif wanted(path):
                    status = entry.stat()
                    yield path, (status.st_size, status.st_mtime_ns)


def _is_own(name: str) -> bool:
    """Whether a name is of this machine: a lock, a cache, or what is not finished."""
    is_unfinished = name.startswith(".tmp-") or ".building-" in name
    return is_unfinished or name in _OWN or (name.startswith(".") and name.endswith(".lock"))


def local_path(place: Path) -> Path:
    """The folder to work in: a path of this machine as it is, for an address its working copy.

    Args:
        place: a folder, or an address as `Path` spells it

    Raises:
        StoreAddressError: if it is an address of no bucket or folder
    """
    if not is_address(str(place)):
        return place
    address = address_of(str(place))
    name = hashlib.blake2b(address.encode(), digest_size=6).hexdigest()
    folder = platformdirs.user_cache_path("ser-batch") / "roots" / f"{Path(address).name}-{name}"
    if not (folder / FOLDER / "address").exists():
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        write_state(folder / FOLDER / "address", address)
    return folder


def write_state(file: Path, text: str) -> None:
    """Write what this machine knows of a working copy, whole or not at all."""
    temporary = file.with_name(f".tmp-{os.getpid()}-{file.name}")
    temporary.write_text(text)
    temporary.replace(file)
