"""Content of a report: its period, and the rows of its queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from ser_batch.config import Settings
from ser_batch.policy import names_people_at_work
from ser_batch.report.cells import embedded_cells
from ser_batch.report.queries import Row, ask, rows, statement
from ser_batch.warehouse import quoted

PERIODS_DAYS = (1, 7, 28)
SCORED_CALLS_OF_A_PERIOD = 30
"""A share of thirty calls is known to about 18 points; a shorter period says little."""

_MOST_ATTRIBUTES = 3
_MOST_LISTED = 1000
"""Calls that a page carries for its filters; each takes less than a kilobyte of it."""

_BEFORE = dt.timedelta(days=28)
_QUERIES = (
    "headline",
    "changes",
    "days",
    "model_changes",
    "drivers",
    "priority_calls",
    "not_scored",
    "quarantine",
    "quality",
    "drift",
)
_CELLS = "cells"


@dataclass(frozen=True)
class Choice:
    """The chosen days and queue; None: all, up to the last day.

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
    """The days of the headline.

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
    """Everything in a report that comes from the warehouse.

    Attributes:
        period: None where no call was ever ingested
        queue: the only queue that is shown, None for all
        attributes: names of the attributes by which the page can be filtered
        rows: by name of the query
        cells: counts that charts and filters are drawn from, as `embedded_cells` returns them
        sql: the text of each query as it was run, for the reader to run again
    """

    period: Period | None
    queue: str | None
    attributes: tuple[str, ...]
    rows: dict[str, list[Row]]
    cells: dict[str, Any]
    sql: dict[str, str]

    @property
    def headline(self) -> Row:
        """The one row of counts and shares of the period."""
        return self.rows["headline"][0]


def read_content(con: duckdb.DuckDBPyConnection, settings: Settings, choice: Choice) -> Content:
    """Query the published warehouse for everything that a report shows."""
    queues = f"(queue = {quoted(choice.queue)})" if choice.queue else "true"
    days = ask(con, "calls_by_day", {"queues": queues})
    period = choose_period(days, choice)
    values = query_values(period, queues, settings)
    attributes = filter_attributes(row["name"] for row in ask(con, "attributes", values))
    values["attributes"] = _attribute_values(attributes)
    sql = {name: statement(name, values) for name in (*_QUERIES, _CELLS)}
    found = {name: rows(con, sql[name]) for name in _QUERIES}
    cells = embedded_cells(rows(con, sql[_CELLS]), attributes, settings.report.min_calls)
    return Content(period, choice.queue, attributes, found, cells, sql)


def choose_period(days: Sequence[Row], choice: Choice) -> Period | None:
    """The chosen days, else the last day, week or four weeks: the shortest with enough calls.

    Args:
        days: call_date and count_scored_calls, in order
        choice: the chosen days
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


def query_values(period: Period | None, queues: str, settings: Settings) -> dict[str, str]:
    """What stands for `$name` in the queries.

    Args:
        period: the days
        queues: SQL condition on the queue
        settings: least number of calls in a figure, calls in the list
    """
    period = period or Period(dt.date.max, dt.date.min, dt.date.max)
    last = f"date '{period.last}'"
    return {
        "first_date": f"date '{period.first}'",
        "last_date": last,
        "earliest_date": f"date '{period.earlier}'",
        "period": f"call_date between date '{period.first}' and {last} and {queues}",
        "all_days": f"call_date between date '{period.earlier}' and {last} and {queues}",
        "queues": queues,
        "scope": "'all'" if queues == "true" else "'queue'",
        "priority_calls": str(settings.report.priority_calls),
        "listed_calls": str(max(_MOST_LISTED, settings.report.priority_calls)),
        "min_calls": str(settings.report.min_calls),
    }


def filter_attributes(names: Iterable[str]) -> tuple[str, ...]:
    """The first few by which the page can be filtered; none that may name somebody at work."""
    # metadata of earlier versions may still hold such columns
    allowed = [name for name in names if not names_people_at_work(name)]
    return tuple(allowed[:_MOST_ATTRIBUTES])


def _attribute_values(names: Sequence[str]) -> str:
    values = ", ".join(f"attributes[{quoted(name)}]" for name in names)
    return f"[{values}]::varchar[]"
