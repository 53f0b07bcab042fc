"""A month of calls, published and reported once for all tests of the report."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from ser_batch.config import Settings
from ser_batch.lake import Lake
from ser_batch.paths import Root
from ser_batch.stages.publish import publish
from ser_batch.stages.report import write_report
from ser_batch.tables import DRIFT, QUARANTINE, RUNS
from tests.lakes import MODEL_ID, TODAY, put, put_call, put_weeks
from tests.rows import MIDDAY, bad_file, prediction, run

NASTY = "<script>document.title='owned'</script>"
DRIFTED = {
    "stability_index": 0.61,
    "level": "drift",
    "advice": "check the line",
}


def drift_row(name: str = "pitch", **given: Any) -> dict[str, Any]:
    """A row of `drift`: a group of features of the newest day, steady."""
    row = {
        "call_date": TODAY,
        "model_id": MODEL_ID,
        "subject": "features",
        "name": name,
        "reference": "days before",
        "stability_index": 0.03,
        "by_chance": 0.02,
        "count_calls": 60,
        "count_calls_before": 600,
        "level": "steady",
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
    found = page.evaluate("axe.run()")["violations"]
    return [(each["impact"], each["id"], each["nodes"][0]["html"]) for each in found]


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report's file."""
    root = Root(tmp_path_factory.mktemp("reported"))
    lake = Lake(root.lake)
    put_weeks(lake)
    put_call(
        lake,
        *(prediction(segment_no=number, anger=0.99, neutral=0.01) for number in range(9)),
        recording_id="nasty",
        call_id=NASTY,
        queue=NASTY,
        path=f"{NASTY}/=cmd().wav",
        attributes=[("synthetic", "true")],
    )
    put(lake, QUARANTINE, bad_file(), bad_file("slow.wav", severity="warning", message=NASTY))
    put_nights(lake, *["old-model"] * 3, *[MODEL_ID] * 10)
    put(lake, DRIFT, drift_row(), drift_row("loudness", **DRIFTED), name=MODEL_ID)
    publish(root, Settings(), MODEL_ID)
    return write_report(root, Settings(), "20261103T020000Z")
