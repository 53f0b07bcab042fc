"""Real nights through a real Prefect server with a data base of its own."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.logs import LOG
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.store.lake import Lake
from ser_batch.tables import TableContract

TIMES = {"ingested_at", "noticed_at", "arrived_at"}
"""Columns that say when something was done, which two runs need not share."""

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prefect's folder for this test process."""
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="session")
def prefect_server(prefect_home: Path) -> Iterator[None]:
    """One server for all nights of this test process."""
    from pipelines.prefect_api import QUIET_PREFECT

    os.environ.update(QUIET_PREFECT, PREFECT_HOME=str(prefect_home))
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def audio(tmp_path: Path, demo_calls: DemoCalls) -> Path:
    """A folder of calls of the test's own."""
    return Path(shutil.copytree(demo_calls.audio_dir, tmp_path / "audio"))


@pytest.fixture
def run(prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a night: `run(audio, metadata, ingest__min_age_s=5)`."""
    from pipelines.nightly import nightly

    def night(audio: Path, *metadata: Path, **settings: object) -> dict[str, Any]:
        with monkeypatch.context() as patch:
            given = {"ingest__min_age_s": 0, "run__workers": 1, "run__retry_delay_s": 0, **settings}
            for name, value in given.items():
                patch.setenv(f"SER_{name.upper()}", str(value))
            summary: dict[str, Any] = nightly(
                audio=[str(audio)],
                metadata=[str(path) for path in metadata],
                root=str(tmp_path / "root"),
                quiet=True,
            )
            return summary

    return night


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """The lake that the nights fill."""
    return Lake(tmp_path / "root" / "lake")


def rows(lake: Lake, contract: TableContract) -> list[dict[str, Any]]:
    """A table's rows without the times at which they were made, in order of their key."""
    table: pa.Table = lake.read(contract)
    kept = table.select([name for name in table.column_names if name not in TIMES])
    listed: list[dict[str, Any]] = kept.to_pylist()
    return sorted(listed, key=lambda row: tuple(str(row[name]) for name in contract.key))


@pytest.fixture(autouse=True)
def _logs_restored() -> Iterator[None]:
    """Commands set up the log of their process, which tests share."""
    warned = logging.getLogger("py.warnings")
    before = [(logger, logger.handlers, logger.propagate) for logger in (LOG, warned)]
    yield
    for logger, handlers, propagate in before:
        logger.handlers, logger.propagate = handlers, propagate
    logging.captureWarnings(False)
