"""The record of a run: what it did, how long it took, what it was made with, what became of it."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

import ser_batch
from ser_batch.analysis.identity import analysis_id
from ser_batch.clock import utc_now
from ser_batch.config import IngestSettings, Settings
from ser_batch.errors import BadShareError
from ser_batch.ingest.file_index import FileIndex
from ser_batch.ingest.issues import read_issues
from ser_batch.store.lake import Lake, Part
from ser_batch.store.last_night import MOST_BACK
from ser_batch.store.lock import is_held
from ser_batch.store.paths import Root
from ser_batch.store.remembered import remembered_rows
from ser_batch.tables import RUNS

Status = Literal["running", "clean", "partial", "failed", "interrupted"]


@dataclass
class RunRecord:
    """A run as it goes on.

    Attributes:
        run_id: time-ordered
        started_at: UTC
        audio_root: the audio folder
        settings: all settings
        model_id: the model that scores
        counts: what was done, by name
        stage_s: wall seconds by stage
        core_s: core seconds by step of the analysis
        audio_s: seconds of audio analysed
        status: how it stands
    """

    run_id: str
    started_at: dt.datetime
    audio_root: str
    settings: Settings
    model_id: str
    counts: Counter[str] = field(default_factory=Counter)
    stage_s: dict[str, float] = field(default_factory=dict)
    core_s: Counter[str] = field(default_factory=Counter)
    audio_s: float = 0.0
    status: Status = "running"

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measures a stage's wall seconds."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.stage_s[name] = self.stage_s.get(name, 0.0) + time.perf_counter() - start

    def write(self, lake: Lake, *, message: str | None = None) -> None:
        """State the run in the lake, as it stands."""
        # reading runs must not load it
        from ser_batch.features.sets import get_feature_set  # noqa: PLC0415

        feature_set = get_feature_set(self.settings.features.set)
        core = {f"analyse, core: {step}": seconds for step, seconds in self.core_s.items()}
        row = {
            "run_id": self.run_id,
            "started_at": self.started_at,
            "finished_at": None if self.status == "running" else utc_now(),
            "status": self.status,
            "message": message,
            "audio_root": self.audio_root,
            "counts": sorted(self.counts.items()),
            "audio_s": self.audio_s,
            "stage_s": sorted({**self.stage_s, **core}.items()),
            "code_version": ser_batch.__version__,
            "settings_id": self.settings.settings_id(),
            "analysis_id": analysis_id(self.settings),
            "feature_set": f"{feature_set.name}@{feature_set.digest}",
            "model_id": self.model_id,
        }
        lake.write(RUNS, Part(None, self.run_id), RUNS.from_rows([row]))


def new_run(
    audio_root: str, settings: Settings, model_id: str, *, started_at: dt.datetime
) -> RunRecord:
    """A record that starts at a time, UTC."""
    run_id = started_at.strftime("%Y%m%dT%H%M%S") + f"{started_at.microsecond // 1000:03d}Z"
    return RunRecord(run_id, started_at, audio_root, settings, model_id)


def count_outcome(lake: Lake, since: dt.datetime) -> dict[str, int]:
    """Files put into quarantine, and warnings made, after a time."""
    fresh = read_issues(lake).filter(pl.col("noticed_at") > since)
    counts = dict(fresh.group_by("severity").len().iter_rows())
    return {"quarantined": counts.get("quarantine", 0), "warnings": counts.get("warning", 0)}


def rejected_codes(lake: Lake, since: dt.datetime) -> dict[str, int]:
    """Files put into quarantine after a time, by the code of the reason, most first."""
    fresh = _rejected_since(lake, since)
    return dict(fresh["code"].value_counts().sort("count", "code", descending=[True, False]).rows())


def check_bad_share(lake: Lake, settings: IngestSettings) -> None:
    """Stop before publishing if too many files are bad since the last run that published.

    Raises:
        BadShareError: with the numbers and the setting
    """
    since = last_published(lake)
    fresh = _rejected_since(lake, since)
    n_untaken = fresh.filter(pl.col("stage") == "ingest").height  # they never got a row in `files`
    n_taken = FileIndex(lake, settings).taken_since(since).rows.height
    n_bad = fresh.height
    n_files = max(n_taken + n_untaken, n_bad)
    if n_files >= settings.max_bad_share_from and n_bad > settings.max_bad_share * n_files:
        raise BadShareError(n_bad=n_bad, n_files=n_files, most=settings.max_bad_share)


def _rejected_since(lake: Lake, since: dt.datetime) -> pl.DataFrame:
    """Rows of files that were put into quarantine after a time."""
    is_fresh = (pl.col("noticed_at") > since) & (pl.col("severity") == "quarantine")
    return read_issues(lake).filter(is_fresh)


def last_published(lake: Lake) -> dt.datetime:
    """When the last run began that came to its end, without those of a clock that was ahead.

    The root is held.
    """
    runs = remembered_rows(lake, RUNS).select(["started_at", "status"]).to_pylist()
    ended = [
        run["started_at"]
        for run in runs
        if run["status"] in ("clean", "partial") and not _is_ahead(run["started_at"])
    ]
    return max(ended, default=dt.datetime.min)


def _is_ahead(time: dt.datetime) -> bool:
    """Whether a time was set by a clock that was wrong, by that of now."""
    return time > utc_now() + MOST_BACK


def read_runs(root: Root, *, last: int | None = None) -> list[dict[str, Any]]:
    """Rows of `runs`, the newest first; a run that never ended is not called running.

    Those that a clock dated which was ahead come last.

    Args:
        root: whose runs
        last: how many of the newest; None: all
    """
    lake = Lake(root.lake)
    parts = lake.parts(RUNS)[-last:] if last else None
    rows: list[dict[str, Any]] = lake.read(RUNS, parts).to_pylist()
    rows.sort(key=lambda row: (not _is_ahead(row["started_at"]), row["run_id"]), reverse=True)
    for number, row in enumerate(rows):
        if row["status"] == "running" and not (number == 0 and is_held(root)):
            row["status"] = "interrupted"
    return rows


def state_interrupted(lake: Lake, *, but: str | None) -> None:
    """Write down that runs which never ended were interrupted; the root is held.

    Args:
        lake: whose runs
        but: the run that is at work
    """
    runs = remembered_rows(lake, RUNS)
    for row in runs.filter(pc.equal(runs["status"], pa.scalar("running"))).to_pylist():
        if row["run_id"] != but:
            stated = RUNS.from_rows([{**row, "status": "interrupted"}])
            lake.write(RUNS, Part(None, row["run_id"]), stated)
