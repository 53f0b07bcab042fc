"""Write what is wrong with files and metadata into the table `quarantine`.

Each part of the table belongs to one writer, which states all that is wrong at present; what was
fixed vanishes by itself, and what stays keeps the time at which it was noticed first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import polars as pl

from ser_batch.errors import DamagedPartError, FileError
from ser_batch.ingest.matching import DataIssue
from ser_batch.store.lake import Lake, Part
from ser_batch.store.remembered import remembered_rows
from ser_batch.tables import QUARANTINE

IssueRow = dict[str, object]


def quarantined(
    audio_root: str, path: str, recording_id: str | None, stage: str, error: FileError
) -> IssueRow:
    """A row for a file that is left out."""
    return {
        "audio_root": audio_root,
        "path": path,
        "recording_id": recording_id,
        "severity": "quarantine",
        "stage": stage,
        "code": error.code,
        "message": str(error),
        "remedy": error.remedy,
    }


def warned(issue: DataIssue, stage: str) -> IssueRow:
    """A row for something that was taken all the same."""
    return {
        "audio_root": issue.audio_root,
        "path": issue.place,
        "recording_id": issue.recording_id,
        "severity": "warning",
        "stage": stage,
        "code": issue.code,
        "message": issue.message,
        "remedy": issue.remedy,
    }


def replace_issues(
    lake: Lake,
    writer: str,
    rows: Iterable[IssueRow],
    now: dt.datetime,
    tags: dict[str, str] | None = None,
) -> None:
    """Replace a writer's rows by the present ones.

    Args:
        lake: the lake
        writer: name of the part
        rows: all that is wrong now, without `noticed_at`
        now: UTC, for rows that are new
        tags: what the rows were made from
    """
    part = Part(None, writer)
    try:
        before = lake.read(QUARANTINE, [part]).to_pylist()
    except DamagedPartError:  # its rows are written again, as noticed now
        before = []
    noticed = {_key(row): row["noticed_at"] for row in before}
    stated = {_key(row): {**row, "noticed_at": noticed.get(_key(row), now)} for row in rows}
    if not stated:
        lake.remove(QUARANTINE, part)
    elif tags is not None or set(stated) != set(noticed):
        # nothing else says when what stays was noticed
        rows_now = QUARANTINE.from_rows(stated.values())
        lake.write(QUARANTINE, part, rows_now, tags, durable=bool(before))


def read_issues(lake: Lake) -> pl.DataFrame:
    """All rows of `quarantine`; parts that did not change are not opened. The root is held."""
    return pl.DataFrame(pl.from_arrow(remembered_rows(lake, QUARANTINE)))


def _key(row: IssueRow) -> tuple[object, ...]:
    return tuple(row[name] for name in QUARANTINE.key)
