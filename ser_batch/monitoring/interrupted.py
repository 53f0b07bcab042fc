"""What became of the runs: those that never ended are known for it."""

from __future__ import annotations

from typing import Any

from ser_batch.store.lake import Lake, Part
from ser_batch.store.lock import is_held
from ser_batch.store.paths import Root
from ser_batch.tables import RUNS


def read_runs(root: Root, *, last: int | None = None) -> list[dict[str, Any]]:
    """Rows of `runs`, the newest first; a run that never ended is not called running.

    Args:
        root: whose runs
        last: how many of the newest; None: all
    """
    lake = Lake(root.lake)
    parts = lake.parts(RUNS)[-last:] if last else None
    rows: list[dict[str, Any]] = lake.read(RUNS, parts).to_pylist()
    rows.sort(key=lambda row: str(row["run_id"]), reverse=True)
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
    for row in lake.read(RUNS).to_pylist():
        if row["status"] == "running" and row["run_id"] != but:
            stated = RUNS.from_rows([{**row, "status": "interrupted"}])
            lake.write(RUNS, Part(None, row["run_id"]), stated)
