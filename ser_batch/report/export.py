"""Marts as files for other programs: CSV, Parquet, and a workbook of the week."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ser_batch.config import Settings, nearest
from ser_batch.errors import QueryError
from ser_batch.report.content import Choice
from ser_batch.report.week import call_links, columns_of, dictionaries, write_week
from ser_batch.report.workbook import MOST_ROWS, new_workbook
from ser_batch.serialise import plain_rows, write_csv
from ser_batch.store.atomic import replacing
from ser_batch.warehouse import TableDoc, query, quoted


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
        ".xlsx": lambda path: _write_workbook(path, mart, rows),
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
    *,
    reports: Path,
    all_columns: bool = False,
) -> int:
    """Write a workbook of some days, by default the last seven, for people to read.

    Args:
        con: of the published warehouse
        marts: the marts that there are
        target: the file; an older one is replaced
        choice: days and queue
        settings: thresholds and least number of calls in a figure
        reports: the folder of reports, whose call pages the workbook leads to
        all_columns: of the calls, not only those that people read

    Returns:
        how many rows on all sheets
    """
    calls = _named(marts, "call_summary") if all_columns else None
    links = call_links(reports, target)
    with _whole(target) as path, new_workbook(path) as book:
        return write_week(book, con, settings, _week(con, choice), links, calls)


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


def _write_workbook(path: Path, mart: TableDoc, rows: pa.Table) -> None:
    with new_workbook(path) as book:
        book.table(mart.name[:31], columns_of(mart), dictionaries(rows.slice(0, MOST_ROWS)))


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """As `replacing`, with an error that names the file."""
    try:
        with replacing(target) as temporary:
            yield temporary
    except OSError as error:
        raise QueryError(f"cannot write {target}: {error.strerror}") from error
