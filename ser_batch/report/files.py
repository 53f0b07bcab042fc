"""Reports on disk: each page beside the data file that it is rendered from.

The data file is written last. A page without a readable one was not finished, or comes from a
version of ser-batch that kept other data or none; it cannot be edited, so `redact` deletes it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from ser_batch.report.call_page import render_call
from ser_batch.report.data import CallData, ReportData, from_json, to_json
from ser_batch.report.page import render
from ser_batch.store.atomic import sweep, write_text_atomic
from ser_batch.store.content import read_bytes
from ser_batch.store.disk import disk

_CALLS = "-calls"
_PAGE, _DATA, _TEXT = ".html", ".json", ".txt"


def begin_report(reports: Path, name: str) -> None:
    """Remove data and call pages of a report that is about to be written again.

    Unfinished files of killed runs go too.
    """
    sweep(reports)
    disk().unlink(reports / f"{name}{_DATA}")
    disk().remove_folder(reports / f"{name}{_CALLS}")


def write_call(reports: Path, data: CallData) -> None:
    """Write the page of a call and its data file into the folder of its report's calls."""
    folder, name = reports / f"{data.report}{_CALLS}", data.call["recording_id"]
    write_text_atomic(folder / f"{name}{_PAGE}", render_call(data))
    write_text_atomic(folder / f"{name}{_DATA}", to_json(data))


def write_report(reports: Path, name: str, data: ReportData) -> Path:
    """Write `<name>.html` and `<name>.json`; the page's path."""
    page = reports / f"{name}{_PAGE}"
    write_text_atomic(page, render(data))
    write_text_atomic(reports / f"{name}{_DATA}", to_json(data))
    return page


def write_texts(reports: Path, name: str, html: str, text: str) -> Path:
    """Write `<name>.html` and `<name>.txt`, which have no data file; the page's path."""
    page = reports / f"{name}{_PAGE}"
    write_text_atomic(reports / f"{name}{_TEXT}", text)
    write_text_atomic(page, html)
    return page


def read_report(reports: Path, name: str) -> ReportData | None:
    """The data of a finished report, None if there is no page with readable data."""
    if not (reports / f"{name}{_PAGE}").exists():
        return None
    try:
        text = read_bytes(reports / f"{name}{_DATA}")
    except FileNotFoundError:
        return None
    return from_json(text, ReportData)


def delete_report(reports: Path, name: str) -> bool:
    """Delete a report with its call pages; whether there was a page. The data file goes last."""
    page = reports / f"{name}{_PAGE}"
    existed = page.exists()
    disk().unlink(page)
    disk().unlink(reports / f"{name}{_TEXT}")
    disk().remove_folder(reports / f"{name}{_CALLS}")
    disk().unlink(reports / f"{name}{_DATA}")
    return existed


def report_times(reports: Path) -> dict[str, dt.datetime]:
    """When each report but the latest was written, UTC; a night's name says it."""
    times = {}
    for name in _names(reports):
        if name == "latest":
            continue
        try:
            times[name] = dt.datetime.strptime(name[:15], "%Y%m%dT%H%M%S")
        except ValueError:  # written by hand
            changed_s = max(path.stat().st_mtime for path in reports.glob(f"{name}[.-]*"))
            times[name] = dt.datetime.fromtimestamp(changed_s, dt.UTC).replace(tzinfo=None)
    return times


def redact(
    reports: Path, recordings: Collection[str], mention: re.Pattern[str] | None = None
) -> int:
    """Remove calls, and rows that mention something, from all reports.

    Pages of the calls are deleted. A report that lists a call or names a file is rendered again
    without it; figures that sum many calls stay. A report that mentions it in such a figure, or
    without readable data, is deleted. Killed and called again, it finishes.

    Args:
        reports: the folder of reports
        recordings: recording_ids of the calls
        mention: finds what may stand nowhere, in a text between double quotation marks

    Returns:
        number of pages that were deleted or rendered again
    """
    if not recordings and mention is None:
        return 0
    n_changed = sum(_delete_call(folder, set(recordings)) for folder in reports.glob(f"*{_CALLS}"))
    for name in _names(reports):
        data = read_report(reports, name)
        kept = None if data is None else _without(data, set(recordings), mention)
        if kept is None:
            n_changed += delete_report(reports, name)
        elif kept != data:
            write_report(reports, name, kept)
            n_changed += 1
    return n_changed


def _delete_call(folder: Path, recordings: set[str]) -> int:
    """Delete pages and data files of calls; the number of pages."""
    # a write that was killed leaves a hidden file
    files = [path for path in folder.iterdir() if path.stem in recordings or path.name[0] == "."]
    for path in files:
        disk().unlink(path)
    return sum(path.suffix == _PAGE for path in files)


def _names(reports: Path) -> list[str]:
    """Names of all reports, also of unfinished ones."""
    stems = {path.stem for suffix in (_PAGE, _DATA, _TEXT) for path in reports.glob(f"*{suffix}")}
    return sorted(stems | {path.name.removesuffix(_CALLS) for path in reports.glob(f"*{_CALLS}")})


def _without(
    data: ReportData, recordings: set[str], mention: re.Pattern[str] | None
) -> ReportData | None:
    """A report's data without some calls, None if what is left still mentions them."""

    def is_mentioned(value: object) -> bool:
        return mention is not None and any(mention.search(f'"{text}"') for text in _texts(value))

    rows = dict(data.content.rows)
    rows["priority_calls"] = [
        row for row in rows["priority_calls"] if row["recording_id"] not in recordings
    ]
    rows["quarantine"] = [row for row in rows["quarantine"] if not is_mentioned(row)]
    kept = dataclasses.replace(
        data,
        content=dataclasses.replace(data.content, rows=rows),
        call_pages=tuple(name for name in data.call_pages if name not in recordings),
        sounds={name: own for name, own in data.sounds.items() if name not in recordings},
    )
    return None if is_mentioned(dataclasses.asdict(kept)) else kept


def _texts(value: object) -> Iterator[str]:
    """All texts in nested data, keys of dictionaries included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        if value.get("audio_root"):  # the same path below another folder is another file
            value = {**value, "path": f"{value['audio_root']}/{value['path']}"}
        for key, each in value.items():
            yield str(key)
            yield from _texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)
