"""The annotation page: plays queued segments and stores each answer at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ser_batch.errors import NothingQueuedError
from ser_batch.labels.session import AnswerError, ErasedError, Session
from ser_batch.serve.access_log import PLAYED, AccessLog
from ser_batch.serve.exchange import TEMPLATES, json_object, person_name, text_field
from ser_batch.store.content import read_bytes
from ser_batch.store.sealed import is_sealed

PATH = "/labels"


class LabelsPage:
    """The page of one labelling session.

    Args:
        open_session: called when the page is asked for first
        log: who played and labelled which call
    """

    def __init__(self, open_session: Callable[[], Session], log: AccessLog) -> None:
        self._open_session = open_session
        self._log = log
        self._lock = threading.Lock()
        self._opened: Session | None = None

    @property
    def _session(self) -> Session:
        with self._lock:
            if self._opened is None:
                self._opened = self._open_session()
            return self._opened

    @property
    def routes(self) -> list[BaseRoute]:
        """Page, next question, its sound, an answer, and taking one back."""
        return [
            Route(PATH, self._page),
            Route(f"{PATH}/question", self._ask),
            Route(f"{PATH}/sound/{{name}}.wav", self._sound),
            Route(f"{PATH}/answer", self._answer, methods=["POST"]),
            Route(f"{PATH}/undo", self._undo, methods=["POST"]),
        ]

    def _page(self, request: Request) -> Response:
        try:
            _ = self._session
        except NothingQueuedError as error:
            raise HTTPException(404, error.one_line()) from None
        return TEMPLATES.TemplateResponse(request, "labels.html")

    def _ask(self, request: Request) -> Response:
        return self._question(request, person_name(request.query_params.get("annotator", "")))

    def _sound(self, request: Request) -> Response:
        sound = self._session.sound(request.path_params["name"])
        if sound is None or not sound.is_file():
            raise HTTPException(404, "there is no such sound")
        if is_sealed(sound):
            return Response(read_bytes(sound), media_type="audio/wav")
        return FileResponse(sound, media_type="audio/wav")

    async def _answer(self, request: Request) -> Response:
        body = await json_object(request)
        return await run_in_threadpool(self._store, request, body)

    async def _undo(self, request: Request) -> Response:
        body = await json_object(request)
        return await run_in_threadpool(self._take_back, request, body)

    def _store(self, request: Request, body: dict[str, Any]) -> Response:
        annotator = person_name(text_field(body, "annotator"))
        with _refusals():
            self._session.answer(
                annotator, text_field(body, "segment"), text_field(body, "emotion")
            )
        return self._question(request, annotator)

    def _take_back(self, request: Request, body: dict[str, Any]) -> Response:
        annotator = person_name(text_field(body, "annotator"))
        with _refusals():
            self._session.undo(annotator)
        return self._question(request, annotator)

    def _question(self, request: Request, annotator: str) -> Response:
        question = self._session.ask(annotator)
        if question is not None:
            self._log.add(request, PLAYED, question.key[0], annotator)
        done, total = self._session.progress(annotator)
        return JSONResponse(
            {
                "segment": question.name if question else None,
                "done": done,
                "total": total,
                "emotions": self._session.emotions,
            }
        )


@contextmanager
def _refusals() -> Iterator[None]:
    """Errors of a session as answers: 410 for an erased call, 400 for what makes no sense."""
    try:
        yield
    except AnswerError as error:
        status = 410 if isinstance(error, ErasedError) else 400
        raise HTTPException(status, str(error)) from None
