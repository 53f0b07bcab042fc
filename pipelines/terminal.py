"""Tables and progress bars of commands that run no flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from ser_batch.progress import Progress


def table_of(
    columns: Iterable[str], rows: Iterable[Sequence[str]], *, title: str | None = None
) -> Table:
    """A table of text; an empty row begins a new section."""
    from rich.table import Table

    table = Table(*columns, title=title)
    for row in rows:
        if row:
            table.add_row(*row)
        else:
            table.add_section()
    return table


def show_table(
    columns: Iterable[str], rows: Iterable[Sequence[str]], *, title: str | None = None
) -> None:
    """Print a table on standard output and say where it has no rows, see `table_of`."""
    table = table_of(columns, rows, title=title)
    show_lines(table, *([] if table.row_count else ["no rows"]))


def show_lines(*lines: object, **style: Any) -> None:
    """Print on standard output, with rich's markup.

    Args:
        lines: each on its own
        style: as `Console.print` takes it
    """
    from rich.console import Console

    console = Console()
    for line in lines:
        console.print(line, **style)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on the error stream for each step."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, Any] = {}

        def on_progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done)

        yield on_progress
