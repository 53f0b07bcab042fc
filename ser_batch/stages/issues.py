"""What is wrong with the calls of a shard, as rows of `quarantine`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from ser_batch.analysis.describe import CallOutcome
from ser_batch.analysis.warnings import find_warnings
from ser_batch.errors import AnalysisLostError, GoneFileError
from ser_batch.ingest.issues import IssueRow, quarantined, warned
from ser_batch.ingest.matching import DataIssue
from ser_batch.ingest.side_rows import recordings_of


def restated(outcome: CallOutcome, lost: set[str]) -> CallOutcome:
    """Of a recording that is gone: that its analysis is lost, too, where it is."""
    if outcome.recording_id in lost and isinstance(outcome.error, GoneFileError):
        return replace(outcome, error=AnalysisLostError())
    return outcome


def rejected(rows: Iterable[IssueRow]) -> set[str]:
    """Recordings that cannot be used."""
    return {str(row["recording_id"]) for row in rows if row["severity"] == "quarantine"}


def call_issues(
    outcomes: Iterable[CallOutcome],
    kept: set[str],
    lost: set[str],
    calls: Mapping[str, dict[str, Any]],
) -> list[IssueRow]:
    """What is wrong with each call, if anything."""
    rows = []
    for outcome in outcomes:
        call = calls[outcome.recording_id]
        rows += _bad_files(outcome, call, is_kept=outcome.recording_id in kept)
        found = []
        if outcome.recording_id in kept & lost:
            error = AnalysisLostError()
            found.append((error.code, str(error), error.remedy))
        elif outcome.recording_id in kept:
            message = "the file is gone; its earlier analysis, under other settings, is kept"
            found.append(("kept_earlier", message, GoneFileError.remedy))
        elif outcome.analysis is not None:
            found += find_warnings(outcome.analysis, outcome.n_channels, call["roles"])
        place = (call["recording_id"], call["audio_root"])
        rows += [
            warned(DataIssue(call["path"], code, message, remedy, *place), "analyse")
            for code, message, remedy in found
        ]
    return rows


def _bad_files(outcome: CallOutcome, call: dict[str, Any], *, is_kept: bool) -> list[IssueRow]:
    """The recordings of a call that cannot be used: all of it, or of one side."""
    files = call["sides"] or [call]
    errors = {} if is_kept else dict(outcome.side_errors)
    if outcome.error is not None and not errors and not is_kept:
        errors = dict.fromkeys(range(len(files)), outcome.error)
    return [
        quarantined(
            files[number]["audio_root"],
            files[number]["path"],
            files[number]["recording_id"],
            "analyse",
            error,
        )
        for number, error in errors.items()
    ]


def issues_of_calls(noticed: pa.Table, calls: pa.Table) -> list[IssueRow]:
    """Issues of recordings that are still live: what was fixed or replaced is not wrong now."""
    live = {name for call in calls.to_pylist() for name in recordings_of(call)}
    rows = noticed.drop(["noticed_at"]).to_pylist()
    return [row for row in rows if row["recording_id"] in live]
