"""Models of windows of days: built for the call dates whose window changed, some at a time."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence

import duckdb

from ser_batch.warehouse.models import Model
from ser_batch.warehouse.run import batches, build_whole, columns_of, literals, run_model

WINDOWS_AT_ONCE = 112
"""Call dates of which a model of windows is built in one go: to plan it takes 0.1 core seconds."""
_AS_WRITTEN = "build_side_probe_side"
"""DuckDB's choice of the side of a join that it keeps; it takes the larger one for windows."""


def build_last(
    con: duckdb.DuckDBPyConnection,
    models: Sequence[Model],
    dates: Sequence[dt.date],
    was_read: Mapping[dt.date, int] | None,
) -> None:
    """Bring up to date what is built from the models of calls.

    Args:
        con: of the warehouse that is being built
        models: `Blueprint.last`
        dates: call dates whose calls changed
        was_read: `read_by_windows` before they changed; None: all dates are built

    Raises:
        WarehouseError: if a model fails
    """
    changed = None
    if was_read is not None:
        now_read = read_by_windows(con, models, dates)
        changed = [date for date in dates if now_read.get(date) != was_read.get(date)]
    for model in models:
        if model.window_days is None:
            build_whole(con, [model])
        else:
            con.execute(f"set disabled_optimizers = '{_AS_WRITTEN}'")
            con.begin()
            _build_windows(con, model, model.window_days, changed)
            con.commit()
            con.execute("reset disabled_optimizers")


def read_by_windows(
    con: duckdb.DuckDBPyConnection, models: Sequence[Model], dates: Sequence[dt.date]
) -> dict[dt.date, int]:
    """By call date, a digest of what models of windows read of its published calls.

    A late line of metadata may change nothing of it: then no window has to be built again.

    Args:
        con: of the warehouse that is being built
        models: `Blueprint.last`
        dates: call dates
    """
    words = {word for m in models if m.window_days for word in re.findall(r"\w+", m.sql)}
    columns = [name for name in columns_of(con, "published.call_summary") if name in words]
    rows = con.execute(
        f"select call_date, sum(hash({', '.join(columns)})) from published.call_summary "
        f"where call_date in ({literals(dates)}) group by call_date"
    ).fetchall()
    return {date: int(digest) for date, digest in rows}


def _build_windows(
    con: duckdb.DuckDBPyConnection, model: Model, n_days: int, dates: Sequence[dt.date] | None
) -> None:
    """Replace the rows of the call dates whose window holds a date that changed.

    The model sees the calls of these windows only, some dates at a time: so neither time nor memory
    grow with the history.
    """
    found = con.execute("select distinct call_date from published.call_summary order by all")
    ends = [date for (date,) in found.fetchall()]
    if dates is not None:
        changed = {date + dt.timedelta(days) for date in dates for days in range(n_days)}
        ends = [date for date in ends if date in changed]
    sql = None
    for some in batches(ends, WINDOWS_AT_ONCE):
        con.execute("set variable end_dates = ?::date[]", [some])
        windows = {date - dt.timedelta(days) for date in some for days in range(n_days)}
        con.execute("set variable window_dates = ?::date[]", [sorted(windows)])
        con.execute(
            "create or replace temp view call_summary as from published.call_summary where "
            "call_date between list_min(getvariable('window_dates')) "
            "and list_max(getvariable('window_dates')) "
            "and list_contains(getvariable('window_dates'), call_date)"
        )
        sql = run_model(con, model, "create or replace temp table", sql)
        con.execute("drop view temp.call_summary")
        con.execute(
            f"create table if not exists published.{model.name} as from temp.{model.name} limit 0"
        )
        if some == ends[:WINDOWS_AT_ONCE]:
            gone = [date for date in dates or () if date not in ends]
            con.execute(
                f"delete from published.{model.name} where call_date in "
                f"({literals([*ends, *gone])})"
            )
        con.execute(f"insert into published.{model.name} from temp.{model.name}")
        con.execute(f"drop table temp.{model.name}")
