"""The list of calls: searched, filtered and sorted on the server."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ser_batch.config import Settings
from ser_batch.labels.review import Reviews
from ser_batch.report.content import Period, filter_attributes, query_values
from ser_batch.report.data import Rules
from ser_batch.report.queries import ask
from ser_batch.serve.call_list import (
    NO_QUEUE,
    PAGE_ROWS,
    SHOWN,
    SORTS,
    CallFilter,
    FilterError,
    next_keys,
)
from ser_batch.serve.database import Database
from ser_batch.serve.exchange import TEMPLATES

PATH = "/calls"
RECENT_DAYS = 28
"""Days up to the newest from which the attributes to filter by are taken."""


class CallsPage:
    """The list; everything that it shows stands in its URL."""

    def __init__(self, database: Database, settings: Settings, reviews: Reviews) -> None:
        self._database = database
        self._settings = settings
        self._reviews = reviews

    @property
    def routes(self) -> list[BaseRoute]:
        """The page."""
        return [Route(PATH, self._page)]

    def _page(self, request: Request) -> Response:
        try:
            wanted = CallFilter.of(request.query_params)
        except FilterError as error:
            raise HTTPException(400, str(error)) from None
        rows = self._database.rows(*wanted.page_query())
        calls, more = rows[:PAGE_ROWS], rows[PAGE_ROWS:]
        context = {
            "filter": wanted,
            "calls": calls,
            "reviewed": self._reviews.marks(row["recording_id"] for row in calls),
            "count": self._database.rows(*wanted.count_query())[0]["n"],
            "following": wanted.url(after=next_keys(calls[-1])) if more else None,
            "lists": {name: title for name, (title, _) in SHOWN.items()},
            "sorts": {name: title for name, (title, _) in SORTS.items()},
            "facets": self._database.per_publication("facets", self._facets),
            "rules": Rules.of(self._settings),
        }
        return TEMPLATES.TemplateResponse(request, "calls.html", context)

    def _facets(self, con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
        """Queues, days, and attributes with few values, to choose from."""
        [(first, last)] = con.execute(
            "select min(call_date), max(call_date) from call_summary"
        ).fetchall()
        names = con.execute("select distinct queue from call_summary order by 1").fetchall()
        queues = [NO_QUEUE if name is None else name for (name,) in names]
        found = {"queues": queues, "first": first, "last": last, "attributes": {}}
        if last is not None:
            recent = last - dt.timedelta(days=RECENT_DAYS)
            values = query_values(Period(recent, last, recent), "true", self._settings)
            given = {row["name"]: row["given_values"] for row in ask(con, "attributes", values)}
            found["attributes"] = {name: given[name] for name in filter_attributes(given)}
        return found
