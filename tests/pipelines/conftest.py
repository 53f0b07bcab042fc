"""Real nights: their steps alone, or as a flow on a real Prefect server."""

from __future__ import annotations

import datetime as dt
import logging
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pytest

from pipelines.logs import LOG
from ser_batch.config import Settings
from ser_batch.environment import set_unless_given
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.store.lake import Lake
from ser_batch.tables import TableContract

TIMES = {"ingested_at", "noticed_at", "arrived_at"}
"""Columns that say when something was done, which two runs need not share."""

Result = TypeVar("Result")
Run = Callable[..., dict[str, Any]]
Settled = Callable[..., AbstractContextManager[None]]


class PlainRunner:
    """One step after the other in this process, without Prefect."""

    def run(self, step: Callable[..., Result], *arguments: Any) -> Result:
        """Call it."""
        return step(*arguments)

    def map(
        self, step: Callable[..., Result], arguments: Iterable[tuple[Any, ...]]
    ) -> list[Result]:
        """Call it for each."""
        return [step(*values) for values in arguments]

    def name_run(self, dates: Collection[dt.date]) -> None:
        """Nobody looks."""


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prefect's folder for this test process."""
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="session")
def prefect_server(prefect_home: Path) -> Iterator[None]:
    """One server for all nights of this test process."""
    from pipelines.prefect_api import QUIET

    set_unless_given({"PREFECT_HOME": str(prefect_home)})
    from prefect.logging.configuration import setup_logging
    from prefect.settings import temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    with temporary_settings(set_defaults=QUIET), prefect_test_harness(server_startup_timeout=120):
        setup_logging()
        yield


@pytest.fixture
def audio(tmp_path: Path, demo_calls: DemoCalls) -> Path:
    """A folder of calls of the test's own."""
    return Path(shutil.copytree(demo_calls.audio_dir, tmp_path / "audio"))


@pytest.fixture(scope="session")
def workers() -> Iterator[None]:
    """Worker processes that all nights of this test process share."""
    from pipelines.engine import open_engine

    with open_engine(Settings(run={"workers": 1}), quiet=True):
        yield


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Settled:
    """Settings of one night, as the environment gives them."""

    @contextmanager
    def environment(**settings: object) -> Iterator[None]:
        with monkeypatch.context() as patch:
            given = {"ingest__min_age_s": 0, "run__workers": 1, "run__retry_delay_s": 0, **settings}
            for name, value in given.items():
                patch.setenv(f"SER_{name.upper()}", str(value))
            yield

    return environment


@pytest.fixture
def run(workers: None, settled: Settled, tmp_path: Path) -> Run:
    """Run a night's steps without Prefect: `run(audio, metadata, ingest__min_age_s=5)`."""
    from pipelines.night import open_night
    from pipelines.steps import run_night

    def night(audio: Path, *metadata: Path, **settings: object) -> dict[str, Any]:
        root = tmp_path / "root"
        with (
            settled(**settings),
            open_night([str(audio)], list(metadata), root, None, quiet=True) as opened,
        ):
            return run_night(opened, PlainRunner())

    return night


@pytest.fixture
def run_flow(prefect_server: None, workers: None, settled: Settled, tmp_path: Path) -> Run:
    """The same as the Prefect flow that production runs."""
    from pipelines.nightly import nightly

    def night(audio: Path, *metadata: Path, **settings: object) -> dict[str, Any]:
        with settled(**settings):
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
