"""What the report says: its period, and the rows of its queries."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from string import Template
from typing import Any

import duckdb

from ser_batch.config import Settings
from ser_batch.resources import sql_folder
from ser_batch.warehouse import query

Row = dict[str, Any]

_PERIODS_DAYS = (1, 7, 28)
_BEFORE = dt.timedelta(days=28)
"""The period is compared with the four weeks before it."""

QUERIES = ("headline", "cells", "days", "listen", "not_scored", "quarantine")


@dataclass(frozen=True)
class Period:
    """The days that the headline speaks of.

    Attributes:
        first: first day
        last: last day
        earlier: first of the days that it is compared with and that the charts show
    """

    first: dt.date
    last: dt.date
    earlier: dt.date


@dataclass(frozen=True)
class Content:
    """Everything on the page.

    Attributes:
        period: None where no call was ever taken in
        rows: by name of the query
        sql: the text of each query as it was run, for the reader to run again
        count_synthetic_calls: calls whose attributes say that the speech is synthetic
    """

    period: Period | None
    rows: dict[str, list[Row]]
    sql: dict[str, str]
    count_synthetic_calls: int

    @property
    def headline(self) -> Row:
        """The one row of counts and shares of the period."""
        return self.rows["headline"][0]


def read_content(con: duckdb.DuckDBPyConnection, settings: Settings) -> Content:
    """Ask the published warehouse everything that the page shows."""
    days = _rows(con, _statement("calls_by_day", {}))
    period = choose_period(days, min_calls=settings.report.min_calls)
    sql = {name: _statement(name, _values(period, settings)) for name in QUERIES}
    return Content(
        period=period,
        rows={name: _rows(con, text) for name, text in sql.items()},
        sql=sql,
        count_synthetic_calls=sum(day["count_synthetic_calls"] for day in days),
    )


def choose_period(days: list[Row], *, min_calls: int) -> Period | None:
    """The last day, else week, else four weeks: the shortest with enough scored calls.

    Args:
        days: call_date and count_scored_calls, in order
        min_calls: scored calls from which a figure is shown
    """
    if not days:
        return None
    last: dt.date = days[-1]["call_date"]
    for length in _PERIODS_DAYS:
        first = last - dt.timedelta(days=length - 1)
        count = sum(day["count_scored_calls"] for day in days if day["call_date"] >= first)
        if count >= min_calls:
            break
    return Period(first, last, first - _BEFORE)


def _values(period: Period | None, settings: Settings) -> dict[str, str]:
    """The literals that stand for `$name` in the queries."""
    period = period or Period(dt.date.max, dt.date.min, dt.date.max)
    return {
        "from_date": f"date '{period.first}'",
        "to_date": f"date '{period.last}'",
        "earlier_date": f"date '{period.earlier}'",
        "calls_to_listen": str(settings.report.calls_to_listen),
    }


def _statement(name: str, values: dict[str, str]) -> str:
    """A query of `sql/report/` as it can be run by hand: literals in place of `$name`."""
    text = (sql_folder() / "report" / f"{name}.sql").read_text(encoding="utf-8")
    return Template(text).substitute(values)


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    rows: list[Row] = query(con, sql).to_pylist()
    return rows
