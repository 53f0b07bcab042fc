from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from ser_batch import resources
from ser_batch.analysis.workers import Workers
from ser_batch.errors import GoneFileError, TruncatedAudioError

DEADLY = 7


def squares(jobs: Sequence[int]) -> list[int]:
    if DEADLY in jobs:
        os.kill(os.getpid(), signal.SIGKILL)
    return [job * job for job in jobs]


def lost(job: int) -> int:
    return -job


def broken(jobs: Sequence[int]) -> list[Exception]:
    return [TruncatedAudioError(n_expected=2, n_read=job) for job in jobs]


def died(job: int) -> Exception:
    return GoneFileError()


def surroundings(jobs: Sequence[int]) -> list[tuple[str, tuple[Path, ...]]]:
    return [(os.environ["OMP_NUM_THREADS"], resources.encoder_folders()) for _ in jobs]


def unseen(job: int) -> tuple[str, tuple[Path, ...]]:
    return "", ()


def test_processes_have_one_thread_and_know_the_encoders_that_were_added(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(resources, "_added_encoders", [tmp_path / "newer", tmp_path / "older"])
    with Workers(surroundings, unseen, 1) as workers:
        [[(threads, folders)]] = workers.map([[1]])
    assert threads == "1"
    assert folders == resources.encoder_folders()
    assert folders[1:] == (tmp_path / "newer", tmp_path / "older")
    assert "OMP_NUM_THREADS" not in os.environ


def test_only_the_job_that_kills_its_process_is_lost() -> None:
    with Workers(squares, lost, 2) as workers:
        chunks = [[1, 2, 3], [6, DEADLY, 8], [10]]
        results = sorted(result for some in workers.map(chunks) for result in some)
        again = [result for some in workers.map([[4]]) for result in some]
    assert results == sorted([1, 4, 9, 36, -DEADLY, 64, 100])
    assert again == [16]


def test_errors_come_back_from_a_process_as_they_were() -> None:
    with Workers(broken, died, 1) as workers:
        ((error,),) = workers.map([[1]])
    assert isinstance(error, TruncatedAudioError)
    assert str(error) == "header declares 2 samples, file holds 1"
    assert error.one_line().endswith("again.")


def test_processes_end_with_the_parent_that_was_killed() -> None:
    program = (
        "import os, sys, time\n"
        "from ser_batch.analysis.workers import Workers\n"
        "from tests.analysis.test_workers import pids, lost\n"
        "if __name__ == '__main__':\n"
        "    with Workers(pids, lost, 1) as workers:\n"
        "        print(next(iter(workers.map([[1]])))[0], flush=True)\n"
        "        time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    for _ in range(200):
        if not _runs(child):
            return
        time.sleep(0.05)
    pytest.fail(f"process {child} outlived its parent")


def pids(jobs: Sequence[int]) -> list[int]:
    return [os.getpid() for _ in jobs]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
    return state != "Z"
