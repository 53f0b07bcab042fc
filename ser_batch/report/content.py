"""What the report says: its period, and the rows of its queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from string import Template
from typing import Any

import duckdb

from ser_batch.config import Settings
from ser_batch.policy import names_people_at_work
from ser_batch.resources import sql_folder
from ser_batch.warehouse import query, quoted

Row = dict[str, Any]

PERIODS_DAYS = (1, 7, 28)
SCORED_CALLS_OF_A_PERIOD = 30
"""A share of thirty calls is known to about 18 points; a shorter period would say little."""

_MOST_ATTRIBUTES = 3
_BEFORE = dt.timedelta(days=28)
_QUERIES = (
    "headline",
    "changes",
    "cells",
    "days",
    "model_changes",
    "drivers",
    "arcs",
    "listen",
    "not_scored",
    "quarantine",
    "quality",
    "drift",
)


@dataclass(frozen=True)
class Choice:
    """What a reader asked to see; None: all there is, up to the last day.

    Attributes:
        first: first day of the period
        last: last day of the period
        queue: the only queue
    """

    first: dt.date | None = None
    last: dt.date | None = None
    queue: str | None = None


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
    """Everything on the page that comes from the warehouse.

    Attributes:
        period: None where no call was ever taken in
        queue: the only queue that is shown, None for all
        attributes: names of the attributes by which the page can be filtered
        rows: by name of the query
        sql: the text of each query as it was run, for the reader to run again
    """

    period: Period | None
    queue: str | None
    attributes: tuple[str, ...]
    rows: dict[str, list[Row]]
    sql: dict[str, str]

    @property
    def headline(self) -> Row:
        """The one row of counts and shares of the period."""
        return self.rows["headline"][0]


def read_content(con: duckdb.DuckDBPyConnection, settings: Settings, choice: Choice) -> Content:
    """Ask the published warehouse everything that the page shows."""
    queues = f"(queue = {quoted(choice.queue)})" if choice.queue else "true"
    days = ask(con, "calls_by_day", {"queues": queues})
    period = choose_period(days, choice)
    values = _values(period, queues, settings)
    attributes = _attributes(row["name"] for row in ask(con, "attributes", values))
    values["attributes"] = _attribute_values(attributes)
    sql = {name: _statement(name, values) for name in _QUERIES}
    rows = {name: _rows(con, text) for name, text in sql.items()}
    return Content(period, choice.queue, attributes, rows, sql)


def choose_period(days: Sequence[Row], choice: Choice) -> Period | None:
    """The chosen days, else the last day, week or four weeks: the shortest with enough calls.

    Args:
        days: call_date and count_scored_calls, in order
        choice: what the reader asked for
    """
    if not days:
        return None
    last = choice.last or days[-1]["call_date"]
    if choice.first is not None:
        return Period(choice.first, last, choice.first - _BEFORE)
    for length in PERIODS_DAYS:
        first = last - dt.timedelta(days=length - 1)
        count = sum(row["count_scored_calls"] for row in days if first <= row["call_date"] <= last)
        if count >= SCORED_CALLS_OF_A_PERIOD:
            break
    first = min(last, max(first, days[0]["call_date"]))
    return Period(first, last, first - _BEFORE)


def ask(con: duckdb.DuckDBPyConnection, name: str, values: dict[str, str]) -> list[Row]:
    """Rows of one query of `sql/report/`."""
    return _rows(con, _statement(name, values))


def _values(period: Period | None, queues: str, settings: Settings) -> dict[str, str]:
    """What stands for `$name` in the queries."""
    period = period or Period(dt.date.max, dt.date.min, dt.date.max)
    last = f"date '{period.last}'"
    return {
        "first_date": f"date '{period.first}'",
        "last_date": last,
        "earliest_date": f"date '{period.earlier}'",
        "period": f"call_date between date '{period.first}' and {last} and {queues}",
        "all_days": f"call_date between date '{period.earlier}' and {last} and {queues}",
        "queues": queues,
        "calls_to_listen": str(settings.report.calls_to_listen),
        "min_calls": str(settings.report.min_calls),
    }


def _attributes(names: Iterable[str]) -> tuple[str, ...]:
    """The first few by which the page can be filtered; none that may name somebody at work."""
    # metadata of earlier versions may still hold such columns
    allowed = [name for name in names if not names_people_at_work(name)]
    return tuple(allowed[:_MOST_ATTRIBUTES])


def _attribute_values(names: Sequence[str]) -> str:
    values = ", ".join(f"attributes[{quoted(name)}]" for name in names)
    return f"[{values}]::varchar[]"


def _statement(name: str, values: dict[str, str]) -> str:
    """A query of `sql/report/` as it can be run by hand."""
    text = (sql_folder() / "report" / f"{name}.sql").read_text(encoding="utf-8")
    return Template(text).substitute(values)


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    rows: list[Row] = query(con, sql).to_pylist()
    return rows
