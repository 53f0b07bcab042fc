"""What listeners say of a call or a segment: right, wrong, can't tell, a note."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ser_batch.labels.review import DISSATISFIED, NOT_FLAGGED, Reviewed, Reviews
from ser_batch.labels.session import AnswerError, ErasedError
from ser_batch.serialise import plain
from ser_batch.serve.access_log import LABELLED, AccessLog
from ser_batch.serve.database import Database
from ser_batch.serve.exchange import json_object, text_field
from ser_batch.serve.pages.call import PATH, call_row

_SENT = (
    "channel", "segment_no", "start_s", "end_s", "annotator", "emotion", "made_at", "verdict",
    "shown", "note",
)  # fmt: skip


class ReviewPage:
    """Reviews of calls that are scored: of the others nobody may label anything."""

    def __init__(self, database: Database, reviews: Reviews, log: AccessLog) -> None:
        self._database = database
        self._reviews = reviews
        self._log = log

    @property
    def routes(self) -> list[BaseRoute]:
        """What was said of a call, and saying something."""
        return [
            Route(f"{PATH}/review", self._said),
            Route(f"{PATH}/review", self._say, methods=["POST"]),
        ]

    def _said(self, request: Request) -> Response:
        recording_id = request.path_params["recording_id"]
        with self._database.open() as con:
            call_row(con, recording_id)
        return self._answer(recording_id)

    async def _say(self, request: Request) -> Response:
        body = await json_object(request)
        return await run_in_threadpool(self._store, request, body)

    def _store(self, request: Request, body: dict[str, Any]) -> Response:
        recording_id = request.path_params["recording_id"]
        reviewed = self._reviewed(recording_id, body.get("channel"), body.get("segment_no"))
        try:
            self._reviews.add(
                reviewed,
                annotator=request.state.who,
                verdict=text_field(body, "verdict"),
                emotion=body.get("emotion") or None,
                note=text_field(body, "note").encode("utf-8", "replace").decode().strip(),
            )
        except AnswerError as error:
            status = 410 if isinstance(error, ErasedError) else 400
            raise HTTPException(status, str(error)) from None
        self._log.add(request, LABELLED, recording_id)
        return self._answer(recording_id)

    def _answer(self, recording_id: str) -> Response:
        rows = self._reviews.of(recording_id)
        return JSONResponse(plain([{name: row[name] for name in _SENT} for row in rows]))

    def _reviewed(self, recording_id: str, channel: object, segment_no: object) -> Reviewed:
        """The call or segment that is meant.

        Raises:
            HTTPException: 404 if there is none that is scored
        """
        with self._database.open() as con:
            call = call_row(con, recording_id)
        if call["dissatisfaction"] is None:
            raise HTTPException(404, "the call is not scored: there is nothing to review")
        if segment_no is None:
            shown = DISSATISFIED if call["is_dissatisfied"] else NOT_FLAGGED
            return Reviewed(recording_id, None, None, (0.0, call["duration_s"]), shown)
        if not (isinstance(channel, int) and isinstance(segment_no, int)):
            raise HTTPException(400, "channel and segment_no are no numbers")
        found = self._database.rows(
            "select start_s, end_s, emotion from segment_emotion where recording_id = ? "
            "and call_date = ? and channel = ? and segment_no = ?",
            [recording_id, call["call_date"], channel, segment_no],
        )
        if not found:
            raise HTTPException(404, "there is no such segment that is scored")
        [row] = found
        span = row["start_s"], row["end_s"]
        return Reviewed(recording_id, channel, segment_no, span, row["emotion"])
