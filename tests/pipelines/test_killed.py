"""Nights that are killed, at points chosen by how many files they have written so far."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ser_batch import warehouse
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.scoring.bundle import default_bundle_path
from ser_batch.scoring.manifest import read_manifest
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    FILES,
    METADATA,
    QUARANTINE,
    RECORDINGS,
    SEGMENTS,
    predictions_contract,
)
from tests.pipelines.conftest import rows
from tests.pipelines.test_nightly import features

N_KILLS = 1
PATIENCE_S = 240
ENDS_WITHIN_S = 30
MARTS = ("call_summary", "segment_emotion", "daily_dissatisfaction", "not_scored")


def start(root: Path, calls: DemoCalls, prefect_home: Path) -> subprocess.Popen[bytes]:
    settings = {
        "SER_INGEST__MIN_AGE_S": "0",
        "SER_INGEST__SHARD_CALLS": "2",
        "SER_RUN__WORKERS": "2",
        "PREFECT_HOME": str(prefect_home),
    }
    command = [sys.executable, "-m", "pipelines.cli", "nightly", "--json"]
    options = ["--audio", str(calls.audio_dir), "--metadata", str(calls.metadata_path)]
    return subprocess.Popen(
        [*command, *options, "--root", str(root)],
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def finish(root: Path, calls: DemoCalls, prefect_home: Path) -> None:
    process = start(root, calls, prefect_home)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors.decode()


def n_files(root: Path) -> int:
    return sum(1 for path in root.rglob("*") if path.suffix in (".parquet", ".duckdb", ".html"))


def kill_after(root: Path, files: int, calls: DemoCalls, prefect_home: Path) -> None:
    process = start(root, calls, prefect_home)
    give_up = time.monotonic() + PATIENCE_S
    while process.poll() is None and n_files(root) < files and time.monotonic() < give_up:
        time.sleep(0.005)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)  # it alone: workers and server must end with it
    process.communicate()
    assert is_gone(process.pid), "processes of a killed night are left"


def is_gone(group: int) -> bool:
    """Whether all processes of a group end by themselves."""
    give_up = time.monotonic() + ENDS_WITHIN_S
    while time.monotonic() < give_up:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def contents(root: Path) -> dict[str, object]:
    lake = Lake(Root(root).lake)
    predictions = predictions_contract(read_manifest(default_bundle_path()).model_id)
    tables = (
        FILES, METADATA, CALLS, RECORDINGS, CHANNELS, SEGMENTS, features(), predictions, QUARANTINE,
    )  # fmt: skip
    found: dict[str, object] = {table.name: rows(lake, table) for table in tables}
    with warehouse.connect(Root(root).warehouse) as con:
        for mart in MARTS:
            found[mart] = con.execute(f"select * from {mart} order by all").fetchall()
    return found


def test_a_night_killed_again_and_again_ends_with_the_same_rows(
    tmp_path: Path, demo_calls: DemoCalls, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("prefect-killed")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    finish(whole, demo_calls, home)
    total = n_files(whole)

    chance = random.Random(20)
    for files in sorted(chance.sample(range(1, total), N_KILLS)):
        kill_after(broken, files, demo_calls, home)
    finish(broken, demo_calls, home)

    assert contents(broken) == contents(whole)
    leftovers = [path.name for path in broken.rglob("*") if ".tmp-" in path.name]
    assert leftovers == []
