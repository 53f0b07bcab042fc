from __future__ import annotations

from pathlib import Path

import pytest

from ser_batch import warehouse
from ser_batch.config import Settings
from ser_batch.monitoring.interrupted import read_runs
from ser_batch.stages.publish import publish
from ser_batch.store.lake import Lake
from ser_batch.store.lock import only_run
from ser_batch.store.paths import Root
from ser_batch.tables import RUNS
from tests.lakes import MODEL_ID, put
from tests.rows import run

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


@pytest.mark.parametrize(
    ("publishing", "status"), [(NOW, "published"), (None, "interrupted")], ids=["night", "by hand"]
)
def test_the_published_file_knows_the_run_that_made_it_and_those_that_were_killed(
    root: Root, publishing: str | None, status: str
) -> None:
    publish(root, Settings(), MODEL_ID, run_id=publishing)
    with warehouse.connect(root.warehouse) as con:
        shown = dict(con.execute("select run_id, status from runs").fetchall())
    assert shown == {KILLED: "interrupted", NOW: status}
