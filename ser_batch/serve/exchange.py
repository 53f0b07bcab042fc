"""What pages read from a request, and what they answer with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.templating import Jinja2Templates

TEMPLATES = Jinja2Templates(directory=Path(__file__).parent / "templates")


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


def refused(request: Request, status: int, reason: str) -> Response:
    """A refusal as the one who asks reads it: a page for people, JSON for scripts."""
    if "text/html" in request.headers.get("Accept", ""):
        return TEMPLATES.TemplateResponse(request, "refused.html", {"reason": reason}, status)
    return JSONResponse({"error": reason}, status)
