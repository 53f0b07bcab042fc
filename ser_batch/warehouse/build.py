"""Build the warehouse beside the published file, test it, and swap it in.

Models of calls are built some call dates at a time, and only for the dates that changed; the
others are built whole from what is then there.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template

import duckdb

import ser_batch
from ser_batch.config import Settings, digest
from ser_batch.errors import WarehouseError, WarehouseTestError
from ser_batch.resources import sql_folder
from ser_batch.store.lake import Lake
from ser_batch.tables import RUNS
from ser_batch.warehouse.changes import (
    PartStates,
    lake_states,
    parts_of,
    read_states,
    touched_dates,
    write_states,
)
from ser_batch.warehouse.documents import document
from ser_batch.warehouse.models import Blueprint, Model, Rule, read_blueprint
from ser_batch.warehouse.published import BUILD_TABLE, CLOSED, connect
from ser_batch.warehouse.sources import (
    OF_CALLS,
    WHOLE,
    open_calls,
    open_settings,
    open_table,
    open_whole,
    predictions_of,
    quoted,
)

DATES_AT_ONCE = 28
"""Call dates built in one go, so that memory does not grow with the archive."""

PLACES = 6
"""Decimal places of doubles: the last digits of a sum depend on the order of its rows."""

STORAGE_VERSION = "v1.0.0"
"""Format of the published file: DuckDB 1.1 and later read it."""

_BUILDING = ".building-"


@dataclass(frozen=True)
class BuildResult:
    """What a build did.

    Attributes:
        path: the file, the published one or one beside it that `swap_in` publishes
        rows: rows of each table
        built: False where the published file was already made from the same input
        dates: call dates that were built
    """

    path: Path
    rows: dict[str, int]
    built: bool
    dates: tuple[dt.date, ...] = ()


@dataclass(frozen=True)
class _Input:
    """What a file is made from.

    Attributes:
        recipe: digest of SQL, settings, model and version: another recipe builds all dates
        whole_files: digest of the files of the tables that belong to no call date
        parts: the rest of the lake
    """

    recipe: str
    whole_files: str
    parts: PartStates


def build(
    lake: Lake,
    target: Path,
    *,
    model_id: str,
    settings: Settings,
    full: bool = False,
    hold: bool = False,
) -> BuildResult:
    """Publish the warehouse of a lake; readers of the old file are not disturbed.

    Args:
        lake: where the rows come from
        target: the published file
        model_id: whose predictions are shown
        settings: law, dissatisfaction and the least number of calls in a figure
        full: build every date, also those that did not change
        hold: leave the built file beside the published one until `swap_in`

    Raises:
        LakeError: if a file of the lake cannot be read
        WarehouseError: if a model fails
        WarehouseTestError: if a rule is broken; the published file stays as it was
    """
    blueprint = read_blueprint(sql_folder())
    before = _published_input(target)
    recipe = _recipe(blueprint, model_id, settings)
    now = _input(lake, recipe, before)
    if before == now and not full:
        with connect(target) as con:
            return BuildResult(target, _count_rows(con, blueprint), built=False)
    kept = before if before is not None and before.recipe == recipe and not full else None
    dates = touched_dates(kept.parts if kept else {}, now.parts)
    built = target.with_name(f"{target.name}{_BUILDING}{os.getpid()}")
    with _building(built, target, grow=kept is not None) as con:
        if kept is None:
            macros = Template(blueprint.macros).substitute(min_calls=settings.report.min_calls)
            con.execute(f"begin; {macros} commit;")
        open_settings(con, model_id=model_id, settings=settings)
        open_whole(con, lake)
        _build_whole(con, blueprint.first)
        for start in range(0, max(len(dates), 1), DATES_AT_ONCE):  # once too if there is no date
            batch = dates[start : start + DATES_AT_ONCE]
            open_calls(con, lake, parts_of(now.parts, batch), batch, settings)
            _build_dates(con, blueprint)
        _build_whole(con, blueprint.last)
        _test(con, blueprint.rules_of_all)
        con.begin()
        document(con, blueprint.models)
        _sign(con, now, model_id)
        con.commit()
        rows = _count_rows(con, blueprint)
    if not hold:
        built.replace(target)
    return BuildResult(built if hold else target, rows, built=True, dates=tuple(dates))


def swap_in(built: Path, target: Path, lake: Lake) -> None:
    """Publish a held file, with the runs as the lake has them by now.

    Args:
        built: the file that `build` left
        target: the published file
        lake: where the rows of `runs` come from
    """
    [runs] = [model for model in read_blueprint(sql_folder()).models if model.name == RUNS.name]
    with _attached(built) as con:
        open_table(con, lake, RUNS)
        con.begin()
        con.execute(f"delete from {runs.name}")
        con.execute(f"insert into {runs.name} by name {_rounded(con, runs)}")
        con.commit()
    built.replace(target)


def _build_dates(con: duckdb.DuckDBPyConnection, blueprint: Blueprint) -> None:
    """Replace the rows of the call dates that are open in every model of calls.

    The models run into temporary tables that stand before the published ones, so that they and
    the rules see these dates only.
    """
    for model in blueprint.of_calls:
        _run_model(con, model, "create temp table")
    _test(con, blueprint.rules_of_calls)
    con.begin()
    _merge(con, blueprint.of_calls)
    con.commit()
    for model in blueprint.of_calls:
        con.execute(f"drop table temp.{model.name}")


def _build_whole(con: duckdb.DuckDBPyConnection, models: Sequence[Model]) -> None:
    con.begin()  # one wait for the disk, not one a table
    for model in models:
        _run_model(con, model, "create or replace table")
    con.commit()


def _merge(con: duckdb.DuckDBPyConnection, models: Sequence[Model]) -> None:
    """Put the temporary tables' rows in the place of the published rows of their dates."""
    for model in models:
        con.execute(
            f"create table if not exists published.{model.name} as from temp.{model.name} limit 0"
        )
    con.execute(
        "create or replace temp table replaced_recordings as select recording_id "
        "from published.stg_calls where list_contains(getvariable('call_dates'), call_date)"
    )
    for model in models:
        columns = _columns(con, model.name)
        where = (
            "list_contains(getvariable('call_dates'), call_date)"
            if "call_date" in columns
            else "recording_id in (from replaced_recordings)"
        )
        con.execute(f"delete from published.{model.name} where {where}")
        con.execute(f"insert into published.{model.name} from temp.{model.name}")


