"""What pages read from a request, and what they answer with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.templating import Jinja2Templates

from ser_batch.labels.judging import LONGEST_NAME
from ser_batch.report.page import environment, with_code


def _environment() -> Environment:
    """The report's, with its words as filters, over the templates of the pages."""
    jinja = environment()
    jinja.loader = FileSystemLoader(Path(__file__).parent / "templates")
    jinja.filters["tenths"] = _tenths
    jinja.filters["sentence"] = _sentence
    return jinja


def _tenths(value: float | None) -> str:
    """A class of the style sheet for a value from 0 to 1: the policy admits no inline style."""
    return "" if value is None else f"v{round(10 * value)}"


def _sentence(text: str) -> Markup:
    """A message with a capital letter and a full stop, what stands in backticks as code."""
    text = text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
    return with_code(text)


TEMPLATES = Jinja2Templates(env=_environment())


async def json_object(request: Request) -> dict[str, Any]:
    """The JSON object in a request's body.

    Raises:
        HTTPException: 400 if the body is none
    """
    try:
        content = json.loads(await request.body())
    except ValueError:
        raise HTTPException(400, "the request is not JSON") from None
    except RecursionError:
        raise HTTPException(400, "the request's JSON is nested too deeply") from None
    if not isinstance(content, dict):
        raise HTTPException(400, "the request holds no object")
    return content


def text_field(body: Mapping[str, Any], field: str) -> str:
    """A field of a body.

    Raises:
        HTTPException: 400 if it holds no text
    """
    value = body.get(field)
    if not isinstance(value, str):
        raise HTTPException(400, f"{field} is no text")
    return value


def person_name(text: str) -> str:
    """A person's name, as it can be stored.

    Raises:
        HTTPException: 400 if there is none
    """
    name = text.encode("utf-8", "replace").decode().strip()
    if not name:
        raise HTTPException(400, "say who you are")
    return name[:LONGEST_NAME]


def refused(request: Request, status: int, reason: str) -> Response:
    """A refusal as the one who asks reads it: a page for people, JSON for scripts."""
    if "text/html" in request.headers.get("Accept", ""):
        return TEMPLATES.TemplateResponse(request, "refused.html", {"reason": reason}, status)
    return JSONResponse({"error": reason}, status)
