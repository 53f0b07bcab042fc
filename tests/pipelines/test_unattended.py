"""A night needs no home, no terminal and no configured server; what it cannot have is one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.prefect_database import is_prepared
from ser_batch.lab.synthetic.demo import DemoCalls

ROOT = Path(__file__).parents[2]


def night(tmp_path: Path, calls: DemoCalls, **variables: str) -> subprocess.CompletedProcess[str]:
    working = tmp_path / "working folder"
    working.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pipelines.cli", "nightly", "--log-format", "text"]
    settings = {"SER_INGEST__MIN_AGE_S": "0", "SER_RUN__WORKERS": "1"}
    return subprocess.run(
        [*command, "--audio", str(calls.audio_dir), "--root", str(tmp_path / "root")],
        env={"PYTHONPATH": str(ROOT), **settings, **variables},
        cwd=working,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_an_empty_environment_without_a_home_is_enough(
    tmp_path: Path, demo_calls: DemoCalls
) -> None:
    home = tmp_path / "no home"
    done = night(tmp_path, demo_calls, HOME=str(home))

    assert done.returncode == 0, done.stderr
    assert all(line[:2] == "20" for line in done.stderr.splitlines()), "lines with time, no others"
    assert not home.exists(), "nothing is kept outside the root, and onnxruntime sends nothing"
    assert list((tmp_path / "working folder").iterdir()) == []
    database = tmp_path / "root" / ".prefect" / "prefect.db"
    assert is_prepared(database), "the next night does not set it up again"


def test_a_server_that_does_not_answer_is_one_line_before_any_work(
    tmp_path: Path, demo_calls: DemoCalls
) -> None:
    done = night(tmp_path, demo_calls, PREFECT_API_URL="http://127.0.0.1:9/api")

    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "no Prefect server answers at http://127.0.0.1:9/api" in line
    assert "PREFECT_API_URL" in line
    assert not (tmp_path / "root" / "lake").exists()
