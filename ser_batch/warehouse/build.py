"""Build the warehouse beside the published file, test it, and swap it in.

Models of calls are built some call dates at a time, and only for the parts that changed; those of
call dates for the dates whose calls changed; those of windows of days for the dates whose window
changed; the others whole from what is then there.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ser_batch.config import Settings
from ser_batch.resources import sql_folder
from ser_batch.store.lake import Lake
from ser_batch.tables import RUNS
from ser_batch.warehouse.changes import changed_parts, parts_of
from ser_batch.warehouse.documents import document
from ser_batch.warehouse.extent import is_outgrown, rewrite
from ser_batch.warehouse.file import attached, building, is_as_published, publish_file
from ser_batch.warehouse.made_from import BuildInput, build_inputs, recipe_of, sign
from ser_batch.warehouse.models import Blueprint, bind_macros, read_blueprint
from ser_batch.warehouse.published import connect
from ser_batch.warehouse.run import (
    batches,
    build_calls,
    build_dates,
    build_whole,
    count_rows,
    remove_calls,
    rounded,
    run_last_tests,
)
from ser_batch.warehouse.sources import open_calls, open_settings, open_table, open_whole
from ser_batch.warehouse.windows import build_last, read_by_windows

DATES_AT_ONCE = 28
PARTS_AT_ONCE = 128
"""Call dates, and parts of the lake, built in one go: memory grows neither with the archive nor
with the calls of a day."""


@dataclass(frozen=True)
class BuildResult:
    """What a build did.

    Attributes:
        path: the file, the published one or one beside it that `swap_in` publishes
        rows: rows of each table
        built: False where the published file was already made from the same input
        dates: call dates that were built
        was_damaged: the published file had changed since it was published, and was rebuilt
    """

    path: Path
    rows: dict[str, int]
    built: bool
    dates: tuple[dt.date, ...] = ()
    was_damaged: bool = False


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
    was_damaged = target.is_file() and not is_as_published(target)
    recipe = recipe_of(blueprint, model_id, settings)
    before, now = build_inputs(lake, None if was_damaged else target, recipe, full=full)
    if before == now and not full:
        with connect(target) as con:
            return BuildResult(target, count_rows(con, blueprint), built=False)
    kept = before if before is not None and before.recipe == now.recipe and not full else None
    changed = changed_parts(kept.parts if kept else {}, now.parts)
    dates = sorted(frozenset[dt.date]().union(*changed.values()))
    with building(target, grow=kept is not None) as (built, con):
        if kept is None:
            macros = bind_macros(blueprint.macros, min_calls=settings.report.min_calls)
            con.execute(f"begin; {macros} commit;")
        open_settings(con, model_id=model_id, settings=settings)
        open_whole(con, lake)
        build_whole(con, blueprint.first)
        was_read = None
        if kept is not None:
            was_read = read_by_windows(con, blueprint.last, dates)
            remove_calls(con, blueprint.of_calls, changed, dates)
        for batch in batches(dates, DATES_AT_ONCE):
            for parts in batches(parts_of(now.parts, changed, batch), PARTS_AT_ONCE):
                open_calls(con, lake, parts, batch, settings)
                build_calls(con, blueprint)
            build_dates(con, blueprint, batch)
        build_last(con, blueprint.last, dates, was_read)
        run_last_tests(con, blueprint, dates)
        rows = _finish(con, blueprint, now, model_id, grew=kept is not None)
        outgrown = is_outgrown(con, sum(rows.values()))
    if outgrown:
        rewrite(built, sum(rows.values()))
    if not hold:
        publish_file(built, target)
    path = built if hold else target
    return BuildResult(path, rows, built=True, dates=tuple(dates), was_damaged=was_damaged)


def _finish(
    con: duckdb.DuckDBPyConnection,
    blueprint: Blueprint,
    made_from: BuildInput,
    model_id: str,
    *,
    grew: bool,
) -> dict[str, int]:
    """Document and sign what is built; returns the rows of each table."""
    if not grew:
        con.execute(f"begin; {blueprint.functions} commit;")
    con.begin()
    document(con, blueprint.models, blueprint.grown if grew else ())
    sign(con, made_from, model_id)
    con.commit()
    return count_rows(con, blueprint)


def swap_in(built: Path, target: Path, lake: Lake) -> None:
    """Publish a held file, with the runs as the lake has them by now.

    Args:
        built: the file that `build` left
        target: the published file
        lake: where the rows of `runs` come from
    """
    [runs] = [model for model in read_blueprint(sql_folder()).models if model.name == RUNS.name]
    with attached(built) as con:
        open_table(con, lake, RUNS)
        con.begin()
        con.execute(f"delete from {runs.name}")
        con.execute(f"insert into {runs.name} by name {rounded(con, runs)}")
        con.commit()
    publish_file(built, target)
