"""Health of a root for monitoring systems: is it fresh, did the last night work, is there room?"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ser_batch.clock import utc_now
from ser_batch.config import HealthSettings
from ser_batch.errors import SerError
from ser_batch.monitoring.run_record import read_runs
from ser_batch.settings_file import find_settings_file, load_settings
from ser_batch.store.lake import Lake
from ser_batch.store.last_night import MOST_BACK
from ser_batch.store.paths import Root, find_root
from ser_batch.tables import DRIFT

Status = Literal["ok", "warning", "critical"]
ORDER: tuple[Status, ...] = ("ok", "warning", "critical")

PUBLISHED = ("clean", "partial")
"""Status of the runs that published."""

RECENT = 30
"""Runs that are read first; older ones only where none of these published."""

Run = Mapping[str, Any]


@dataclass(frozen=True)
class HealthCheck:
    """One finding.

    Attributes:
        name: what was checked
        status: how it stands
        finding: in words
        value: the number that was compared; None: there is none
        limit: the setting that it was compared with; None: there is none
    """

    name: str
    status: Status
    finding: str
    value: float | None = None
    limit: float | None = None


def overall(checks: Sequence[HealthCheck]) -> Status:
    """The worst status."""
    return max((check.status for check in checks), key=ORDER.index)


def examine_health(
    path: Path, settings_file: Path | None, *, now: dt.datetime | None = None
) -> list[HealthCheck]:
    """Every finding about a root; what keeps it from being examined is critical.

    Args:
        path: the root folder
        settings_file: TOML; None: `ser-batch.toml` in the root or the current folder
        now: UTC, without time zone; None: the present
    """
    try:
        root = find_root(path, must_exist=True)
        settings = load_settings(settings_file or find_settings_file(root.path)).health
        runs = read_runs(root, last=RECENT)
        published = _last_published(runs) or _last_published(read_runs(root))
        return [
            _freshness(published, settings, now or utc_now()),
            _last_run(runs),
            _rejected(published, settings),
            _drift(root, published),
            _disk(root, settings),
        ]
    except SerError as error:
        return [HealthCheck(error.code, "critical", error.one_line())]


def _last_published(runs: Sequence[Run]) -> Run | None:
    return next((run for run in runs if run["status"] in PUBLISHED), None)


def _freshness(published: Run | None, settings: HealthSettings, now: dt.datetime) -> HealthCheck:
    if published is None:
        return HealthCheck("freshness", "critical", "no night has published yet")
    age_h = (now - published["finished_at"]).total_seconds() / 3600
    finding = f"the last night that published ended {age_h:.1f} h ago"
    is_recent = -MOST_BACK.total_seconds() / 3600 <= age_h <= settings.max_age_h
    status: Status = "ok" if is_recent else "critical"
    return HealthCheck("freshness", status, finding, round(age_h, 2), settings.max_age_h)


def _last_run(runs: Sequence[Run]) -> HealthCheck:
    if not runs:
        return HealthCheck("last_run", "critical", "no night has run yet")
    last = runs[0]
    known: dict[str, Status] = {"clean": "ok", "running": "ok", "partial": "warning"}
    message = f": {last['message']}" if last["message"] else ""
    finding = f"{last['run_id']} is {last['status']}{message}"
    return HealthCheck("last_run", known.get(last["status"], "critical"), finding)


def _rejected(published: Run | None, settings: HealthSettings) -> HealthCheck:
    """Share of the files that were new to the last night that published."""
    counts = dict(published["counts"]) if published else {}
    rejected = counts.get("quarantined", 0)
    # files that ingest refuses are counted each night, those newly rejected once
    n_files = counts.get("files_new", 0) + min(counts.get("files_rejected", 0), rejected)
    share = rejected / max(n_files, rejected, 1)
    status: Status = "warning" if share > settings.max_rejected_share else "ok"
    finding = f"{rejected} of {max(n_files, rejected)} new files rejected"
    return HealthCheck("rejected", status, finding, round(share, 4), settings.max_rejected_share)


def _drift(root: Root, published: Run | None) -> HealthCheck:
    """The newest call date by the model that scored last."""
    lake = Lake(root.lake)
    model_id = published["model_id"] if published else None
    parts = [part for part in lake.parts(DRIFT) if part.name == model_id]
    rows = lake.read(DRIFT, parts[-1:]).to_pylist()
    drifting = [f"{row['subject']}, {row['name']}" for row in rows if row["status"] == "drift"]
    if not drifting:
        return HealthCheck("drift", "ok", "no drift" if rows else "not compared yet", 0)
    finding = f"{'; '.join(dict.fromkeys(drifting))} on {rows[0]['call_date']}: ser-batch drift"
    return HealthCheck("drift", "warning", finding, len(drifting))


def _disk(root: Root, settings: HealthSettings) -> HealthCheck:
    free_gb = shutil.disk_usage(root.path).free / 1e9
    status: Status = "critical" if free_gb < settings.min_free_gb else "ok"
    return HealthCheck(
        "disk", status, f"{free_gb:.1f} GB free", round(free_gb, 2), settings.min_free_gb
    )