@contextmanager
def _building(built: Path, target: Path, *, grow: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """A file beside the published one; nothing stays of it if anything goes wrong."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    if grow:
        shutil.copyfile(target, built)
    try:
        with _attached(built) as con:
            yield con
    except BaseException:
        _sweep(target)
        raise


@contextmanager
def _attached(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that writes into a file, as the database `published`."""
    spill = Path(f"{file}.tmp")
    try:
        with duckdb.connect(config={**CLOSED, "temp_directory": str(spill)}) as con:
            con.execute(
                f"attach {quoted(str(file))} as published (storage_version '{STORAGE_VERSION}')"
            )
            con.execute("use published")
            yield con
            con.execute("use memory")
            con.execute("detach published")
    finally:
        shutil.rmtree(spill, ignore_errors=True)


def _recipe(blueprint: Blueprint, model_id: str, settings: Settings) -> str:
    return digest(
        {
            "blueprint": asdict(blueprint),
            "model_id": model_id,
            "policy": settings.policy.digest(),
            "dissatisfaction": settings.dissatisfaction.digest(),
            "min_calls": settings.report.min_calls,
            "dissatisfied": settings.retrain.dissatisfied,
            "version": ser_batch.__version__,
            "storage_version": STORAGE_VERSION,
        }
    )


def _input(lake: Lake, recipe: str, before: _Input | None) -> _Input:
    # the run records are left out: a night that changed nothing else builds nothing
    whole_files = [
        (contract.name, part.name, lake.path(contract, part).stat().st_mtime_ns)
        for contract in WHOLE
        if contract is not RUNS
        for part in lake.parts(contract)
    ]
    contracts = (*OF_CALLS, *predictions_of(lake).values())
    parts = lake_states(lake, contracts, before.parts if before else {})
    return _Input(recipe, digest(whole_files), parts)


def _published_input(target: Path) -> _Input | None:
    """What the published file was made from, None if there is none that can be read."""
    try:
        with connect(target) as con:
            rows = con.execute(f"select recipe, whole_files from {BUILD_TABLE}").fetchall()
            return _Input(rows[0][0], rows[0][1], read_states(con)) if rows else None
    except (WarehouseError, duckdb.Error):
        return None


def _sign(con: duckdb.DuckDBPyConnection, made_from: _Input, model_id: str) -> None:
    con.execute(
        f"create or replace table {BUILD_TABLE} as select ?::varchar as recipe, "
        "?::varchar as whole_files, ?::varchar as model_id, ?::varchar as code_version",
        [made_from.recipe, made_from.whole_files, model_id, ser_batch.__version__],
    )
    con.execute(f"comment on table {BUILD_TABLE} is 'one row: what this file was made from'")
    write_states(con, made_from.parts)


def _run_model(con: duckdb.DuckDBPyConnection, model: Model, create: str) -> None:
    """Make a model's table, its doubles rounded so that the same rows give the same figures.

    What is no number, such as the slope through one point, is null.
    """
    try:
        con.execute(f"{create} {model.name} as {_rounded(con, model)}")
    except duckdb.Error as error:
        raise WarehouseError(f"model {model.name}: {error}") from error


def _rounded(con: duckdb.DuckDBPyConnection, model: Model) -> str:
    columns = con.execute(f"describe\n{model.sql}").fetchall()
    rounded = ", ".join(
        f"if(isfinite({name}), round({name}, {PLACES}), null) as {name}"
        for name, kind, *_ in columns
        if kind == "DOUBLE"
    )
    replace = f"replace ({rounded})" if rounded else ""
    return f"select * {replace} from (\n{model.sql}\n)"


def _test(con: duckdb.DuckDBPyConnection, rules: Sequence[Rule]) -> None:
    for rule in rules:
        try:
            broken = con.execute(f"select * from ({rule.sql}) limit 1").fetchall()
        except duckdb.Error as error:
            raise WarehouseError(f"sql/tests/{rule.name}.sql: {error}") from error
        if broken:
            raise WarehouseTestError(
                f"sql/tests/{rule.name}.sql: {rule.text}; broken by {broken[0]}"
            )


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    return [row[0] for row in con.execute(f"describe {table}").fetchall()]


def _count_rows(con: duckdb.DuckDBPyConnection, blueprint: Blueprint) -> dict[str, int]:
    counts = {}
    for model in blueprint.models:
        [(count,)] = con.execute(f"select count(*) from {model.name}").fetchall()
        counts[model.name] = int(count)
    return counts


def _sweep(target: Path) -> None:
    """Delete what builds that were killed left."""
    for path in target.parent.glob(f"{target.name}{_BUILDING}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
