"""The tables of the warehouse: the page of `ser-batch docs` among the other pages."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ser_batch.report.docs import docs_body
from ser_batch.report.page import asset
from ser_batch.serve.database import Database
from ser_batch.serve.exchange import TEMPLATES

PATH = "/docs"


class DocsPage:
    """The page, its style and its script."""

    def __init__(self, database: Database, target: Path) -> None:
        self._database, self._target = database, target

    @property
    def routes(self) -> list[BaseRoute]:
        """`/docs`, `/docs/docs.css` and `/docs/docs.js`."""
        return [
            Route(PATH, self._page),
            Route(f"{PATH}/docs.css", lambda _: Response(asset("docs.css"), media_type="text/css")),
            Route(
                f"{PATH}/docs.js",
                lambda _: Response(asset("docs.js"), media_type="text/javascript"),
            ),
        ]

    def _page(self, request: Request) -> Response:
        body = self._database.per_publication(PATH, lambda _: docs_body(self._target))
        return TEMPLATES.TemplateResponse(request, "docs.html", {"body": Markup(body)})
