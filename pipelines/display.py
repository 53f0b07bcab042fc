"""Progress bars on standard error while a flow runs."""

from __future__ import annotations

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


class Display:
    """One bar a stage; quiet where nobody watches.

    Args:
        quiet: show nothing
    """

    def __init__(self, *, quiet: bool = False) -> None:
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
        """Begin a stage's bar."""
        self._bars[name] = self._progress.add_task(name, total=total, unit=unit)

    def advance(self, name: str, count: int = 1) -> None:
        """So many more are done; of a stage without a bar nothing is shown."""
        if name in self._bars:
            self._progress.advance(self._bars[name], count)

    def reach(self, name: str, done: int, total: int) -> None:
        """So many of so many are done; the first call begins the bar."""
        if name not in self._bars:
            self.bar(name, total, "files")
        self._progress.update(self._bars[name], completed=done, total=total)
