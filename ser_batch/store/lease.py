"""The one run that may write a root in an object store, and programs that write beside it.

A run adds a version that names it as holder, under the next epoch. It says every few seconds that
it is alive; one that was silent for a minute is taken over. Whatever it tries to publish after
that fails: the version that took over stands in its way.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ser_batch.errors import LockedError, SerError
from ser_batch.files.objects import Store
from ser_batch.store.local_files import Wanted
from ser_batch.store.snapshots import Holder, Snapshot, new_token
from ser_batch.store.working_copy import WorkingCopy, working_copy, working_copy_around

BEAT_S = 10.0
SILENT_S = 60.0
"""After so long without a sign of life a run is taken over."""

_BEATS, _CLOCK = "heartbeat", "clock"

log = logging.getLogger(__name__)


@contextmanager
def held(folder: Path, text: str) -> Iterator[None]:
    """Hold the root whose working copy lies in a folder; nothing for a root of this machine.

    What changed is published at the end, after an error too.

    Args:
        folder: the root's; its own lock is held
        text: says which run this is

    Raises:
        LockedError: if another run holds it
        TakenOverError: at the end, if another run took it over
    """
    copy = working_copy(folder)
    if copy is None:
        yield
        return
    _take(copy, text)
    with _beating(copy):
        try:
            yield
        except BaseException:
            try:
                copy.push(end=True)
            except SerError as error:  # the first error is the one that the user needs
                log.warning("%s", error.one_line())
            raise
        copy.push(end=True)


@contextmanager
def shared(folder: Path, name: str) -> Iterator[None]:
    """Fetch what programs write beside a run, and publish what the block writes.

    Args:
        folder: in which it lies
        name: of the table or file; its lock is held

    Raises:
        ChangedMeanwhileError: if a program on another machine wrote it at the same time
    """
    copy = working_copy_around(folder)
    if copy is None:
        yield
        return
    wanted = _named(folder.relative_to(copy.folder).as_posix(), name)
    copy.pull(wanted, keep=True)
    yield
    copy.push(wanted)


def publish_changes(folder: Path, *, every_s: float = 0.0) -> None:
    """Publish what the run of this process has done so far; nothing for a root of this machine.

    Args:
        folder: the root's
        every_s: nothing either if that was done less than so long ago

    Raises:
        TakenOverError: if another run took the root over
    """
    copy = working_copy(folder)
    if copy is None or copy.run_epoch is None:  # a worker beside the run
        return
    if time.monotonic() - copy.pushed_at >= every_s:
        copy.push()


def delete_unpublished(folder: Path) -> None:
    """Delete what killed programs put into the store; nothing for a root of this machine."""
    if (copy := working_copy(folder)) is not None:
        copy.snapshots.sweep()


def _named(folder: str, name: str) -> Wanted:
    """The paths of a table, its second copies, or of a file and what was torn off it."""
    below = "" if folder == "." else f"{folder}/"
    files = {f"{below}{name}", f"{below}{name}.torn"}
    folders = (f"{below}{name}/", f"{below}.copies/{name}/")
    return lambda path: path in files or path.startswith(folders)


def _take(copy: WorkingCopy, text: str) -> None:
    while True:
        now = copy.snapshots.newest()
        if now.holder and now.holder.copy != copy.id and _is_alive(copy, now):
            raise LockedError(copy.address, f" ({now.holder.text})")
        if copy.take(now, Holder(copy.id, text)):
            return


def _is_alive(copy: WorkingCopy, held_by: Snapshot) -> bool:
    """Whether the run that holds a root gave a sign of life within `SILENT_S`."""
    beats = [
        each.modified_s
        for each in copy.store.list(_BEATS)
        if each.key == f"{_BEATS}/{held_by.epoch}"
    ]
    last_s = max([copy.snapshots.published_s(), *beats])
    return _now_s(copy.store) - last_s < SILENT_S


def _now_s(store: Store) -> float:
    """The present by the store's clock, s since 1970: this machine's may differ."""
    key = f"{_CLOCK}/{new_token()}"
    store.put(key, b"")
    found = [each.modified_s for each in store.list(_CLOCK) if each.key == key]
    store.delete([key])
    return found[0]


@contextmanager
def _beating(copy: WorkingCopy) -> Iterator[None]:
    """Say that this process is alive, every few seconds."""
    key, is_over = f"{_BEATS}/{copy.run_epoch}", threading.Event()

    def beat() -> None:
        while not is_over.wait(BEAT_S):
            try:
                copy.store.put(key, b"")
            except SerError as error:  # the next version that is published says whether it matters
                log.warning("%s", error.one_line())

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        with suppress(SerError):
            copy.store.delete([key])
