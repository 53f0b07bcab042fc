"""The labelling page's server: loopback by default, nothing without the token."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ser_batch.errors import ServeError
from ser_batch.labels.session import AnswerError, Question, Session

LOOPBACK = ("127.0.0.1", "::1", "localhost")
LONGEST_BODY = 10_000
LONGEST_NAME = 120
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "media-src blob:; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
ASSETS = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}


class LabelServer(ThreadingHTTPServer):
    """Serves one session.

    Args:
        session: what is asked
        host: address to listen on
        port: 0 takes a free one

    Raises:
        ServeError: if the address is taken or none of this machine's
    """

    daemon_threads = True

    def __init__(self, session: Session, *, host: str, port: int) -> None:
        self.session = session
        self.token = secrets.token_urlsafe(24)
        self.loopback_only = host in LOOPBACK
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise ServeError(f"cannot listen on {host}:{port}: {error.strerror}") from error

    @property
    def url(self) -> str:
        """Address of the page; the token stands behind the #, which no log or server sees."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/#{self.token}"


class _Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: LabelServer
    timeout = 30
    server_version = "ser-batch"
    sys_version = ""

    def do_GET(self) -> None:
        """Page, next question or sound."""
        address = urlsplit(self.path)
        if address.path in ASSETS and self._host_is_right():
            name, kind = ASSETS[address.path]
            self._send(files(__package__).joinpath(name).read_bytes(), kind)
        elif self._is_allowed():
            if address.path == "/question":
                annotator = parse_qs(address.query).get("annotator", [""])[0]
                self._answer(lambda: self._question(_name(annotator)))
            else:
                self._send_sound(address.path)

    def do_POST(self) -> None:
        """An answer, or taking one back."""
        if not self._is_allowed():
            return
        path = urlsplit(self.path).path
        if path == "/answer":
            self._answer(self._take_answer)
        elif path == "/undo":
            self._answer(self._undo)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: who labelled what is nobody's business on the terminal."""

    def _host_is_right(self) -> bool:
        """Refuse names that lead here but are not this machine's: rebound DNS."""
        host = (self.headers.get("Host") or "").rsplit(":", 1)[0].strip("[]")
        if self.server.loopback_only and host not in LOOPBACK:
            self.send_error(HTTPStatus.FORBIDDEN)
            return False
        return True

    def _is_allowed(self) -> bool:
        if not self._host_is_right():
            return False
        given = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self.server.token.encode()):
            self.send_error(HTTPStatus.FORBIDDEN, "the token is missing or wrong")
            return False
        return True

    def _question(self, annotator: str) -> dict[str, Any]:
        session = self.server.session
        return self._shown(annotator, session.ask(annotator))

    def _take_answer(self) -> dict[str, Any]:
        body = self._body()
        annotator = _name(body.get("annotator"))
        segment, emotion = str(body.get("segment")), str(body.get("emotion"))
        self.server.session.answer(annotator, segment, emotion)
        return self._question(annotator)

    def _undo(self) -> dict[str, Any]:
        annotator = _name(self._body().get("annotator"))
        self.server.session.undo(annotator)
        return self._question(annotator)

    def _shown(self, annotator: str, question: Question | None) -> dict[str, Any]:
        session = self.server.session
        done, total = session.progress(annotator)
        return {
            "segment": question.name if question else None,
            "done": done,
            "total": total,
            "emotions": session.emotions,
        }

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length") or ""
        if not length.isdigit() or int(length) > LONGEST_BODY:
            raise AnswerError("the request has no length, or is too long")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except ValueError as error:
            raise AnswerError("the request is not JSON") from error
        if not isinstance(body, dict):
            raise AnswerError("the request holds no object")
        return body

    def _answer(self, make: Callable[[], dict[str, Any]]) -> None:
        try:
            content, status = make(), HTTPStatus.OK
        except AnswerError as error:
            content, status = {"error": str(error)}, HTTPStatus.BAD_REQUEST
        self._send(json.dumps(content).encode(), "application/json", status)

    def _send_sound(self, path: str) -> None:
        name = path.removeprefix("/sound/").removesuffix(".wav")
        sound = self.server.session.sound(name)
        if sound is None or not sound.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self._send(sound.read_bytes(), "audio/wav")

    def _send(self, content: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        for name, value in SECURITY.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _name(value: object) -> str:
    """An annotator's name.

    Raises:
        AnswerError: if there is none
    """
    name = str(value or "").strip()
    if not name:
        raise AnswerError("say who you are")
    return name[:LONGEST_NAME]
