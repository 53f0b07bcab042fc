"""The overview, a queue and a day: the same figures of all calls, of a queue's, of a day's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import duckdb
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ser_batch.config import Settings
from ser_batch.errors import ChoiceError
from ser_batch.labels.review import Reviews
from ser_batch.report import words
from ser_batch.report.content import Choice, Content, choose_period, query_values
from ser_batch.report.data import Rules
from ser_batch.report.queries import Row, ask
from ser_batch.report.selection import check_choice
from ser_batch.serve.call_list import NO_QUEUE, CallFilter
from ser_batch.serve.database import Database
from ser_batch.serve.exchange import TEMPLATES
from ser_batch.warehouse import quoted

OVERVIEW, QUEUE, DAY = "/", "/queue", "/day"
LISTED_CALLS = 5

_Con = duckdb.DuckDBPyConnection


class SummaryPages:
    """The pages that sum calls up; each is computed once a published file."""

    def __init__(self, database: Database, settings: Settings, reviews: Reviews) -> None:
        self._database = database
        self._reviews = reviews
        self._settings, self._rules = settings, Rules.of(settings)

    @property
    def routes(self) -> list[BaseRoute]:
        """`/`, `/queue?queue=…` and `/day?day=…`."""
        return [
            Route(OVERVIEW, self._overview),
            Route(QUEUE, self._queue),
            Route(DAY, self._day),
        ]

    def _overview(self, request: Request) -> Response:
        found = self._found(Choice(), "headline", "changes")
        content = Content(found["period"], None, (), found, {}, {})
        verdict = words.verdict(content, min_calls=self._rules.min_calls)
        context = {**found, "head": content.headline, "verdict": verdict}
        return TEMPLATES.TemplateResponse(request, "overview.html", context)

    def _queue(self, request: Request) -> Response:
        choice = Choice(queue=request.query_params.get("queue", NO_QUEUE))
        found = self._found(choice, "changes", "arcs")
        weeks = [row for row in found["changes"] if row["scope"] == "queue"]
        context = {**found, "week": weeks[0] if weeks else None}
        return TEMPLATES.TemplateResponse(request, "queue.html", context)

    def _day(self, request: Request) -> Response:
        try:
            day = dt.date.fromisoformat(request.query_params.get("day", ""))
        except ValueError:
            raise HTTPException(404, "there is no such day") from None
        found = self._found(Choice(first=day, last=day), "days")
        queues = [row for row in found["days"] if row["call_date"] == day]
        return TEMPLATES.TemplateResponse(request, "day.html", {**found, "queues": queues})

    def _found(self, choice: Choice, *queries: str) -> dict[str, Any]:
        """What every page shows, and the rows of some queries of `sql/report/`."""
        try:
            found = self._database.per_publication(
                choice, lambda con: self._read(con, choice, queries)
            )
        except ChoiceError as error:
            raise HTTPException(404, str(error)) from None
        marks = self._reviews.marks(row["recording_id"] for row in found["calls"])
        return {**found, "reviewed": marks}

    def _read(self, con: _Con, choice: Choice, queries: Sequence[str]) -> dict[str, Any]:
        is_without = choice.queue == NO_QUEUE
        check_choice(con, replace(choice, queue=None) if is_without else choice)
        queues = _condition(choice.queue)
        period = choose_period(ask(con, "calls_by_day", {"queues": queues}), choice)
        values = query_values(period, queues, self._settings)
        listen = CallFilter(queue=choice.queue)
        if period is not None:
            listen = replace(listen, first=period.first, last=period.last)
        by_day = ask(con, "shares_by_day", values)
        return {
            "choice": choice,
            "period": period,
            "by_day": [{**row, "share": _share(row, self._rules.min_calls)} for row in by_day],
            "not_scored": ask(con, "not_scored", values),
            "calls": _first_calls(con, listen),
            "listen": listen,
            "rules": self._rules,
            **{name: ask(con, name, values) for name in queries},
        }


def _condition(queue: str | None) -> str:
    if queue is None:
        return "true"
    return "queue is null" if queue == NO_QUEUE else f"(queue = {quoted(queue)})"


def _first_calls(con: _Con, listen: CallFilter) -> list[Row]:
    sql, values = listen.page_query()
    rows: list[Row] = con.sql(sql, params=values).to_arrow_table().to_pylist()
    return rows[:LISTED_CALLS]


def _share(row: Row, min_calls: int) -> float | None:
    """Share of the scored calls that are dissatisfied, None where too few are scored."""
    if row["count_scored_calls"] < min_calls:
        return None
    return float(row["count_dissatisfied_calls"] / row["count_scored_calls"])
