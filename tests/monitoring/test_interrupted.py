from __future__ import annotations

from pathlib import Path

import pytest

from ser_batch import warehouse
from ser_batch.config import Settings
from ser_batch.monitoring.run_record import read_runs
from ser_batch.stages.publish import finish_publishing, publish
from ser_batch.store.lake import Lake
from ser_batch.store.lock import only_run
from ser_batch.store.paths import Root
from ser_batch.tables import RUNS
from ser_batch.testing.lakes import MODEL_ID, put
from ser_batch.testing.rows import run

KILLED, NOW = "20261102T020000Z", "20261103T020000Z"


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A run that was killed, and one that is at work."""
    root = Root(tmp_path)
    for run_id in (KILLED, NOW):
        row = run(run_id, status="running", finished_at=None)
        put(Lake(root.lake), RUNS, row, name=run_id)
    return root


def statuses(root: Root) -> dict[str, str]:
    return {row["run_id"]: row["status"] for row in read_runs(root)}


def test_a_run_that_never_ended_is_running_only_while_the_root_is_held(root: Root) -> None:
    assert statuses(root) == {NOW: "interrupted", KILLED: "interrupted"}
    with only_run(root):
        assert statuses(root) == {NOW: "running", KILLED: "interrupted"}
    assert list(statuses(root)) == [NOW, KILLED], "the newest first"


def published_runs(root: Root) -> dict[str, tuple[str, float | None]]:
    sql = "select run_id, status, date_diff('second', started_at, finished_at) from runs"
    with warehouse.connect(root.warehouse) as con:
        return {
            run_id: (status, wall_s) for run_id, *(status, wall_s) in con.execute(sql).fetchall()
        }


def test_a_night_publishes_its_own_final_status_and_length(root: Root) -> None:
    lake = Lake(root.lake)
    held = publish(root, Settings(), MODEL_ID, run_id=NOW)
    assert held.path != root.warehouse
    assert not root.warehouse.exists(), "nothing is published before the record is final"
    put(lake, RUNS, run(NOW, status="partial"), name=NOW)
    finish_publishing(root, held)
    final = run(NOW)
    wall_s = (final["finished_at"] - final["started_at"]).total_seconds()
    assert published_runs(root) == {KILLED: ("interrupted", None), NOW: ("partial", wall_s)}
    assert [path.name for path in root.warehouse.parent.glob("[!.]*")] == [root.warehouse.name]
    again = publish(root, Settings(), MODEL_ID, run_id=NOW)
    assert not again.built, "the lake has not changed"


def test_what_a_killed_night_held_back_is_built_again(root: Root) -> None:
    held = publish(root, Settings(), MODEL_ID, run_id=NOW)
    held.path.rename(held.path.with_name(f"{root.warehouse.name}.building-1"))
    publish(root, Settings(), MODEL_ID)
    assert set(published_runs(root)) == {KILLED, NOW}
    assert [path.name for path in root.warehouse.parent.glob("[!.]*")] == [root.warehouse.name]


def test_published_by_hand_runs_that_never_ended_are_interrupted(root: Root) -> None:
    publish(root, Settings(), MODEL_ID)
    assert {status for status, _ in published_runs(root).values()} == {"interrupted"}
