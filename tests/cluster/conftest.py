"""The network, the object store, the services and the local night, made once for all tests."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from ser_batch.lab.synthetic.demo import DemoCalls
from tests.cluster.machines import (
    CHECKOUT,
    CREATE_BUCKET,
    HERE,
    IS_UP,
    PATIENCE_S,
    VARIABLES,
    Machine,
    wait_until,
)
from tests.pipelines.test_killed import contents


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The store with an empty bucket; the Prefect server and the scheduler on the driver."""
    folder = tmp_path_factory.mktemp("ceph")
    only_one = FileLock(Path(tempfile.gettempdir()) / "ser-batch-machines.lock")
    only_one.acquire()  # the namespaces have names of this machine
    try:
        subprocess.run([HERE / "up", folder], check=True, timeout=PATIENCE_S)
        driver = Machine("driver", folder / "services", "")
        serve = ("prefect", "server", "start", "--host", "10.77.0.2")
        schedule = ("distributed.cli.dask_scheduler", "--host", "10.77.0.2", "--no-dashboard")
        assert driver.start(sys.executable, "-c", CREATE_BUCKET).wait(60) == 0
        with (
            driver.running(sys.executable, "-m", *serve),
            driver.running(sys.executable, "-m", *schedule),
        ):
            wait_until(lambda: driver.start(sys.executable, "-c", IS_UP).wait(60) == 0)
            yield
    finally:
        subprocess.run([HERE / "down", folder], check=True)
        only_one.release()


@pytest.fixture
def machines(
    services: None, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Machine, Machine]]:
    """The driver and the worker's machine, with empty folders and no root in the store."""
    root = f"s3://calls/{tmp_path.name}"
    both = (
        Machine("driver", tmp_path / "driver", root),
        Machine("worker", tmp_path / "worker", root),
    )
    yield both
    for machine in both:
        machine.set_link("up")


@pytest.fixture(scope="session")
def expected(demo_calls: DemoCalls, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The tables of a night in a folder of this machine."""
    home = tmp_path_factory.mktemp("local")
    variables = {**os.environ, **VARIABLES, "PREFECT_HOME": str(home / "prefect")}
    del variables["PREFECT_API_URL"]
    folders = ["--audio", str(demo_calls.audio_dir), "--metadata", str(demo_calls.metadata_path)]
    subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "nightly", *folders, "--root", str(home / "root")],
        env=variables,
        cwd=CHECKOUT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return contents(home / "root")
