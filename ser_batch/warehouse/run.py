"""Run the models into the file that is being built, and the tests over them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import duckdb

from ser_batch.errors import WarehouseError, WarehouseTestError
from ser_batch.store.lake import Part
from ser_batch.warehouse.models import Blueprint, Model, Rule

PLACES = 6
"""Decimal places of doubles: the last digits of a sum depend on the order of its rows."""

Item = TypeVar("Item")


def remove_calls(
    con: duckdb.DuckDBPyConnection,
    models: Sequence[Model],
    parts: Iterable[Part],
    dates: Sequence[dt.date],
) -> None:
    """Delete the published rows of the calls of some parts.

    Args:
        con: of the warehouse that is being built
        models: `Blueprint.of_calls`
        parts: of the lake, that changed or are gone
        dates: call dates of their calls as published
    """
    where = f"call_date in ({literals(dates)})"
    places = [part.place for part in parts]
    con.execute(
        "create or replace temp table replaced as select recording_id from published.stg_calls "
        f"where {where} and list_contains(?::varchar[], part)",
        [places],
    )
    if not con.execute("from replaced limit 1").fetchall():
        return
    con.begin()
    for model in models:
        of_dates = f"{where} and" if "call_date" in columns_of(con, model.name) else ""
        con.execute(
            f"delete from published.{model.name} where {of_dates} recording_id in (from replaced)"
        )
    con.commit()


def build_calls(con: duckdb.DuckDBPyConnection, blueprint: Blueprint) -> None:
    """Add the rows of the calls that are open to every model of calls.

    The models run into temporary tables that stand before the published ones, so that they and
    the rules see these calls only.
    """
    for model in blueprint.of_calls:
        run_model(con, model, "create temp table")
    run_tests(con, blueprint.rules_of_calls)
    con.begin()
    for model in blueprint.of_calls:
        _add(con, model)
    con.commit()


def build_dates(
    con: duckdb.DuckDBPyConnection, blueprint: Blueprint, dates: Sequence[dt.date]
) -> None:
    """Replace the rows of some call dates in every model of call dates."""
    with _only_dates(
        con, blueprint.of_calls, (*blueprint.of_dates, *blueprint.rules_of_dates), dates
    ):
        for model in blueprint.of_dates:
            run_model(con, model, "create temp table")
        run_tests(con, blueprint.rules_of_dates)
    con.begin()
    for model in blueprint.of_dates:
        _add(con, model, f"call_date in ({literals(dates)})")
    con.commit()


def run_last_tests(
    con: duckdb.DuckDBPyConnection, blueprint: Blueprint, dates: Sequence[dt.date]
) -> None:
    """Run the rules of all models; of calls and call dates, over what changed.

    Raises:
        WarehouseTestError: if a row breaks one
    """
    with _only_dates(con, blueprint.grown, blueprint.rules_of_all, dates):
        run_tests(con, blueprint.rules_of_all)


@contextmanager
def _only_dates(
    con: duckdb.DuckDBPyConnection,
    models: Sequence[Model],
    readers: Sequence[Model | Rule],
    dates: Sequence[dt.date],
) -> Iterator[None]:
    """Let those of some models that are read stand for their published rows of some call dates."""
    read = frozenset[str]().union(*(reader.reads for reader in readers))
    views = [model.name for model in models if model.name in read]
    for name in views:
        con.execute(
            f"create temp view {name} as from published.{name} "
            f"where call_date in ({literals(dates)})"
        )
    yield
    for name in views:
        con.execute(f"drop view temp.{name}")


def _add(con: duckdb.DuckDBPyConnection, model: Model, replaced: str = "") -> None:
    """Move a temporary table's rows to the published ones.

    Args:
        con: of the warehouse that is being built
        model: whose table
        replaced: condition on the published rows that give way
    """
    con.execute(
        f"create table if not exists published.{model.name} as from temp.{model.name} limit 0"
    )
    if replaced:
        con.execute(f"delete from published.{model.name} where {replaced}")
    con.execute(f"insert into published.{model.name} from temp.{model.name}")
    con.execute(f"drop table temp.{model.name}")


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Dates or parts, so many at once; where there is none, one empty batch makes the tables."""
    for start in range(0, max(len(items), 1), size):
        yield items[start : start + size]


def literals(dates: Sequence[dt.date]) -> str:
    """Dates in SQL's words, by which DuckDB skips groups of rows; of none, one that is never."""
    return ", ".join(f"date '{date}'" for date in dates) or "null"


def build_whole(con: duckdb.DuckDBPyConnection, models: Sequence[Model]) -> None:
    """Replace the tables of models that are built of all dates at once.

    Raises:
        WarehouseError: if a model fails
    """
    con.begin()  # one wait for the disk, not one a table
    for model in models:
        run_model(con, model, "create or replace table")
    con.commit()


def run_model(
    con: duckdb.DuckDBPyConnection, model: Model, create: str, sql: str | None = None
) -> str:
    """Make a model's table, its doubles rounded so that the same rows give the same figures.

    What is no number, such as the slope through one point, is null.

    Args:
        con: of the warehouse that is being built
        model: which
        create: how its statement begins
        sql: what an earlier call returned, which saves planning the model once more

    Returns:
        the model's SQL as it was run
    """
    try:
        sql = sql or rounded(con, model)
        con.execute(f"{create} {model.name} as {sql}")
    except duckdb.Error as error:
        raise WarehouseError(f"model {model.name}: {error}") from error
    return sql


def rounded(con: duckdb.DuckDBPyConnection, model: Model) -> str:
    """A model's SQL with its doubles rounded."""
    columns = con.execute(f"describe\n{model.sql}").fetchall()
    doubles = ", ".join(
        f"if(isfinite({name}), round({name}, {PLACES}), null) as {name}"
        for name, kind, *_ in columns
        if kind == "DOUBLE"
    )
    replace = f"replace ({doubles})" if doubles else ""
    return f"select * {replace} from (\n{model.sql}\n)"


def run_tests(con: duckdb.DuckDBPyConnection, rules: Sequence[Rule]) -> None:
    """Run the tests of `sql/tests/`.

    Raises:
        WarehouseError: if one fails to run
        WarehouseTestError: if a row breaks it
    """
    for rule in rules:
        try:
            broken = con.execute(f"select * from ({rule.sql}) limit 1").fetchall()
        except duckdb.Error as error:
            raise WarehouseError(f"sql/tests/{rule.name}.sql: {error}") from error
        if broken:
            raise WarehouseTestError(
                f"sql/tests/{rule.name}.sql: {rule.text}; broken by {broken[0]}"
            )


def columns_of(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Names of a table's columns, in order."""
    return [row[0] for row in con.execute(f"describe {table}").fetchall()]


def count_rows(con: duckdb.DuckDBPyConnection, blueprint: Blueprint) -> dict[str, int]:
    """Rows of each model's table."""
    counts = {}
    for model in blueprint.models:
        [(count,)] = con.execute(f"select count(*) from {model.name}").fetchall()
        counts[model.name] = int(count)
    return counts
