"""Report: the published warehouse as a page that people read."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ser_batch import warehouse
from ser_batch.config import Settings
from ser_batch.errors import BundleError
from ser_batch.model.bundle import CARD, EVALUATION, read_manifest
from ser_batch.paths import Root
from ser_batch.report.content import Choice, read_content
from ser_batch.report.page import ModelFacts, render
from ser_batch.resources import bundled_models

LATEST = "latest.html"


def write_report(root: Root, settings: Settings, run_id: str, choice: Choice | None = None) -> Path:
    """Write `reports/<run_id>.html`; a report of everything becomes `reports/latest.html` too.

    Args:
        root: whose warehouse is read
        settings: threshold, weights, number of calls listed and least number in a figure
        run_id: names the file
        choice: days and queue; None: all queues up to the last day

    Raises:
        WarehouseError: if nothing was published yet
    """
    with warehouse.connect(root.warehouse) as con:
        content = read_content(con, settings, choice or Choice())
        model = model_facts(root, warehouse.model_of(con))
    page = render(content, settings, run_id=run_id, model=model)
    target = root.reports / f"{run_id}.html"
    _write_whole(target, page)
    if choice is None:
        _write_whole(root.reports / LATEST, page)
    return target


def model_facts(root: Root, model_id: str) -> ModelFacts:
    """What the bundle of a model says of it, if it is still here."""
    for folder in (*root.models.glob("*/"), *bundled_models().glob("*/")):
        try:
            manifest = read_manifest(folder)
        except BundleError:
            continue
        if manifest.model_id == model_id:
            figures = json.loads((folder / EVALUATION).read_bytes())
            card = (folder / CARD).read_text(encoding="utf-8")
            return ModelFacts(model_id, figures.get("uar"), figures.get("n_speakers"), card)
    return ModelFacts(model_id)


def _write_whole(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(target)
