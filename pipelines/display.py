"""Progress while a flow runs: bars on a terminal, and log lines."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from pipelines.logs import log

LOG_EVERY_S = 30.0


@dataclass
class _Count:
    """How far a stage is.

    Attributes:
        total: how many there are to do
        unit: what they are
        done: how many are done
        logged_at: when that was logged last, on the monotonic clock
    """

    total: int
    unit: str
    done: int
    logged_at: float


class Display:
    """One bar a stage on a terminal; a log line a stage now and then.

    Args:
        quiet: show no bars
        log_every_s: least seconds between two lines of a stage
    """

    def __init__(self, *, quiet: bool = False, log_every_s: float = LOG_EVERY_S) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        self._bars: dict[str, TaskID] = {}
        self._counts: dict[str, _Count] = {}
        self._lock = threading.Lock()
        self._log_every_s = log_every_s

    def __enter__(self) -> Display:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def bar(self, name: str, total: int, unit: str) -> None:
        """Begin a stage's bar; one of that name begins again."""
        if name in self._bars:
            self._progress.remove_task(self._bars[name])
        self._bars[name] = self._progress.add_task(name, total=total, unit=unit)
        self._counts[name] = _Count(total, unit, 0, time.monotonic())

    def advance(self, name: str, count: int = 1) -> None:
        """So many more are done; of a stage without a bar nothing is shown."""
        if name in self._bars:
            with self._lock:
                self._counts[name].done += count
            self._show(name)

    def reach(self, name: str, done: int, total: int) -> None:
        """So many of so many are done; the first call begins the bar."""
        if name not in self._bars:
            self.bar(name, total, "files")
        self._counts[name].done, self._counts[name].total = done, total
        self._show(name)

    def _show(self, name: str) -> None:
        count, now = self._counts[name], time.monotonic()
        self._progress.update(self._bars[name], completed=count.done, total=count.total)
        if now - count.logged_at >= self._log_every_s and count.done < count.total:
            count.logged_at = now
            log(
                f"{name}: {count.done} of {count.total} {count.unit}",
                event="progress",
                stage=name,
                done=count.done,
                total=count.total,
                unit=count.unit,
            )
