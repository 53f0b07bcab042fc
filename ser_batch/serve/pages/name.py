"""Asks who enters: the name stands beside what is seen and said of calls."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ser_batch.serve.access import Access
from ser_batch.serve.exchange import TEMPLATES, json_object, person_name, text_field
from ser_batch.serve.guard import NAME_PAGE


class NamePage:
    """The page that a session without a name is sent to."""

    def __init__(self, access: Access) -> None:
        self._access = access

    @property
    def routes(self) -> list[BaseRoute]:
        """The question, and its answer."""
        return [
            Route(NAME_PAGE, self._page),
            Route(NAME_PAGE, self._set, methods=["POST"]),
        ]

    def _page(self, request: Request) -> Response:
        then = _own_path(request.query_params.get("then", "/"))
        return TEMPLATES.TemplateResponse(request, "name.html", {"then": then})

    async def _set(self, request: Request) -> Response:
        name = person_name(text_field(await json_object(request), "name"))
        self._access.set_name(request.state.session, name)
        return JSONResponse({"name": name})


def _own_path(target: str) -> str:
    """A path of this server; `/` in place of any other address."""
    parts = urlsplit(target.replace("\\", "/"))
    path = "/" + parts.path.lstrip("/")
    if parts.scheme or parts.netloc or not target.startswith("/"):
        return "/"
    return f"{path}?{parts.query}" if parts.query else path
