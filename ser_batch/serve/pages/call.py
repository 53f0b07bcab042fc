"""The page of one call: how it went, its recording, and its segments."""

from __future__ import annotations

from typing import Any

import duckdb
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ser_batch.config import Settings
from ser_batch.emotions import UNCERTAIN
from ser_batch.errors import FileError, StoreError
from ser_batch.report.call_page import most_likely
from ser_batch.report.data import Rules
from ser_batch.report.queries import Row, ask
from ser_batch.report.timeline import ticks
from ser_batch.serve.access_log import SEEN, AccessLog
from ser_batch.serve.database import Database
from ser_batch.serve.exchange import TEMPLATES
from ser_batch.serve.sound import open_call
from ser_batch.warehouse import quoted

PATH = "/calls/{recording_id}"
N_TICKS = 8
LAST_TICK = 0.88
"""Share of the call after which a mark would stand out of the page."""
LEAD_S = 5.0
"""s before the worst moment at which a recording begins to play."""


class CallPage:
    """The page of any call of the published warehouse."""

    def __init__(self, database: Database, settings: Settings, log: AccessLog) -> None:
        self._database = database
        self._settings = settings
        self._log = log

    @property
    def routes(self) -> list[BaseRoute]:
        """The page."""
        return [Route(PATH, self._page)]

    def _page(self, request: Request) -> Response:
        recording_id = request.path_params["recording_id"]
        with self._database.open() as con:
            context = self._read(con, recording_id)
        self._log.add(request, SEEN, recording_id)
        return TEMPLATES.TemplateResponse(request, "call.html", context)

    def _read(self, con: duckdb.DuckDBPyConnection, recording_id: str) -> dict[str, Any]:
        call = call_row(con, recording_id)
        values = {"recording_id": quoted(recording_id)}
        segments = ask(con, "call_segments", values)
        duration_s = max(call["duration_s"], 0.1)
        return {
            "call": call,
            "reason": _reason(con, call["not_scored_reason"]),
            "segments": segments,
            "scored": [row for row in segments if row["emotion"] is not None],
            "has_words": any(row["dissatisfaction_words"] is not None for row in segments),
            "channels": ask(con, "call_channels", values),
            "tenths": ask(con, "call_tenths", values),
            "ticks": [
                (tick, tick / duration_s)
                for tick in ticks(duration_s, N_TICKS)
                if tick <= LAST_TICK * duration_s
            ],
            "most_likely": most_likely,
            "start_s": max(0.0, (call["worst_start_s"] or 0.0) - LEAD_S),
            "gone": _why_gone(call),
            "rules": Rules.of(self._settings),
            "emotions": self._settings.labels.emotions,
            "uncertain": UNCERTAIN,
        }


def call_row(con: duckdb.DuckDBPyConnection, recording_id: str) -> Row:
    """A call with where its recordings lie.

    Raises:
        HTTPException: 404 if there is none
    """
    sql = """
        select call_summary.* exclude (customer, team), stg_calls.sides, stg_calls.count_channels
        from call_summary
        inner join stg_calls using (recording_id)
        where call_summary.recording_id = ? and stg_calls.recording_id = ?
    """
    found: list[Row] = con.sql(sql, params=[recording_id] * 2).to_arrow_table().to_pylist()
    if not found:
        raise HTTPException(404, "there is no such call")
    return found[0]


def _why_gone(call: Row) -> str | None:
    """Why the recording cannot be played, None if it can."""
    try:
        open_call(call)
    except (FileError, StoreError) as error:
        return str(error)
    return None


def _reason(con: duckdb.DuckDBPyConnection, code: str | None) -> Row | None:
    """Why a call is not scored, in words."""
    sql = "select meaning, remedy from stg_not_scored_reasons where code = ?"
    found: list[Row] = con.sql(sql, params=[code]).to_arrow_table().to_pylist()
    return found[0] if found else None
