"""The pages, their errors and the guard in one application."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from ser_batch.errors import SerError
from ser_batch.report.page import asset
from ser_batch.serve.access import Access
from ser_batch.serve.exchange import refused
from ser_batch.serve.guard import Guard
from ser_batch.serve.pages.name import NamePage

REPORT_STYLE = "/static/report.css"


def make_app(
    routes: Sequence[BaseRoute], access: Access, hosts: Sequence[str], *, asks_name: bool = False
) -> Starlette:
    """An application of some pages.

    Args:
        routes: of the pages
        access: who may enter
        asks_name: whether whoever enters says who they are before a page is shown
        hosts: names by which the server may be asked; `*` is any. A foreign name that leads here
            (rebound DNS) is refused
    """
    naming = NamePage(access).routes if asks_name else []
    static = StaticFiles(directory=Path(__file__).parent / "static")
    return Starlette(
        routes=[*routes, *naming, Route(REPORT_STYLE, _report_style), Mount("/static", static)],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False),
            Middleware(Guard, access=access, asks_name=asks_name),
        ],
        exception_handlers={HTTPException: _refusal, SerError: _failure},
    )


def _report_style(_request: Request) -> Response:
    """The style of the report: its colours and parts are those of the pages."""
    return Response(asset("page.css"), media_type="text/css")


def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refused(request, error.status_code, error.detail)


def _failure(request: Request, error: Exception) -> Response:
    assert isinstance(error, SerError)
    return refused(request, 500, error.one_line())
