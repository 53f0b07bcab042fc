"""Build the warehouse beside the published file, test it, and swap it in."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

import ser_batch
from ser_batch.config import Settings, digest
from ser_batch.errors import WarehouseError, WarehouseTestError
from ser_batch.lake import Lake
from ser_batch.resources import sql_folder
from ser_batch.warehouse.models import Model, read_models, read_rules
from ser_batch.warehouse.published import BUILD_TABLE, CLOSED, connect
from ser_batch.warehouse.sources import open_sources, source_contracts, source_docs

_BUILDING = ".building-"


@dataclass(frozen=True)
class BuildResult:
    """What a build did.

    Attributes:
        rows: rows of each table
        built: False where the published file was already made from the same input
    """

    rows: dict[str, int]
    built: bool


def build(lake: Lake, target: Path, *, model_id: str, settings: Settings) -> BuildResult:
    """Publish the warehouse of a lake; readers of the old file are not disturbed.

    Args:
        lake: where the rows come from
        target: the published file
        model_id: whose predictions are shown
        settings: law, dissatisfaction and the least number of calls in a figure

    Raises:
        LakeError: if a file of the lake cannot be read
        WarehouseError: if a model fails
        WarehouseTestError: if a rule is broken; the published file stays as it was
    """
    models = read_models(sql_folder())
    input_id = input_digest(lake, models, model_id=model_id, settings=settings)
    if published_input(target) == input_id:
        with connect(target) as con:
            return BuildResult(_count_rows(con, models), built=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    building = target.with_name(f"{target.name}{_BUILDING}{os.getpid()}")
    try:
        with duckdb.connect(building, config=dict(CLOSED)) as con:
            con.begin()  # one wait for the disk, not one a table
            open_sources(con, lake, model_id=model_id, settings=settings)
            con.execute((sql_folder() / "macros.sql").read_text(encoding="utf-8"))
            for model in models:
                _run_model(con, model)
            _document(con, models, model_id)
            _test(con)
            _sign(con, input_id, model_id)
            con.commit()
            rows = _count_rows(con, models)
        building.replace(target)
    finally:
        _sweep(target)
    return BuildResult(rows, built=True)


def input_digest(lake: Lake, models: list[Model], *, model_id: str, settings: Settings) -> str:
    """Changes when the warehouse would: files of the lake, SQL, model or settings.

    The run records are left out: a night that changed nothing else builds nothing.
    """
    files = []
    for name, contract in source_contracts(model_id).items():
        if name == "lake_runs":
            continue
        for part in lake.parts(contract):
            status = lake.path(contract, part).stat()
            files.append((name, str(part.relative), status.st_size, status.st_mtime_ns))
    return digest(
        {
            "files": files,
            "models": [(model.name, model.grain, model.column_docs, model.sql) for model in models],
            "macros": (sql_folder() / "macros.sql").read_text(encoding="utf-8"),
            "model_id": model_id,
            "law": settings.law.digest(),
            "dissatisfaction": settings.dissatisfaction.digest(),
            "min_calls": settings.report.min_calls,
            "version": ser_batch.__version__,
        }
    )


def published_input(target: Path) -> str | None:
    """The input digest of the published file, None if there is none that can be read."""
    try:
        with connect(target) as con:
            row = con.execute(f"select input_id from {BUILD_TABLE}").fetchone()
    except (WarehouseError, duckdb.Error):
        return None
    return str(row[0]) if row else None


def _run_model(con: duckdb.DuckDBPyConnection, model: Model) -> None:
    try:
        con.execute(f"create table {model.name} as\n{model.sql}")
    except duckdb.Error as error:
        raise WarehouseError(f"model {model.name}: {error}") from error


def _document(con: duckdb.DuckDBPyConnection, models: list[Model], model_id: str) -> None:
    """Grain and column docs as comments; a column passed on keeps the doc of where it was made."""
    docs = source_docs(model_id)
    for model in models:
        inherited = {
            column: text
            for table in sorted(model.reads & docs.keys())
            for column, text in docs[table].items()
        }
        docs[model.name] = {**inherited, **model.column_docs}
        _comment(con, model, docs[model.name])


def _comment(con: duckdb.DuckDBPyConnection, model: Model, docs: dict[str, str]) -> None:
    columns = [row[0] for row in con.execute(f"describe {model.name}").fetchall()]
    strays = [name for name in model.column_docs if name not in columns]
    bare = [name for name in columns if name not in docs]
    if strays or bare:
        raise WarehouseError(
            f"model {model.name}: documents missing columns {strays}, does not document {bare}"
        )
    con.execute(f"comment on table {model.name} is {_quoted(model.grain)}")
    for name in columns:
        con.execute(f"comment on column {model.name}.{name} is {_quoted(docs[name])}")


def _test(con: duckdb.DuckDBPyConnection) -> None:
    for rule in read_rules(sql_folder()):
        try:
            breaks = con.execute(rule.sql).fetchmany(3)
        except duckdb.Error as error:
            raise WarehouseError(f"sql/tests/{rule.name}.sql: {error}") from error
        if breaks:
            raise WarehouseTestError(
                f"sql/tests/{rule.name}.sql: {rule.text}; broken by {breaks[0]}"
            )


def _sign(con: duckdb.DuckDBPyConnection, input_id: str, model_id: str) -> None:
    con.execute(
        f"create table {BUILD_TABLE} as "
        "select ?::varchar as input_id, ?::varchar as model_id, ?::varchar as code_version",
        [input_id, model_id, ser_batch.__version__],
    )
    con.execute(f"comment on table {BUILD_TABLE} is 'one row: what this file was made from'")


def _count_rows(con: duckdb.DuckDBPyConnection, models: list[Model]) -> dict[str, int]:
    counts = {}
    for model in models:
        row = con.execute(f"select count(*) from {model.name}").fetchone()
        counts[model.name] = int(row[0]) if row else 0
    return counts


def _sweep(target: Path) -> None:
    """Delete what builds that were killed left."""
    for path in target.parent.glob(f"{target.name}{_BUILDING}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
