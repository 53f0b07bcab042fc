"""The folder on this machine in which the root of an object store is worked on.

Everything else works on this folder as on any root. `pull` brings it to the newest version, `push`
publishes what changed in it as the next one. What a killed run left in it is kept and published if
no other run held the root since, and is discarded otherwise.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock

from ser_batch.errors import ChangedMeanwhileError, TakenOverError
from ser_batch.files.objects import Store, open_store
from ser_batch.store.disk import disk
from ser_batch.store.local_files import (
    FOLDER,
    Wanted,
    everything,
    is_working_copy,
    shared_files,
    write_state,
)
from ser_batch.store.snapshots import Content, Holder, Snapshot, Snapshots
from ser_batch.store.transfer import fetch_files, put_files

_TRIES = 20


def working_copy(folder: Path) -> WorkingCopy | None:
    """The working copy in a folder; None: it is a root of this machine."""
    return _opened(folder) if is_working_copy(folder) else None


def working_copy_around(folder: Path) -> WorkingCopy | None:
    """The working copy that a folder lies in, None if it lies in none."""
    return next(filter(None, map(working_copy, (folder, *folder.parents))), None)


class WorkingCopy:
    """A root of an object store, worked on in a folder.

    Args:
        folder: of this machine
        store: that holds the root

    Attributes:
        run_epoch: of the run of this process that holds the root, None if none does
        pushed_at: when changes were last published, by the monotonic clock, s
    """

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder
        self.store = store
        self.snapshots = Snapshots(store)
        self._lock = FileLock(folder / FOLDER / "lock", is_singleton=True)
        self.run_epoch: int | None = None
        self.pushed_at = time.monotonic()
        self._known_as: object = None
        self._epoch = 0
        self._files: dict[str, Content] = {}

    @property
    def address(self) -> str:
        """Of the root."""
        return self.store.address

    @property
    def id(self) -> str:
        """Of this working copy: no other machine has it."""
        file = self.folder / FOLDER / "id"
        with self._lock:
            if not file.exists():
                write_state(file, secrets.token_hex(8))
        return file.read_text()

    def alone(self) -> AbstractContextManager[object]:
        """Let nobody else of this machine fetch or publish meanwhile; may be nested."""
        return self._lock

    def take(self, now: Snapshot, holder: Holder) -> bool:
        """Hold the root from now on, and bring the folder to the newest version.

        Args:
            now: the newest version
            holder: the run

        Returns:
            False: another program was faster
        """
        taken = replace(now, number=now.number + 1, epoch=now.epoch + 1, holder=holder)
        with self._state():
            if not self.snapshots.add(taken):
                return False
            self.pull(keep=now.epoch == self._epoch)
        self.run_epoch = taken.epoch
        return True

    def pull(self, wanted: Wanted = everything, *, keep: bool | None = None) -> Snapshot:
        """Fetch what is newer in the store.

        Args:
            wanted: which paths
            keep: whether changes stay that were not published, where the store has no newer
                content; None: if no other run held the root since

        Returns:
            the version that the folder was brought to
        """
        with self._state():
            for _ in range(_TRIES):
                snapshot = self.snapshots.newest()
                if keep is None:
                    keep = snapshot.epoch == self._epoch
                try:
                    self._bring_to(snapshot, wanted, keep=keep)
                except FileNotFoundError:  # replaced by a newer version meanwhile
                    continue
                if wanted is everything:
                    self._epoch = snapshot.epoch
                return snapshot
        raise ChangedMeanwhileError(self.address, "the root")

    def pull_for_task(self, wanted: Wanted) -> Snapshot:
        """Fetch what a task of the run that holds the root works on, as the store has it.

        What the task writes then stays when another program of this machine fetches what is newer;
        what earlier runs left in the folder, and did not publish, is discarded.
        """
        with self._state():
            epoch = self.snapshots.newest().epoch
            is_first = epoch != self._epoch
            left = {path for path, _ in self._changes(everything)} if is_first else set[str]()
            snapshot = self.pull(lambda path: path in left or wanted(path), keep=False)
            self._epoch = epoch
            return snapshot

    def push(
        self,
        wanted: Wanted = everything,
        *,
        end: bool = False,
        stored: Mapping[str, Content | None] | None = None,
    ) -> None:
        """Publish what changed in the folder.

        Args:
            wanted: which paths
            end: the run holds the root no longer
            stored: what a worker has put into the store, None where it deleted a file; the folder
                is brought to it

        Raises:
            TakenOverError: if another run holds the root since
            ChangedMeanwhileError: if another program changed one of these files
        """
        with self._state():
            self.pushed_at = time.monotonic()
            put = self._put_changed(wanted)
            if not (put or stored or end):
                return
            self._publish({**put, **(stored or {})}, end=end)
            self._take_over(put)
            self._change_files(stored or {})
        if end:
            self.run_epoch = None

    def has_changes(self) -> bool:
        """Whether something in the folder was not published."""
        with self._state():
            return next(self._changes(everything), None) is not None

    def put_changes(self, wanted: Wanted, epoch: int) -> dict[str, Content | None]:
        """Put what changed into the store, for the run that holds the root to publish it.

        Args:
            wanted: which paths
            epoch: of that run

        Raises:
            TakenOverError: if another run holds the root since; if that run is of this machine, it
                publishes the files itself
        """
        with self._state():
            put = self._put_changed(wanted)
            if self.snapshots.newest().epoch != epoch:
                raise TakenOverError(self.address, "")
            self._take_over(put)  # they need not be fetched once they are published
            return put

    def _publish(self, new: Mapping[str, Content | None], *, end: bool) -> None:
        for _ in range(_TRIES):
            now = self.snapshots.newest()
            if self.run_epoch is not None and now.epoch != self.run_epoch:
                who = f" ({now.holder.text})" if now.holder else ""
                raise TakenOverError(self.address, who)
            for path in new:
                if now.files.get(path) != self._files.get(path):
                    raise ChangedMeanwhileError(self.address, path)
            files = {path: each for path, each in {**now.files, **new}.items() if each}
            holder = None if end else now.holder
            if self.snapshots.add(Snapshot(now.number + 1, now.epoch, holder, files)):
                return
        raise ChangedMeanwhileError(self.address, "the root")

    def _bring_to(self, snapshot: Snapshot, wanted: Wanted, *, keep: bool) -> None:
        """Make the folder's files those of a version.

        Raises:
            FileNotFoundError: if a content is not in the store any more
        """
        changed = dict(self._changes(wanted))
        paths = filter(wanted, {**self._files, **snapshot.files, **changed})
        self._change_files(
            {
                path: snapshot.files.get(path)
                for path in paths
                if snapshot.files.get(path) != self._files.get(path)
                or (path in changed and not keep)
            }
        )

    def _take_over(self, contents: Mapping[str, Content | None]) -> None:
        """Take note that files are as the store has them."""
        for path, content in contents.items():
            if content:
                self._files[path] = content
            else:
                self._files.pop(path, None)

    def _change_files(self, contents: Mapping[str, Content | None]) -> None:
        """Fetch contents, and delete the files that have none."""
        for path, content in contents.items():
            if content is None:
                disk().unlink(self.folder / path)
                self._files.pop(path, None)
        wanted = {path: content for path, content in contents.items() if content}
        fetch_files(self.store, self.folder, wanted, self._files.__setitem__)

    def _put_changed(self, wanted: Wanted) -> dict[str, Content | None]:
        """Put what changed in the folder into the store; None: a file is gone."""
        changed = dict(self._changes(wanted))
        gone = (path for path, is_there in changed.items() if not is_there)
        put = put_files(self.store, self.folder, (path for path, there in changed.items() if there))
        return {**put, **dict.fromkeys(gone)}

    def _changes(self, wanted: Wanted) -> Iterator[tuple[str, bool]]:
        """Paths that are not as they were fetched or put, and whether they are there."""
        found = dict(shared_files(self.folder, wanted))
        for path, state in found.items():
            known = self._files.get(path)
            if known is None or state != (known.size, known.modified_ns):
                yield path, True
        for path in filter(wanted, self._files):
            if path not in found:
                yield path, False

    @contextmanager
    def _state(self) -> Iterator[None]:
        """Read what is known of the folder's files, and write it down if that changes."""
        file = self.folder / FOLDER / "state.json"
        with self._lock:
            if (now := _identity(file)) != self._known_as:
                empty: dict[str, Any] = {"epoch": 0, "files": {}}
                content = json.loads(file.read_bytes()) if now else empty
                self._epoch = content["epoch"]
                self._files = {path: Content(*each) for path, each in content["files"].items()}
            before = self._epoch, dict(self._files)
            try:
                yield
            finally:
                if before != (self._epoch, self._files):
                    write_state(file, json.dumps({"epoch": self._epoch, "files": self._files}))
                self._known_as = _identity(file)


@cache
def _opened(folder: Path) -> WorkingCopy:
    return WorkingCopy(folder, open_store((folder / FOLDER / "address").read_text()))


def _identity(file: Path) -> object:
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
