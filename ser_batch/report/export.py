"""Marts as files for other programs: CSV, Parquet, and a workbook of the week.

Text never becomes a formula: a call's id or a queue's name comes from outside.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ser_batch.config import Settings, nearest
from ser_batch.errors import DependencyError, QueryError
from ser_batch.report.content import Choice, read_content
from ser_batch.report.words import period_words, verdict
from ser_batch.serialise import plain_rows, write_csv
from ser_batch.store.atomic import replacing
from ser_batch.warehouse import TableDoc, query, quoted

_SHEETS = ("daily_dissatisfaction", "queue_day", "trend", "call_summary", "not_scored")
_MOST_ROWS = 100_000
"""Rows of a sheet; Excel itself takes a million, nobody scrolls them."""


def export_mart(
    con: duckdb.DuckDBPyConnection,
    marts: Sequence[TableDoc],
    name: str,
    target: Path,
    choice: Choice,
) -> int:
    """Write a mart's rows as CSV, Parquet or a workbook, by the file's ending.

    Args:
        con: of the published warehouse
        marts: the marts that there are
        name: which mart
        target: the file; an older one is replaced
        choice: days and queue, where the mart has them

    Returns:
        how many rows

    Raises:
        QueryError: if there is no such mart, or no such format
    """
    mart = _named(marts, name)
    rows = _chosen_rows(con, mart, choice)
    writers: dict[str, Callable[[Path], None]] = {
        ".csv": lambda path: _write_csv(rows, path),
        ".parquet": lambda path: pq.write_table(rows, path),
        ".xlsx": lambda path: _write_workbook(path, [], [(mart, rows)]),
    }
    if target.suffix not in writers:
        known = ", ".join(writers)
        raise QueryError(f"{target}: the file's ending says the format; known are {known}")
    with _whole(target) as path:
        writers[target.suffix](path)
    return rows.num_rows


def export_week(
    con: duckdb.DuckDBPyConnection,
    marts: Sequence[TableDoc],
    target: Path,
    choice: Choice,
    settings: Settings,
) -> int:
    """Write a workbook of some days, by default the last seven: what they say, and the marts.

    Returns:
        how many rows on all sheets
    """
    chosen = _week(con, choice)
    content = read_content(con, settings, chosen)
    lines = ["Customer dissatisfaction"]
    if content.period is not None:
        lines.append(period_words(content.period))
    lines += [verdict(content, min_calls=settings.report.min_calls), *_HOW_TO_READ]
    found = [(mart, _chosen_rows(con, mart, chosen)) for mart in marts if mart.name in _SHEETS]
    with _whole(target) as path:
        _write_workbook(path, lines, found)
    return sum(rows.num_rows for _, rows in found)


_HOW_TO_READ = (
    "0 content, 1 dissatisfied. Only customers are scored; no figure here ranks agents.",
    "Figures of few calls are withheld: the cell is empty. Intervals are 95 %.",
    "A single call may be wrong: decide nothing about one person from these figures.",
)


def _week(con: duckdb.DuckDBPyConnection, choice: Choice) -> Choice:
    if choice.first is not None:
        return choice
    [(last,)] = con.execute("select max(call_date) from call_summary").fetchall()
    last = choice.last or last
    first = last - dt.timedelta(days=6) if last else None
    return Choice(first, last, choice.queue)


def _named(marts: Sequence[TableDoc], name: str) -> TableDoc:
    by_name = {mart.name: mart for mart in marts}
    if name not in by_name:
        raise QueryError(f"there is no mart {name!r}{nearest(name, by_name)}")
    return by_name[name]


def _chosen_rows(con: duckdb.DuckDBPyConnection, mart: TableDoc, choice: Choice) -> pa.Table:
    columns = {column.name for column in mart.columns}
    conditions = ["true"]
    if "call_date" in columns:
        if choice.first is not None:
            conditions.append(f"call_date >= date '{choice.first}'")
        if choice.last is not None:
            conditions.append(f"call_date <= date '{choice.last}'")
    if "queue" in columns and choice.queue is not None:
        conditions.append(f"queue = {quoted(choice.queue)}")
    return query(con, f"from {mart.name} where {' and '.join(conditions)}")


def _write_csv(rows: pa.Table, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        write_csv(file, rows.column_names, plain_rows(rows))


def _write_workbook(
    path: Path, about: Sequence[str], tables: Sequence[tuple[TableDoc, pa.Table]]
) -> None:
    try:
        xlsxwriter = importlib.import_module("xlsxwriter")
    except ImportError as error:
        raise DependencyError("a workbook needs XlsxWriter: pip install XlsxWriter") from error
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(path, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        formats = {
            dt.date: book.add_format({"num_format": "yyyy-mm-dd"}),
            dt.datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
            float: book.add_format({"num_format": "0.00"}),
        }
        if about:
            sheet = book.add_worksheet("about")
            sheet.set_column(0, 0, 110)
            for number, line in enumerate(about):
                sheet.write_string(number, 0, line, bold if number == 0 else None)
        for mart, rows in tables:
            _write_sheet(book.add_worksheet(mart.name[:31]), mart, rows, bold, formats)


def _write_sheet(
    sheet: Any, mart: TableDoc, rows: pa.Table, bold: Any, formats: dict[type, Any]
) -> None:
    """A table under its header; each header cell carries the column's meaning as a note."""
    for number, column in enumerate(mart.columns):
        sheet.write_string(0, number, column.name, bold)
        sheet.write_comment(0, number, column.meaning)
        sheet.set_column(number, number, max(10, len(column.name) + 2))
    cells = plain_rows(rows.slice(0, _MOST_ROWS), keep_times=True)
    for row_no, row in enumerate(cells, start=1):
        for number, value in enumerate(row):
            if isinstance(value, list | dict):
                sheet.write_string(row_no, number, json.dumps(value, ensure_ascii=False))
            elif isinstance(value, str):
                sheet.write_string(row_no, number, value)
            elif value is not None:
                sheet.write(row_no, number, value, formats.get(type(value)))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(rows.num_rows, 1), len(mart.columns) - 1)


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """As `replacing`, with an error that names the file."""
    try:
        with replacing(target) as temporary:
            yield temporary
    except OSError as error:
        raise QueryError(f"cannot write {target}: {error.strerror}") from error
