"""Two periods compared, or a queue and the others; the question stands in the URL."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ser_batch.errors import ChoiceError
from ser_batch.report.compare import Asked, Days, compare, parse_days
from ser_batch.serve.database import Database
from ser_batch.serve.exchange import TEMPLATES

PATH = "/compare"


class ComparePage:
    """The form, and what came out of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def routes(self) -> list[BaseRoute]:
        """The page."""
        return [Route(PATH, self._page)]

    def _page(self, request: Request) -> Response:
        given = request.query_params
        found, problem = None, ""
        with self._database.open() as con:
            queues = con.execute(
                "select distinct queue from call_summary where queue is not null order by 1"
            ).fetchall()
            try:
                found = compare(con, _asked(given))
            except ChoiceError as error:
                problem = str(error)
        context = {
            "given": given,
            "queues": [name for (name,) in queues],
            "found": found,
            "problem": problem,
        }
        return TEMPLATES.TemplateResponse(request, "compare.html", context, 400 if problem else 200)


def _asked(given: Mapping[str, str]) -> Asked:
    """The question of a form; fields that are empty say nothing.

    Raises:
        ChoiceError: if a date is none
    """
    on = given.get("on")
    return Asked(
        after=_days(given, "first", "last"),
        before=_days(given, "first_before", "last_before"),
        on=parse_days(on).first if on else None,
        queue=given.get("queue") or None,
        others=given.get("with") == "others",
    )


def _days(given: Mapping[str, str], first: str, last: str) -> Days | None:
    """Days of which one end may be missing: then it is the other end."""
    ends = [given[name] for name in (first, last) if given.get(name)]
    return parse_days(f"{ends[0]}..{ends[-1]}") if ends else None
