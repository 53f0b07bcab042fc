"""Report: the published warehouse as a page that people read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb

import ser_batch
from ser_batch import warehouse
from ser_batch.audio.call_audio import call_files, require_call
from ser_batch.audio.decode import Audio
from ser_batch.config import Settings, digest
from ser_batch.errors import BundleError, FileError
from ser_batch.report.call_page import render_call
from ser_batch.report.content import Choice, Row, read_content
from ser_batch.report.page import ModelFacts, render
from ser_batch.resources import bundled_models
from ser_batch.scoring.bundle import CARD, EVALUATION, read_manifest
from ser_batch.scoring.choose import model_id
from ser_batch.stages.publish import publish
from ser_batch.store.atomic import write_text_atomic
from ser_batch.store.paths import Root

LATEST = "latest.html"


def write_report(
    root: Root,
    settings: Settings,
    run_id: str,
    choice: Choice | None = None,
    *,
    published: Path | None = None,
) -> Path:
    """Write `reports/<run_id>.html`; a report of everything becomes `reports/latest.html` too.

    Args:
        root: whose warehouse is read
        settings: threshold, weights, number of calls listed and least number in a figure
        run_id: names the file
        choice: days and queue; None: all queues up to the last day
        published: the warehouse; None: the root's

    Raises:
        WarehouseError: if nothing was published yet
    """
    with warehouse.connect(published or root.warehouse) as con:
        content = read_content(con, settings, choice or Choice())
        model = model_facts(root, warehouse.model_of(con))
        pages = write_call_pages(con, root, settings, run_id, content.rows["listen"])
    page = render(content, settings, run_id=run_id, model=model, call_pages=pages)
    page += _signature(settings) + "\n"
    target = root.reports / f"{run_id}.html"
    write_text_atomic(target, page)
    if choice is None:
        write_text_atomic(root.reports / LATEST, page)
    return target


def republish_without(root: Root, settings: Settings, pages_changed: bool) -> None:
    """Rebuild warehouse and newest report after rows were erased from the lake.

    Args:
        root: whose warehouse and reports; the root is locked
        settings: all settings
        pages_changed: whether written pages have changed
    """
    # from the lake alone: a file that grows keeps the bytes of rows that were deleted
    publish(root, settings, model_id(root, settings), full=True)
    if pages_changed or (root.reports / LATEST).exists():
        write_report(root, settings, "by-hand")


def is_current(root: Root, settings: Settings) -> bool:
    """Whether the latest report was made with these settings; of which rows, publishing knows."""
    try:
        return _signature(settings) in (root.reports / LATEST).read_text(encoding="utf-8")[-200:]
    except OSError:
        return False


def _signature(settings: Settings) -> str:
    """A last line of the page that names what it was made with, beside the warehouse."""
    parts = (settings.report.digest(), settings.dissatisfaction.digest(), ser_batch.__version__)
    return f"<!-- made with {digest(parts)} -->"


def write_call_pages(
    con: duckdb.DuckDBPyConnection,
    root: Root,
    settings: Settings,
    run_id: str,
    calls: Sequence[Row],
) -> dict[str, str]:
    """Write `reports/<run_id>-calls/<recording_id>.html` for the calls at the top of the list.

    Returns:
        each page's address relative to the reports' folder, by recording_id
    """
    folder = root.reports / f"{run_id}-calls"
    shutil.rmtree(folder, ignore_errors=True)
    if not settings.report.call_pages:
        return {}
    addresses = {}
    for call in calls[: settings.report.calls_to_listen]:
        recording_id = call["recording_id"]
        page = render_call(con, call, _audio(call, settings), settings, back=f"{run_id}.html")
        write_text_atomic(folder / f"{recording_id}.html", page)
        addresses[recording_id] = f"{folder.name}/{recording_id}.html"
    return addresses


def _audio(call: Row, settings: Settings) -> Audio | None:
    """The audio of a call, None if a file is gone or was replaced by something unreadable."""
    try:
        return require_call(call_files(call), settings.audio)
    except (FileError, OSError):
        return None


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
