"""Nights on two machines that share nothing but a network and an object store.

The machines are network namespaces, the store is Ceph's; `tests/cluster/up` makes them.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipelines.options import Exit
from ser_batch.lab.synthetic.demo import DemoCalls
from tests.pipelines.test_killed import contents

CHECKOUT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "ip")
LIBRARIES = ("prefect_dask", "distributed", "obstore")
ROOT = "s3://calls/centre"
API, SCHEDULER = "http://10.77.0.2:4200/api", "tcp://10.77.0.2:8786"
PATIENCE_S = 400

VARIABLES = {
    "AWS_ACCESS_KEY_ID": "ser-batch",
    "AWS_SECRET_ACCESS_KEY": "ser-batch-secret",
    "AWS_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": "http://10.77.0.1:7480",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
    "PREFECT_API_URL": API,
    "DASK_DISTRIBUTED__WORKER__DAEMON": "False",
    "SER_INGEST__MIN_AGE_S": "0",
    "SER_INGEST__SHARD_CALLS": "1",
    "SER_RUN__WORKERS": "1",
}
CREATE_BUCKET = """
import datetime, sys, urllib.request, obstore
from obstore.store import S3Store
store = S3Store(sys.argv[1], client_options={"allow_http": True})
url = obstore.sign(store, "PUT", "", datetime.timedelta(minutes=1))
urllib.request.urlopen(urllib.request.Request(url, method="PUT"))
"""


def lacking() -> str:
    """What these tests need and this machine does not have."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    missing += [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    return ", ".join(missing) or ("root" if os.geteuid() else "")


pytestmark = [
    pytest.mark.cluster,
    pytest.mark.slow,
    pytest.mark.xdist_group("cluster"),
    pytest.mark.skipif(bool(lacking()), reason=f"needs {lacking()}"),
]


class Machine:
    """A network namespace with folders of its own.

    Args:
        name: of the namespace, without its `ser-`
        home: of its user
    """

    def __init__(self, name: str, home: Path) -> None:
        self.name, self.home = name, home
        home.mkdir()

    def start(self, *command: str) -> subprocess.Popen[str]:
        """A Python program in a process group of its own."""
        own = {"XDG_CACHE_HOME": str(self.home), "PREFECT_HOME": str(self.home / "prefect")}
        return subprocess.Popen(
            ["ip", "netns", "exec", f"ser-{self.name}", sys.executable, *command],
            env={**os.environ, **VARIABLES, **own},
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    @contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[str]]:
        process = self.start(*command)
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def ask(self, *command: str) -> dict[str, Any]:
        """What a command prints, and its exit code."""
        process = self.start("-m", "pipelines.cli", *command, "--root", ROOT, "--json")
        return answer(process)

    def start_night(self, calls: DemoCalls, *more: str) -> subprocess.Popen[str]:
        night = ["nightly", "--audio", str(calls.audio_dir), "--metadata", str(calls.metadata_path)]
        return self.start("-m", "pipelines.cli", *night, "--root", ROOT, "--json", *more)

    @property
    def root(self) -> Path:
        """Its working copy."""
        [folder] = (self.home / "ser-batch" / "roots").iterdir()
        return folder


def answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = process.communicate(timeout=PATIENCE_S)
    return {**json.loads(out or "{}"), "exit": process.returncode}


def wait_until(is_true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < give_up, "it took too long"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("ceph")
    try:
        subprocess.run([HERE / "up", folder], check=True, timeout=PATIENCE_S)
        yield folder
    finally:
        subprocess.run([HERE / "down", folder], check=True)


@pytest.fixture
def machines(network: Path, tmp_path: Path) -> Iterator[tuple[Machine, Machine]]:
    """The driver, where server and scheduler run, and the worker's machine, on an empty store."""
    driver, other = Machine("driver", tmp_path / "driver"), Machine("worker", tmp_path / "worker")
    assert driver.start("-c", CREATE_BUCKET, "calls").wait(60) == 0
    empty = "from ser_batch.files.objects import open_store as o; s = o('s3://calls'); "
    assert driver.start("-c", empty + "s.delete(x.key for x in s.list(''))").wait(60) == 0
    serve = ("-m", "prefect", "server", "start", "--host", "10.77.0.2")
    schedule = ("-m", "distributed.cli.dask_scheduler", "--host", "10.77.0.2", "--no-dashboard")
    with driver.running(*serve), driver.running(*schedule):
        is_up = "import urllib.request as r; r.urlopen('http://10.77.0.2:4200/api/health')"
        wait_until(lambda: driver.start("-c", is_up).wait(60) == 0)
        yield driver, other


@contextmanager
def workers(machine: Machine) -> Iterator[subprocess.Popen[str]]:
    works = ("--nworkers", "2", "--nthreads", "1", "--no-dashboard")
    with machine.running("-m", "distributed.cli.dask_worker", SCHEDULER, *works) as process:
        yield process


@pytest.fixture(scope="module")
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


ON_WORKERS = ("--engine", "dask", "--scheduler", SCHEDULER)


def is_one_stored(machine: Machine) -> bool:
    """Whether a worker made the last part of a shard."""
    return any(machine.home.glob("ser-batch/roots/*/lake/recordings/*/*.parquet"))


def test_a_night_on_two_machines_makes_the_tables_of_a_local_night(
    machines: tuple[Machine, Machine], demo_calls: DemoCalls, expected: Any
) -> None:
    driver, other = machines
    with workers(other):
        night = driver.start_night(demo_calls, *ON_WORKERS)
        wait_until(lambda: is_one_stored(other) or night.poll() is not None)
        second = other.ask("publish")
        done = answer(night)

    assert done["exit"] == Exit.CLEAN, done
    assert second["exit"] == Exit.LOCKED, second
    assert done["counts"]["calls_analysed"] == demo_calls.n_calls
    assert contents(driver.root) == expected
    assert other.ask("runs")["runs"][0]["status"] == "clean"  # it fetched the root
    assert contents(other.root) == expected
