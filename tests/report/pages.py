"""Reports of a few rows, and what a reader sees of them."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ser_batch.config import Settings
from ser_batch.stages.publish import publish
from ser_batch.stages.report import write_report
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import RUNS
from ser_batch.testing.lakes import MODEL_ID, TODAY, call_rows, put, put_rows
from ser_batch.testing.rows import MIDDAY, prediction, run

DRIFTED = {
    "psi": 0.61,
    "status": "drift",
    "advice": "check the line",
}


def drift_row(name: str = "pitch", **given: Any) -> dict[str, Any]:
    """A row of `drift`: a group of features of the newest day, ok."""
    row = {
        "call_date": TODAY,
        "model_id": MODEL_ID,
        "subject": "features",
        "name": name,
        "reference": "days before",
        "psi": 0.03,
        "psi_expected": 0.02,
        "count_calls": 60,
        "count_calls_before": 600,
        "status": "ok",
        "advice": None,
    }
    return {**row, **given}


def put_nights(lake: Lake, *models: str) -> None:
    """A night a day, the last one today, each with its model."""
    nights = [
        run(f"night-{ago:03}", started_at=MIDDAY - dt.timedelta(days=ago), model_id=model)
        for ago, model in enumerate(reversed(models))
    ]
    put(lake, RUNS, *nights, name="nights")


def axe_violations(page: Any) -> list[tuple[str, str, str]]:
    """What axe-core finds on a page: how bad, the rule, the first part that breaks it."""
    axe = pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    page.evaluate(script)
    found = page.evaluate(
        "async () => (await axe.run({resultTypes: ['violations']})).violations"
    )  # what passes holds every part of the page, and takes longer to send than to find
    return [(each["impact"], each["id"], each["nodes"][0]["html"]) for each in found]


def page_of(root: Root, **settings) -> str:
    publish(root, Settings(), MODEL_ID)
    return write_report(root, Settings(**settings), "run-1").read_text(encoding="utf-8")


def embedded(html: str, name: str) -> Any:
    """The data of a page's script."""
    [text] = re.findall(rf'id="{name}">(.*?)</script>', html, re.DOTALL)
    return json.loads(text)


def words(html: str) -> str:
    """The text that a reader sees, in one line."""
    body = re.sub(r"<(script|style|pre)\b.*?</\1>", " ", html, flags=re.DOTALL)
    text = re.sub(r"<[^>]+>", " ", body).replace("\N{NO-BREAK SPACE}", " ")
    return re.sub(r"\s+", " ", text)


def put_day(lake: Lake, *, n_angry: int, n_calm: int, days_ago: int = 0) -> None:
    levels = [0.95] * n_angry + [0.05] * n_calm
    put_rows(
        lake,
        *(
            call_rows(
                prediction(anger=anger, neutral=1 - anger),
                recording_id=f"r{days_ago}-{number}",
                started_at=MIDDAY - dt.timedelta(days=days_ago),
            )
            for number, anger in enumerate(levels)
        ),
    )
