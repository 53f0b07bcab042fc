"""Read the published file: read-only, and shut off from every other file and the network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from ser_batch.errors import BrokenSealError, QueryError, WarehouseError
from ser_batch.store.content import decrypted

BUILD_TABLE = "warehouse_build"
"""One row: what the file was made from."""

CLOSED = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}
"""Nothing is fetched from the network, and no Python variable passes for a table."""


@dataclass(frozen=True)
class ColumnDoc:
    """A column with DuckDB's type, and its meaning and unit."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class TableDoc:
    """A mart, what one row of it is, and its columns."""

    name: str
    grain: str
    columns: tuple[ColumnDoc, ...]


def connect(target: Path) -> duckdb.DuckDBPyConnection:
    """A connection whose SQL can read the warehouse and nothing else.

    Raises:
        WarehouseError: if nothing was published yet, or the file cannot be read
    """
    if not target.is_file():
        raise WarehouseError(
            f"there is no warehouse at {target} yet: `ser-batch nightly` or `publish` makes it"
        )
    try:
        with decrypted(target) as file:
            return duckdb.connect(
                file,
                read_only=True,
                config={**CLOSED, "enable_external_access": "false", "lock_configuration": "true"},
            )
    except (duckdb.Error, BrokenSealError) as error:
        raise WarehouseError(
            f"{target} cannot be read: {_first_line(error)}; `ser-batch publish` makes it again"
        ) from error


def query(con: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    """The rows that a user's SQL selects.

    Raises:
        QueryError: with DuckDB's reason in one line; if it is not one statement
    """
    try:
        if (count := len(con.extract_statements(sql))) != 1:
            raise QueryError(f"{count} statements are given; a query is one")
        relation = con.sql(sql)
        rows: pa.Table = relation.to_arrow_table() if relation is not None else pa.table({})
    except duckdb.Error as error:
        raise QueryError(_first_line(error)) from error
    return rows


def model_of(con: duckdb.DuckDBPyConnection) -> str:
    """Id of the model whose predictions the published file shows."""
    rows = con.execute(f"select model_id from {BUILD_TABLE}").fetchall()
    return "".join(str(model_id) for (model_id,) in rows)


def describe(target: Path, *, staging: bool = False) -> list[TableDoc]:
    """The marts, or all tables, of the published file with their documentation."""
    with connect(target) as con:
        tables = con.execute(
            "select table_name, comment from duckdb_tables() "
            "where not internal and not starts_with(table_name, 'warehouse_') order by table_name"
        ).fetchall()
        return [
            TableDoc(name, grain, _columns(con, name))
            for name, grain in tables
            if staging or not name.startswith("stg_")
        ]


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> tuple[ColumnDoc, ...]:
    rows = con.execute(
        "select column_name, lower(data_type), comment from duckdb_columns() "
        "where table_name = ? order by column_index",
        [table],
    ).fetchall()
    return tuple(ColumnDoc(*row) for row in rows)


def _first_line(error: Exception) -> str:
    """DuckDB's message without the picture of the statement, on one line."""
    text = str(error).split("\n\nLINE ")[0]
    return " ".join(line.strip() for line in text.splitlines() if line.strip())
