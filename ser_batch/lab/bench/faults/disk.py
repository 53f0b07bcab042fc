"""A disk on which one step goes wrong."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from ser_batch.store.disk import Disk

Fault = Literal["fails", "stops before", "tears", "stops after", "power cut"]
FAULTS: tuple[Fault, ...] = ("fails", "stops before", "tears", "stops after", "power cut")


class Stopped(BaseException):
    """The process is gone; nothing of it runs any more."""


class FaultyDisk(Disk):
    """The real disk until one step; each write, flush, rename and deletion is one.

    fails: the step raises as a full disk does, half done; what comes later works.
    stops before, tears, stops after: the process ends before, in the middle of, or after the step.
    power cut: the machine stops after the step; files that were not flushed are left cut in half.

    Args:
        at: number of the step, from 0; None: none goes wrong, steps are counted
        fault: what happens
    """

    def __init__(self, at: int | None = None, fault: Fault = "fails") -> None:
        self.n_steps = 0
        self._at = at
        self._fault = fault
        self._is_over = False
        self._unflushed: set[Path] = set()

    def write(self, path: Path, data: bytes) -> None:
        """One step; torn, half of the content is there."""
        self._unflushed.add(path)
        self._step(
            lambda: super(FaultyDisk, self).write(path, data),
            torn=lambda: super(FaultyDisk, self).write(path, data[: len(data) // 2]),
            path=path,
        )

    def append(self, path: Path, data: bytes) -> None:
        """One step; torn, half of the content is added."""
        self._step(
            lambda: super(FaultyDisk, self).append(path, data),
            torn=lambda: super(FaultyDisk, self).append(path, data[: len(data) // 2]),
            path=path,
        )

    def sync(self, path: Path) -> None:
        """One step; afterwards a power cut does not harm the file."""
        self._step(lambda: super(FaultyDisk, self).sync(path), path=path)
        self._unflushed.discard(path)

    def rename(self, source: Path, target: Path) -> None:
        """One step, whole or not at all."""

        def renamed() -> None:
            super(FaultyDisk, self).rename(source, target)
            if source in self._unflushed:
                self._unflushed = (self._unflushed - {source}) | {target}

        self._step(renamed, path=target)

    def unlink(self, path: Path) -> None:
        """One step, whole or not at all."""
        self._step(lambda: super(FaultyDisk, self).unlink(path), path=path)

    def copy(self, source: Path, target: Path, **how: Any) -> None:
        """One step; torn, half of the content is there."""

        def whole() -> None:
            super(FaultyDisk, self).copy(source, target, **how)

        def torn() -> None:
            whole()
            os.truncate(target, target.stat().st_size // 2)

        self._step(whole, torn=torn, path=target)

    def _step(
        self,
        whole: Callable[[], None],
        *,
        path: Path,
        torn: Callable[[], None] = lambda: None,
    ) -> None:
        if self._is_over:
            raise Stopped
        number, self.n_steps = self.n_steps, self.n_steps + 1
        if number != self._at:
            whole()
        elif self._fault == "fails":
            torn()
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        else:
            self._stop(whole, torn)

    def _stop(self, whole: Callable[[], None], torn: Callable[[], None]) -> None:
        self._is_over = True
        if self._fault == "tears":
            torn()
        elif self._fault in ("stops after", "power cut"):
            whole()
        if self._fault == "power cut":
            for path in self._unflushed:
                if path.exists():
                    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        raise Stopped
