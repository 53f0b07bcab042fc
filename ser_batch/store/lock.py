"""One run at a time may write under a root folder, one program at a time a table or a file."""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from filelock import FileLock, Timeout

from ser_batch.clock import utc_now
from ser_batch.errors import LockedError, NoRemoteRootError, SerError
from ser_batch.store.lease import held, shared
from ser_batch.store.local_files import Wanted, everything
from ser_batch.store.paths import Root
from ser_batch.store.working_copy import working_copy, working_copy_around

log = logging.getLogger(__name__)


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


def refresh(root: Root, *, must_exist: bool = False, only: str | None = None) -> None:
    """Fetch what is newer in the object store of a root, unless a run of this machine is at work.

    Args:
        root: one of this machine is as it is
        must_exist: for commands that make none
        only: fetch this folder below it, and the files that lie in the root itself

    Raises:
        NoRemoteRootError: if it must be there and is not
        StoreError: if the store cannot be used
    """
    copy = working_copy(root.path)
    if copy is None or is_held(root):
        return
    wanted = everything if only is None else _part(only)
    if not copy.pull(wanted).number and must_exist:
        raise NoRemoteRootError(copy.address)


@contextmanager
def followed(root: Root, *, every_s: float = 60.0) -> Iterator[None]:
    """Fetch what runs on other machines publish while the block runs.

    Args:
        root: one of this machine is as it is
        every_s: how often the object store is asked
    """
    is_over = threading.Event()

    def follow() -> None:
        while not is_over.wait(every_s):
            try:
                refresh(root)
            except SerError as error:  # asked again later
                log.warning("%s", error.one_line())

    if working_copy(root.path) is not None:
        threading.Thread(target=follow, daemon=True).start()
    try:
        yield
    finally:
        is_over.set()  # nobody waits for a fetch that is under way


@contextmanager
def only_run(root: Root) -> Iterator[None]:
    """Hold a root folder; the lock goes with the process, even if it is killed.

    A root in an object store is fetched first, and what changed is published at the end.

    Raises:
        LockedError: at once, if another run holds it, saying which
        StoreError: if the object store cannot be used, or another run took the root over
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
        with held(root.path, text):
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


def _part(folder: str) -> Wanted:
    """The paths of a folder of a root, and of the files that lie in the root itself."""
    return lambda path: path.startswith(f"{folder}/") or "/" not in path


@contextmanager
def only_writer(folder: Path, name: str) -> Iterator[None]:
    """Hold what programs write while a run is at work, too; waits for the one that writes.

    Args:
        folder: in which it lies
        name: of the table or file
    """
    folder.mkdir(parents=True, exist_ok=True)
    copy = working_copy_around(folder)
    with (
        copy.alone() if copy else nullcontext(),  # a fetch would discard what is not published yet
        FileLock(folder / f".{name}.lock", is_singleton=True),  # who holds it may hold it again
        shared(folder, name),
    ):
        yield
