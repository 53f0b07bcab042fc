"""Publish: the lake's tables become the warehouse that analysts and the report read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ser_batch import warehouse
from ser_batch.config import Settings
from ser_batch.monitoring.run_record import state_interrupted
from ser_batch.policy import NOT_SCORED
from ser_batch.report.files import redact
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root


@dataclass(frozen=True)
class PublishResult:
    """What publishing did.

    Attributes:
        path: the published file; of a night, the one beside it that `finish_publishing` publishes
        rows: rows of each mart
        built: False where nothing had changed since it was built
        dates: call dates that were built
        was_damaged: the published file was damaged, and was rebuilt
    """

    path: Path
    rows: dict[str, int]
    built: bool
    dates: tuple[dt.date, ...]
    was_damaged: bool = False


def publish(
    root: Root,
    settings: Settings,
    model_id: str,
    *,
    full: bool = False,
    run_id: str | None = None,
) -> PublishResult:
    """Build and test the warehouse, unless it is current; redact older reports.

    By hand it is published at once; a night publishes it when its record is final.

    Only the run that holds the root's lock may call it.

    Args:
        root: whose lake is published
        settings: law, dissatisfaction and the least number of calls in a figure
        model_id: model whose predictions are shown
        full: build every call date, also those that did not change
        run_id: the night that publishes, None by hand

    Raises:
        WarehouseTestError: if a rule is broken; the published file stays as it was
    """
    lake = Lake(root.lake)
    state_interrupted(lake, but=run_id)
    result = warehouse.build(
        lake,
        root.warehouse,
        model_id=model_id,
        settings=settings,
        full=full,
        hold=run_id is not None,
    )
    if result.built:
        redact(root.reports, _barred_calls(result.path, result.dates))
    marts = {name: n for name, n in sorted(result.rows.items()) if not name.startswith("stg_")}
    return PublishResult(result.path, marts, result.built, result.dates, result.was_damaged)


def finish_publishing(root: Root, result: PublishResult) -> None:
    """Publish what a night built, with its own final record in the mart `runs`."""
    if result.built:
        warehouse.swap_in(result.path, root.warehouse, Lake(root.lake))


def _barred_calls(path: Path, dates: Sequence[dt.date]) -> set[str]:
    """Recordings of some call dates that the policy bars from being scored."""
    sql = """
        select recording_id from call_summary
        where list_contains(?::date[], call_date) and list_contains(?, not_scored_reason)
    """
    with warehouse.connect(path) as con:
        rows = con.execute(sql, [list(dates), list(NOT_SCORED)]).fetchall()
    return {recording_id for (recording_id,) in rows}


def count_undated(path: Path) -> int:
    """Calls of the published file whose time is that of their file, for nothing says when."""
    with warehouse.connect(path) as con:
        sql = "select count(*) as n from call_summary where started_at_source = 'file'"
        [count] = warehouse.query(con, sql)["n"].to_pylist()
    return int(count or 0)


def not_scored(path: Path) -> list[dict[str, object]]:
    """Calls of the published file that carry no dissatisfaction, by reason, most first.

    Returns:
        dictionaries with reason, meaning, remedy and count_calls
    """
    sql = """
        select not_scored_reason as reason, any_value(meaning) as meaning,
            any_value(remedy) as remedy, sum(count_calls)::bigint as count_calls
        from not_scored group by all order by count_calls desc, reason
    """
    with warehouse.connect(path) as con:
        return warehouse.query(con, sql).to_pylist()
