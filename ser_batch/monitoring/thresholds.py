"""Limits on the published marts: which queues' days lie above them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from ser_batch import warehouse
from ser_batch.config import ThresholdRule, nearest
from ser_batch.errors import StopError
from ser_batch.monitoring.alerts import Alert, AlertedRun, Cell
from ser_batch.store.paths import Root

MARTS = ("daily_dissatisfaction", "queue_day")
"""Marts with one row a call date and queue, in which a measure is looked for."""


class UnknownMeasureError(StopError):
    """A rule names a column that the marts do not have."""

    code = "unknown_measure"

    def __init__(self, column: str, known: Sequence[str]) -> None:
        super().__init__(
            f"alerts.thresholds: {' and '.join(MARTS)} have no column {column!r}"
            f"{nearest(column, known)}"
        )


def threshold_alerts(
    root: Root, run: AlertedRun, rules: Sequence[ThresholdRule], *, days: int
) -> list[Alert]:
    """An alert for each rule that a queue's day breaks.

    Args:
        root: whose warehouse is read
        run: the night
        rules: the limits
        days: newest call dates that are checked

    Raises:
        UnknownMeasureError: if a rule names a column that there is not
        WarehouseError: if nothing was published yet
    """
    if not rules:
        return []
    with warehouse.connect(root.warehouse) as con:
        found = [(rule, _cells(con, rule, days)) for rule in rules]
    return [
        Alert("threshold", run, f"{rule.measure} above {rule.above:g}", tuple(cells))
        for rule, cells in found
        if cells
    ]


def _cells(con: duckdb.DuckDBPyConnection, rule: ThresholdRule, days: int) -> list[Cell]:
    bound = rule.measure if rule.bound == "value" else f"{rule.measure}_low"
    mart, has_interval = _mart_of(con, rule.measure, bound)
    low, high = (f"{rule.measure}_{end}" if has_interval else "null" for end in ("low", "high"))
    # the names of mart and columns are those of the warehouse itself
    rows = con.execute(
        f"select call_date, queue, {rule.measure}, {low}, {high}, count_scored_calls from {mart} "
        f"where {bound} > ? and count_scored_calls >= ? "
        f"and call_date > (select max(call_date) from {mart}) - ?::int "
        f"order by call_date desc, {bound} desc",
        [rule.above, rule.min_calls, days],
    ).fetchall()
    names = ("call_date", "queue", "value", "low", "high", "count_calls")
    return [_cell(rule, dict(zip(names, row, strict=True))) for row in rows]


def _cell(rule: ThresholdRule, row: dict[str, Any]) -> Cell:
    day, queue = row["call_date"].isoformat(), row["queue"]
    interval = "" if row["low"] is None else f" ({row['low']:.2f} to {row['high']:.2f})"
    text = f"{queue or 'no queue'}, {day}: {row['value']:.2f}{interval}, {row['count_calls']} calls"
    fields = {"measure": rule.measure, "above": rule.above, **row, "call_date": day}
    key = f"threshold {rule.measure} {rule.above:g} {rule.bound} {day} {queue}"
    return Cell(key, text, fields)


def _mart_of(con: duckdb.DuckDBPyConnection, measure: str, bound: str) -> tuple[str, bool]:
    """The mart that has both columns, and whether it has the measure's interval."""
    known: list[str] = []
    for mart in MARTS:
        columns = [row[0] for row in con.execute(f"describe {mart}").fetchall()]
        if measure in columns and bound in columns:
            return mart, {f"{measure}_low", f"{measure}_high"} <= set(columns)
        known += columns
    raise UnknownMeasureError(bound if measure in known else measure, known)
