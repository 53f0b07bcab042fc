"""The engine of a process that gets single tasks, as a worker of a cluster does."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from pipelines.engine import engine_of
from ser_batch.config import Settings
from ser_batch.store.paths import Root

ENDS_WITHIN_S = 60


def work_once(folder: Path) -> None:
    engine = engine_of(Root(folder), Settings(run={"workers": 1}))
    list(engine.workers.map([[]]))  # starts a process


@pytest.mark.slow
def test_a_process_that_had_a_task_ends_though_it_has_worker_processes(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=work_once, args=(tmp_path,))
    process.start()
    process.join(ENDS_WITHIN_S)
    try:
        assert process.exitcode == 0
    finally:
        process.kill()
