"""Who may read what lies under a root: its owner, and one group if the settings name it.

What is written gets its permissions from the process's umask, whoever writes it: Parquet, DuckDB,
Prefect, a report. The root folder's own mode says which umask that is, so that a command that
reads no settings writes as the night does.
"""

from __future__ import annotations

import contextlib
import grp
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ser_batch.errors import SettingsError
from ser_batch.store.paths import Root

_OWNER, _GROUP = 0o700, 0o2750
"""Modes of folders; the group's bit 2000 hands the group on to what is made inside."""


def follow_root(root: Root) -> None:
    """From now on this process and those that it starts write as the root folder's mode says."""
    with contextlib.suppress(OSError):
        if stat.S_IMODE(root.path.stat().st_mode) == _GROUP:
            os.umask(0o027)
            return
    os.umask(0o077)


@contextmanager
def private_files(root: Root, group: str | None) -> Iterator[None]:
    """Write files for the owner only, or for a group too; what lies there already follows.

    Args:
        root: whose; its folder is made
        group: who may read beside the owner; None: nobody

    Raises:
        SettingsError: if there is no such group, or this user may not change what lies there
    """
    root.path.mkdir(parents=True, exist_ok=True)
    mode = _OWNER if group is None else _GROUP
    gid = None if group is None else _gid(group)
    now = root.path.stat()
    before = os.umask(0o077 if group is None else 0o027)
    try:
        if stat.S_IMODE(now.st_mode) != mode or gid not in (None, now.st_gid):
            _apply(root.path, mode, gid)
        yield
    finally:
        os.umask(before)


def _gid(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except LookupError as error:
        raise SettingsError(f"store.group: there is no group {group!r} on this machine") from error


def _apply(top: Path, mode: int, gid: int | None) -> None:
    """Bring a tree to the mode, its top last: a run that is killed begins again."""
    for name, _, files in os.walk(top, topdown=False):
        for path in (*(Path(name, file) for file in files), Path(name)):
            if path.is_symlink():
                continue
            try:
                if gid is not None:
                    os.chown(path, -1, gid)
                path.chmod(mode if path.is_dir() else mode & 0o640)
            except PermissionError as error:
                raise SettingsError(
                    f"{path} cannot be made private: the user that runs the night must own what "
                    "lies under the root, and be a member of store.group"
                ) from error
