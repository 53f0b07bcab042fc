"""What every request must satisfy before a page sees it."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ser_batch.serve.access import Access, session_id
from ser_batch.serve.exchange import refused

PUBLIC = "/static/"
"""Styles and scripts, which say nothing of a call."""

NAME_PAGE = "/name"
"""Asks a new session who uses it."""

READING = ("GET", "HEAD")
MAX_BODY_BYTES = 10_000
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "media-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Middleware: lets in who followed the link, and only requests of this server's own pages.

    Args:
        app: answers the others
        access: the link and the sessions
        asks_name: whether nothing is shown before the session has a name
    """

    def __init__(self, app: ASGIApp, access: Access, *, asks_name: bool) -> None:
        self._app = app
        self._access = access
        self._asks_name = asks_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        answer = self._stopped(Request(scope)) or self._app
        await answer(scope, _limited(receive), _secured(send))

    def _stopped(self, request: Request) -> Response | None:
        """The answer to a request that no page may see."""
        if request.url.path.startswith(PUBLIC):
            return None
        # cookies are shared by all ports of a host
        cookie = f"ser_batch_{request.scope['server'][1]}"
        if opened := self._access.enter(request.query_params.get("token", "")):
            entered = RedirectResponse("/" + request.url.path.lstrip("/"), 303)
            entered.set_cookie(cookie, opened, httponly=True, samesite="lax")
            return entered
        session = request.cookies.get(cookie, "")
        if not self._access.is_inside(session):
            reason = "Open the link that the terminal shows; each link works once."
            return refused(request, 403, reason)
        own = f"{request.url.scheme}://{request.headers.get('Host')}"
        if request.method not in READING and request.headers.get("Origin") != own:
            return refused(request, 403, "The request comes from another site.")
        request.state.session, request.state.session_id = session, session_id(session)
        request.state.who = self._access.name_of(session)
        if self._asks_name and not request.state.who and request.url.path != NAME_PAGE:
            query = f"?{request.url.query}" if request.url.query else ""
            then = urlencode({"then": request.url.path + query})
            return RedirectResponse(f"{NAME_PAGE}?{then}", 303)
        return None


def _limited(receive: Receive) -> Receive:
    n_bytes = 0

    async def limited() -> Message:
        nonlocal n_bytes
        message = await receive()
        n_bytes += len(message.get("body", b""))
        if n_bytes > MAX_BODY_BYTES:
            raise HTTPException(413, f"the request is longer than {MAX_BODY_BYTES} bytes")
        return message

    return limited


def _secured(send: Send) -> Send:
    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(SECURITY)
        await send(message)

    return secured
