"""Queries of `sql/report/` on the published warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template
from typing import Any

import duckdb

from ser_batch.resources import sql_folder
from ser_batch.warehouse import query

Row = dict[str, Any]


def ask(con: duckdb.DuckDBPyConnection, name: str, values: Mapping[str, str]) -> list[Row]:
    """Rows of one query.

    Args:
        con: of the published warehouse
        name: of the file, without ending
        values: SQL text for each `$name` of the query
    """
    return rows(con, statement(name, values))


def statement(name: str, values: Mapping[str, str]) -> str:
    """A query as it can be run by hand."""
    text = (sql_folder() / "report" / f"{name}.sql").read_text(encoding="utf-8")
    return Template(text).substitute(values)


def rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    """Rows of a statement, a dictionary each."""
    found: list[Row] = query(con, sql).to_pylist()
    return found
