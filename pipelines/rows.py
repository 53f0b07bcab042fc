"""Rows of a query on the terminal or in a file, in the format that was asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ser_batch.errors import QueryError
from ser_batch.serialise import plain_rows, visible, write_csv

MOST_ROWS = 200
"""Rows that a terminal is shown; the other formats write all."""

_WIDEST_VALUE = 60


def write_rows(rows: pa.Table, form: str, output: Path | None) -> None:
    """Write rows as `table`, `csv`, `json` or `parquet`.

    Args:
        rows: what a query selected
        form: the format
        output: a file, or None for standard output
    """
    if form == "parquet":
        with _opened(output, "wb") as file:
            pq.write_table(rows, file)
        return
    with _opened(output, "w") as file:
        if form == "csv":
            write_csv(file, rows.column_names, plain_rows(rows))
        elif form == "json":
            found = {"columns": rows.column_names, "rows": list(plain_rows(rows))}
            json.dump(found, file, ensure_ascii=False, allow_nan=False)
            file.write("\n")
        else:
            print_table(rows, Console(file=file, width=None if file.isatty() else 200))


def print_table(rows: pa.Table, console: Console) -> None:
    """A table where it fits the terminal, else a block of lines a row."""
    shown = list(plain_rows(rows.slice(0, MOST_ROWS)))
    texts = [[_text(value) for value in row] for row in shown]
    widths = [
        max([len(name), *(len(row[number]) for row in texts)])
        for number, name in enumerate(rows.column_names)
    ]
    if sum(widths) + 3 * len(widths) + 1 <= console.width:
        console.print(_grid(rows, texts))
    else:
        _print_blocks(rows.column_names, texts, console)
    if not rows.num_rows:
        console.print("no rows")
    if rows.num_rows > MOST_ROWS:
        console.print(f"{rows.num_rows - MOST_ROWS} more rows: --format csv writes all")


def _grid(rows: pa.Table, texts: list[list[str]]) -> Table:
    grid = Table()
    for field in rows.schema:
        number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        grid.add_column(Text(field.name), justify="right" if number else "left", no_wrap=True)
    for row in texts:
        grid.add_row(*(Text(text) for text in row))
    return grid


def _print_blocks(names: list[str], texts: list[list[str]], console: Console) -> None:
    widest = max((len(name) for name in names), default=0)
    for number, row in enumerate(texts, start=1):
        console.print(Text(f"row {number}", style="bold"))
        for name, text in zip(names, row, strict=True):
            console.print(Text(f"  {name:<{widest}}  {text}"), overflow="fold")


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.1f}"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    line = visible(" ".join(text.split()))
    return line if len(line) <= _WIDEST_VALUE else f"{line[: _WIDEST_VALUE - 1]}…"


@contextmanager
def _opened(output: Path | None, mode: str) -> Iterator[IO[Any]]:
    if output is None:
        yield sys.stdout.buffer if "b" in mode else sys.stdout
        return
    encoding, newline = (None, None) if "b" in mode else ("utf-8", "")
    try:
        file = output.open(mode, encoding=encoding, newline=newline)
    except OSError as error:
        raise QueryError(f"cannot write {output}: {error.strerror}") from error
    with file:
        yield file
