"""Disks on which something happens at one step: it goes wrong, or others come."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ser_batch.store.disk import Disk

Fault = Literal["fails", "stops before", "tears", "stops after", "power cut"]
FAULTS: tuple[Fault, ...] = ("fails", "stops before", "tears", "stops after", "power cut")


class Stopped(BaseException):
    """The process is gone; nothing of it runs any more."""


@dataclass(frozen=True)
class Step:
    """One change of the disk.

    Attributes:
        path: of what
        whole: carries it out
        torn: carries out half of it
    """

    path: Path
    whole: Callable[[], None]
    torn: Callable[[], None] = lambda: None


class SteppedDisk(Disk):
    """The real disk, whose writes, flushes, renames and deletions are counted.

    Attributes:
        n_steps: how many there were
        unflushed: files that a power cut would harm
    """

    def __init__(self) -> None:
        self.n_steps = 0
        self.unflushed: set[Path] = set()

    def write(self, path: Path, data: bytes) -> None:
        """One step; torn, half of the content is there."""
        self.unflushed.add(path)
        write = super().write
        half = data[: len(data) // 2]
        self._take(Step(path, lambda: write(path, data), lambda: write(path, half)))

    def append(self, path: Path, data: bytes) -> None:
        """One step; torn, half of the content is added."""
        append = super().append
        half = data[: len(data) // 2]
        self._take(Step(path, lambda: append(path, data), lambda: append(path, half)))

    def sync(self, path: Path) -> None:
        """One step; afterwards a power cut does not harm the file."""
        sync = super().sync
        self._take(Step(path, lambda: sync(path)))
        self.unflushed.discard(path)

    def rename(self, source: Path, target: Path) -> None:
        """One step, whole or not at all."""
        rename = super().rename

        def whole() -> None:
            rename(source, target)
            moved = {path for path in self.unflushed if path.is_relative_to(source)}
            self.unflushed -= moved
            self.unflushed |= {target / path.relative_to(source) for path in moved}

        self._take(Step(target, whole))

    def unlink(self, path: Path) -> None:
        """One step, whole or not at all."""
        unlink = super().unlink
        self._take(Step(path, lambda: unlink(path)))

    def copy(self, source: Path, target: Path, **how: Any) -> None:
        """One step; torn, half of the content is there."""
        copy = super().copy

        def torn() -> None:
            copy(source, target, **how)
            os.truncate(target, target.stat().st_size // 2)

        self._take(Step(target, lambda: copy(source, target, **how), torn))

    def _take(self, step: Step) -> None:
        self.n_steps += 1
        step.whole()


class FaultyDisk(SteppedDisk):
    """The real disk until one step.

    fails: the step raises as a full disk does, half done; what comes later works.
    stops before, tears, stops after: the process ends before, in the middle of, or after the step.
    power cut: the machine stops after the step; files that were not flushed are left cut in half.

    Args:
        at: number of the step, from 0
        fault: what happens
    """

    def __init__(self, at: int, fault: Fault) -> None:
        super().__init__()
        self._at = at
        self._fault = fault
        self._is_over = False

    def _take(self, step: Step) -> None:
        if self._is_over:
            raise Stopped
        number, self.n_steps = self.n_steps, self.n_steps + 1
        if number != self._at:
            step.whole()
        elif self._fault == "fails":
            step.torn()
            raise OSError(errno.ENOSPC, "No space left on device", str(step.path))
        else:
            self._stop(step)

    def _stop(self, step: Step) -> None:
        self._is_over = True
        if self._fault == "tears":
            step.torn()
        elif self._fault in ("stops after", "power cut"):
            step.whole()
        if self._fault == "power cut":
            for path in self.unflushed:
                if path.exists():
                    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        raise Stopped


class MeetingDisk(SteppedDisk):
    """The real disk; before one step of this thread, another thread begins to write.

    Args:
        at: number of the step, from 0
        meet: what the other thread does
    """

    PATIENCE_S = 0.25
    """For which the step waits for the other thread, which may wait for a lock."""

    def __init__(self, at: int, meet: Callable[[], None]) -> None:
        super().__init__()
        self._at = at
        self._owner = threading.current_thread()
        self.other = threading.Thread(target=meet, daemon=True)

    def _take(self, step: Step) -> None:
        if threading.current_thread() is self._owner:
            number, self.n_steps = self.n_steps, self.n_steps + 1
            if number == self._at:
                self.other.start()
                self.other.join(self.PATIENCE_S)
        step.whole()
