"""Report: the published warehouse as a page that people read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

import ser_batch
from ser_batch import warehouse
from ser_batch.audio.call_audio import call_files, require_call
from ser_batch.audio.decode import Audio
from ser_batch.config import Settings
from ser_batch.errors import BundleError, FileError
from ser_batch.report import files
from ser_batch.report.call_data import read_call
from ser_batch.report.content import Choice, read_content
from ser_batch.report.data import Excerpt, ModelFacts, ReportData, Rules, source_digest
from ser_batch.report.queries import Row
from ser_batch.resources import bundled_models
from ser_batch.scoring.choose import model_id
from ser_batch.scoring.manifest import read_card, read_evaluation, read_manifest
from ser_batch.stages.publish import publish
from ser_batch.store.paths import Root

_LATEST = "latest"
LATEST = f"{_LATEST}.html"


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
        files.begin_report(root.reports, run_id)
        calls = content.rows["priority_calls"][: settings.report.priority_calls]
        pages, sounds = _write_calls(con, root, settings, run_id, calls)
    data = ReportData(
        run_id=run_id,
        program_version=ser_batch.__version__,
        source=source_digest(settings),
        content=content,
        rules=Rules.of(settings),
        model=model,
        call_pages=pages,
        sounds=sounds,
    )
    page = files.write_report(root.reports, run_id, data)
    if choice is None:
        files.begin_report(root.reports, _LATEST)
        files.write_report(root.reports, _LATEST, data)
    return page


def republish_without(root: Root, settings: Settings) -> None:
    """Rebuild warehouse and newest report after rows were erased from the lake.

    Args:
        root: whose warehouse and reports; the root is locked
        settings: all settings
    """
    # from the lake alone: a file that grows keeps the bytes of rows that were deleted
    publish(root, settings, model_id(root, settings), full=True)
    if root.reports.exists():
        write_report(root, settings, "by-hand")


def is_current(root: Root, settings: Settings) -> bool:
    """Whether the latest report depends on these settings; `publish` knows if rows changed."""
    latest = files.read_report(root.reports, _LATEST)
    return latest is not None and latest.source == source_digest(settings)


def _write_calls(
    con: duckdb.DuckDBPyConnection,
    root: Root,
    settings: Settings,
    run_id: str,
    calls: Sequence[Row],
) -> tuple[tuple[str, ...], dict[str, Excerpt]]:
    """Write the pages of calls, where the setting says so.

    Returns:
        recording_ids of the calls with a page; the worst moment of each, where it may be played
    """
    report = settings.report
    pages: list[str] = []
    sounds: dict[str, Excerpt] = {}
    for call in calls if report.call_pages or report.excerpts else ():
        name = call["recording_id"]
        data = read_call(con, call, _audio(call, settings), settings, report=run_id)
        if report.call_pages:
            files.write_call(root.reports, data)
            pages.append(name)
        if worst := data.worst_excerpt:
            sounds[name] = worst
    return tuple(pages), sounds


def _audio(call: Row, settings: Settings) -> Audio | None:
    """The audio of a call, None if a file is gone or was replaced by something unreadable."""
    try:
        return require_call(call_files(call), settings.audio)
    except (FileError, OSError):
        return None


def model_facts(root: Root, model_id: str) -> ModelFacts:
    """What the bundle of a model states about it, if it is still here."""
    for folder in (*root.models.glob("*/"), *bundled_models().glob("*/")):
        try:
            manifest = read_manifest(folder)
        except BundleError:
            continue
        if manifest.model_id == model_id:
            figures = read_evaluation(folder)
            return ModelFacts(
                model_id, figures.get("uar"), figures.get("n_speakers"), read_card(folder)
            )
    return ModelFacts(model_id)
