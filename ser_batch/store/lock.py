"""One run at a time may write under a root folder, one program at a time a table or a file."""

from __future__ import annotations

import datetime as dt
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ser_batch.clock import utc_now
from ser_batch.errors import LockedError
from ser_batch.store.paths import Root


def is_held(root: Root) -> bool:
    """Whether a run is at work on a root, as far as the caller may know."""
    if not root.lock.exists():
        return False
    lock = FileLock(root.lock)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return True
    lock.release()
    return False


@contextmanager
def only_run(root: Root) -> Iterator[None]:
    """Hold a root folder; the lock goes with the process, even if it is killed.

    Raises:
        LockedError: at once, if another run holds it, saying which
    """
    root.path.mkdir(parents=True, exist_ok=True)
    holder = _holder(root)
    lock = FileLock(root.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        who = holder_of(root)
        raise LockedError(root.path, f" ({who})" if who else "") from error
    try:
        since = utc_now().replace(tzinfo=dt.UTC).astimezone().isoformat(timespec="seconds")
        text = f"process {os.getpid()} on {socket.gethostname()} since {since}"
        holder.write_text(text, encoding="utf-8")
        yield
        holder.unlink(missing_ok=True)
    finally:
        lock.release()


def holder_of(root: Root) -> str:
    """Which process holds a root, on which machine and since when; empty if nothing says it."""
    holder = _holder(root)
    return holder.read_text(errors="replace").strip() if holder.exists() else ""


def _holder(root: Root) -> Path:
    return root.lock.with_name(".lock-holder")


@contextmanager
def only_writer(folder: Path, name: str) -> Iterator[None]:
    """Hold what programs write while a run is at work, too; waits for the one that writes.

    Args:
        folder: in which it lies
        name: of the table or file
    """
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{name}.lock", is_singleton=True):  # who holds it may hold it again
        yield
