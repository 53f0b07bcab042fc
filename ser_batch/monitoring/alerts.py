"""Alerts: what of a night needs attention, each once a night and cell."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from ser_batch.config import digest
from ser_batch.errors import SerError

if TYPE_CHECKING:
    from ser_batch.monitoring.run_record import RunRecord

MOST_CELLS = 50
"""Findings that one alert lists; it says how many more there are."""

Kind = Literal["failed", "partial", "drift", "threshold", "test"]


@dataclass(frozen=True)
class AlertedRun:
    """The run that an alert is about.

    Attributes:
        run_id: time-ordered
        day: on which it started, in the call centre's time zone
        root: its folder
    """

    run_id: str
    day: dt.date
    root: Path


@dataclass(frozen=True)
class Cell:
    """One finding of an alert.

    Attributes:
        key: equal keys are one finding, which is sent once
        text: a line
        fields: the same for programs, JSON-able
    """

    key: str
    text: str
    fields: Mapping[str, Any]

    @property
    def key_id(self) -> str:
        """Digest of the key, which names nothing of a call."""
        return digest(self.key)


@dataclass(frozen=True)
class Alert:
    """What is sent.

    Attributes:
        kind: what happened
        run: of which run
        headline: first line
        cells: the findings
    """

    kind: Kind
    run: AlertedRun
    headline: str
    cells: tuple[Cell, ...]

    @property
    def text(self) -> str:
        """The alert for people."""
        where = f"{socket.gethostname()}:{self.run.root}"
        lines = [f"• {cell.text}" for cell in self.cells[:MOST_CELLS]]
        if (n_more := len(self.cells) - MOST_CELLS) > 0:
            lines.append(f"… {n_more} more")
        return "\n".join([f"ser-batch {self.headline} ({where})", *lines])

    def payload(self) -> dict[str, Any]:
        """The alert for programs; Slack shows `text`."""
        return {
            "text": self.text,
            "kind": self.kind,
            "run_id": self.run.run_id,
            "day": self.run.day.isoformat(),
            "host": socket.gethostname(),
            "root": str(self.run.root),
            "count_cells": len(self.cells),
            "cells": [dict(cell.fields) for cell in self.cells[:MOST_CELLS]],
        }

    def without(self, sent: Collection[str]) -> Alert | None:
        """The alert without the cells that were sent before; None if none is left.

        Args:
            sent: their `key_id`
        """
        cells = tuple(cell for cell in self.cells if cell.key_id not in sent)
        return replace(self, cells=cells) if cells else None


def alerted_run(root: Path, record: RunRecord, timezone: str) -> AlertedRun:
    """The run of a record.

    Args:
        root: its folder
        record: of the run
        timezone: the call centre's
    """
    started = record.started_at.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(timezone))
    return AlertedRun(record.run_id, started.date(), root)


def failed_alert(run: AlertedRun, error: BaseException) -> Alert:
    """The night failed; the same error of the same day is one finding."""
    code, text = "unexpected", f"{type(error).__name__}: {error}"
    if isinstance(error, SerError):
        code, text = error.code, error.one_line()
    cell = Cell(f"failed {run.day} {text}", text, {"code": code, "message": text})
    return Alert("failed", run, f"night of {run.day} failed", (cell,))


def partial_alert(run: AlertedRun, counts: Mapping[str, int], message: str) -> Alert:
    """Files were rejected, or too few calls were scored.

    Args:
        run: the night
        counts: of its record
        message: why it is not complete; empty: it is
    """
    rejected = counts.get("quarantined", 0)
    found = [message] if message else []
    if rejected:
        files = "1 file" if rejected == 1 else f"{rejected} files"
        found.append(f"{files} rejected: ser-batch quarantine list")
    text = "; ".join(found)
    cell = Cell(f"partial {run.day} {text}", text, {"rejected": rejected, "message": message})
    return Alert("partial", run, f"night of {run.day} is partial", (cell,))


def drift_alert(run: AlertedRun, rows: Sequence[Mapping[str, Any]]) -> Alert:
    """Calls are unlike those before, or unlike the training data.

    Args:
        run: the night
        rows: of `drift` whose level is drift
    """
    cells = []
    for row in rows:
        names = ("call_date", "model_id", "subject", "name", "reference")
        fields = {name: str(row[name]) for name in names} | {
            "psi": row["psi"],
            "advice": row["advice"],
        }
        key = " ".join(("drift", *(fields[name] for name in names)))
        text = f"{row['subject']}, {row['name']}, against {row['reference']}: {row['advice']}"
        cells.append(Cell(key, text, fields))
    return Alert("drift", run, f"night of {run.day} found drift", tuple(cells))


def sample_alert(run: AlertedRun) -> Alert:
    """What `ser-batch alerts test` sends."""
    text = "a test: alerts arrive here"
    cell = Cell(f"test {run.run_id}", text, {"message": text})
    return Alert("test", run, "test", (cell,))
