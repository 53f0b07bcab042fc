"""Report: the published warehouse as a page that people read."""

from __future__ import annotations

import os
from pathlib import Path

from ser_batch import warehouse
from ser_batch.config import Settings
from ser_batch.paths import Root
from ser_batch.report.content import read_content
from ser_batch.report.page import render

LATEST = "latest.html"


def write_report(root: Root, settings: Settings, run_id: str) -> Path:
    """Write `reports/<run_id>.html`, and the same page as `reports/latest.html`.

    Args:
        root: whose warehouse is read
        settings: threshold, weights, number of calls listed and least number in a figure
        run_id: names the file

    Raises:
        WarehouseError: if nothing was published yet
    """
    with warehouse.connect(root.warehouse) as con:
        content = read_content(con, settings)
        model_id = warehouse.model_of(con)
    page = render(content, settings, run_id=run_id, model_id=model_id)
    target = root.reports / f"{run_id}.html"
    _write_whole(target, page)
    _write_whole(root.reports / LATEST, page)
    return target


def _write_whole(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(target)
