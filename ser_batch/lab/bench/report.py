"""The report of many calls: how large it is, how long it takes to write, to open and to filter."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ser_batch.config import Settings
from ser_batch.scoring.bundle import default_bundle_path
from ser_batch.scoring.manifest import read_manifest
from ser_batch.stages.publish import publish
from ser_batch.stages.report import write_report
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.testing.lakes import put_weeks

QUEUES = ("billing", "technical", "sales", "delivery", "retention", None)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRAWN = "#trend-chart svg"

FILTER = """([at, number]) => new Promise((done) => {
  const select = document.getElementById(`facet-${at}`);
  const began = performance.now();
  select.selectedIndex = number;
  select.dispatchEvent(new Event("input", {bubbles: true}));
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
})"""
"""Choose an option and wait until it is painted, ms."""


def run(
    n_calls: int,
    n_days: int,
    settings: Settings,
    on_step: Callable[[str], None] = lambda _said: None,
) -> dict[str, Any]:
    """Make a lake of many calls without audio, publish it and write its report.

    Args:
        n_calls: over all days
        n_days: call dates
        settings: of the report; pages of single calls, which need audio, are not written
        on_step: called with the step

    Returns:
        rows, seconds and bytes; seconds in a browser are None where there is none
    """
    report = settings.report.model_copy(update={"call_pages": False})
    settings = settings.model_copy(update={"report": report})
    model_id = read_manifest(default_bundle_path()).model_id
    with tempfile.TemporaryDirectory(prefix="ser-batch-bench-") as folder:
        root = Root(Path(folder))
        on_step(f"making {n_calls} calls")
        n_segments = put_weeks(
            Lake(root.lake), model_id, n_calls=n_calls, n_days=n_days, queues=QUEUES
        )
        on_step("publishing them")
        publish_s, _ = _timed(lambda: publish(root, settings, model_id))
        on_step("writing the report")
        write_s, page = _timed(lambda: write_report(root, settings, "bench"))
        on_step("opening it")
        return {
            "n_calls": n_calls,
            "n_segments": n_segments,
            "n_days": n_days,
            "publish_s": publish_s,
            "warehouse_mb": root.warehouse.stat().st_size / 1e6,
            "write_s": write_s,
            "report_mb": page.stat().st_size / 1e6,
            **browse(page),
        }


def browse(page: Path) -> dict[str, float | None]:
    """Seconds until a report is drawn, and until its slowest filter of one value is.

    Args:
        page: the report's file

    Returns:
        None where Chromium or Playwright is not there
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415  (development only)
    except ImportError:
        found = None
    if found is None:
        return {"open_s": None, "filter_s": None}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page()
        tab.goto("about:blank")
        began = time.perf_counter()
        tab.goto(page.as_uri())
        tab.wait_for_selector(DRAWN)
        open_s = time.perf_counter() - began
        n_filters = tab.locator("#facets select").count()
        took_ms = [
            tab.evaluate(FILTER, [at, number]) for at in range(n_filters) for number in (1, 0)
        ]
        browser.close()
    return {"open_s": open_s, "filter_s": max(took_ms, default=0.0) / 1000}


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result
