"""Nights on a Dask cluster: two worker processes, a scheduler and a Prefect server, as deployed."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

import ser_batch
from pipelines.cli import app
from pipelines.cluster_worker import WorkerNeeds
from pipelines.options import Exit
from pipelines.prefect_api import NoSharedServerError, prefect_api
from ser_batch.errors import DependencyError
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.store.lake import Lake
from ser_batch.store.lock import holder_of, only_run
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS, RECORDINGS
from tests.pipelines.test_killed import contents

IS_INSTALLED = importlib.util.find_spec("prefect_dask") is not None
CHECKOUT = Path(__file__).parents[2]
NIGHT = [sys.executable, "-m", "pipelines.cli", "nightly", "--json"]
MOST_DEATHS = 1
DASK = ["--engine", "dask"]
START_S = 120
NIGHT_S = 300


def on_cluster(test: Any) -> Any:
    """Mark a test that starts a cluster."""
    missing = pytest.mark.skipif(
        not IS_INSTALLED, reason="Dask is missing: pip install 'ser-batch[cluster]'"
    )
    return pytest.mark.cluster(pytest.mark.slow(pytest.mark.xdist_group("cluster")(missing(test))))


SETTINGS = {
    "SER_INGEST__MIN_AGE_S": "0",
    "SER_INGEST__SHARD_CALLS": "1",
    "SER_RUN__WORKERS": "1",
    "SER_RUN__WORKER_WAIT_S": "10",
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(MOST_DEATHS),
}


class Finished(NamedTuple):
    """A command that ended."""

    code: int
    answer: dict[str, Any]
    stderr: str


def environment(**variables: str) -> dict[str, str]:
    return {**os.environ, **SETTINGS, **variables}


def start_night(root: Path, calls: DemoCalls, *more: str, **variables: str) -> Any:
    options = ["--audio", str(calls.audio_dir), "--metadata", str(calls.metadata_path)]
    return subprocess.Popen(
        [*NIGHT, *options, "--root", str(root), *more],
        env=environment(**variables),
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: Any) -> Finished:
    out, err = process.communicate(timeout=NIGHT_S)
    return Finished(process.returncode, json.loads(out or "{}"), err)


def is_one_analysed(root: Path) -> bool:
    return len(Lake(root / "lake").parts(RECORDINGS)) > 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_until(is_true: Callable[[], bool], seconds: float = START_S) -> None:
    give_up = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < give_up, "it took too long"
        time.sleep(0.05)


@contextmanager
def running(module: str, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program in a process group of its own, which is ended whole."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=environment(**variables),
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.wait(START_S)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


class Cluster:
    """A Dask scheduler of this machine.

    Args:
        address: its address
        process: its process
    """

    def __init__(self, address: str, process: subprocess.Popen[bytes]) -> None:
        self.address = address
        self.process = process

    def pids(self) -> dict[str, int]:
        """Process of each worker."""
        with self._client() as client:
            found: dict[str, int] = client.run(os.getpid, on_error="ignore")
        return found

    def is_working(self) -> bool:
        """Whether a worker has a task."""
        with self._client() as client:
            return any(client.processing().values())

    def _client(self) -> Any:
        from distributed import Client

        return Client(self.address, timeout=START_S)


class Site:
    """A Prefect server on this machine; schedulers and workers as a test asks for them."""

    def __init__(self, home: Path) -> None:
        self._port = free_port()
        self._api = f"http://127.0.0.1:{self._port}/api"
        self.variables = {"PREFECT_HOME": str(home), "PREFECT_API_URL": self._api}

    @contextmanager
    def server(self) -> Iterator[None]:
        where = ["--host", "127.0.0.1", "--port", str(self._port)]
        with running("prefect", "server", "start", *where, **self.variables):
            wait_until(self._answers)
            yield

    def _answers(self) -> bool:
        with suppress(OSError):
            return bool(urllib.request.urlopen(f"{self._api}/health", timeout=1).status == 200)
        return False

    @contextmanager
    def cluster(self, n_workers: int, *, daemon: bool = False) -> Iterator[Cluster]:
        """A scheduler with worker processes, gone when the block ends."""
        given = {"DASK_DISTRIBUTED__WORKER__DAEMON": str(daemon), **self.variables}
        port = str(free_port())
        address = f"tcp://127.0.0.1:{port}"
        listens = ["--host", "127.0.0.1", "--port", port, "--no-dashboard"]
        works = ["--nworkers", str(n_workers), "--nthreads", "1", "--no-dashboard"]
        with ExitStack() as stack:
            process = stack.enter_context(running("distributed.cli.dask_scheduler", *listens))
            cluster = Cluster(address, process)
            if n_workers:
                command = ("distributed.cli.dask_worker", address, *works)
                stack.enter_context(running(*command, **given))
            wait_until(lambda: len(cluster.pids()) == n_workers)
            yield cluster

    def start(self, root: Path, calls: DemoCalls, scheduler: str, **variables: str) -> Any:
        options = [*DASK, "--scheduler", scheduler]
        return start_night(root, calls, *options, **self.variables, **variables)

    def task_states(self) -> dict[str, str]:
        """State of each task run of the newest flow run, by its name, as the server has it."""
        newest = {"sort": "START_TIME_DESC", "limit": 1}
        [flow] = self._ask("flow_runs", newest)
        of_it = {"flow_runs": {"id": {"any_": [flow["id"]]}}}
        return {run["name"]: run["state_type"] for run in self._ask("task_runs", of_it)}

    def _ask(self, what: str, question: dict[str, Any]) -> list[dict[str, Any]]:
        request = urllib.request.Request(
            f"{self._api}/{what}/filter",
            data=json.dumps(question).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    here = Site(tmp_path_factory.mktemp("prefect-cluster"))
    with here.server():
        yield here


@pytest.fixture(scope="module")
def by_threads(demo_calls: DemoCalls, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a night on this machine alone."""
    root = tmp_path_factory.mktemp("threads") / "root"
    done = end(start_night(root, demo_calls))
    assert done.code == Exit.CLEAN, done.stderr
    return root


@on_cluster
@pytest.mark.parametrize("kill", [False, True], ids=["undisturbed", "worker killed"])
def test_two_workers_make_the_tables_that_threads_make(
    site: Site, demo_calls: DemoCalls, by_threads: Path, tmp_path: Path, kill: bool
) -> None:
    root = tmp_path / "root"
    with site.cluster(2) as dask:
        process = site.start(root, demo_calls, dask.address)
        if kill:
            wait_until(lambda: is_one_analysed(root))  # it holds a result, or has a task
            os.kill(min(dask.pids().values()), signal.SIGKILL)
        done = end(process)
        states = site.task_states()

    assert done.code == Exit.CLEAN, done.stderr
    assert done.answer["counts"]["calls_analysed"] == demo_calls.n_calls
    assert contents(root) == contents(by_threads)
    n_shards = len(Lake(root / "lake").parts(CALLS))
    assert sum(name.startswith("analyse") for name in states) == n_shards
    assert set(states.values()) == {"COMPLETED"}


@on_cluster
def test_a_shard_that_kills_its_workers_is_named_and_ends_in_a_state(
    site: Site, demo_calls: DemoCalls, tmp_path: Path
) -> None:
    with site.cluster(1) as dask:
        process = site.start(
            tmp_path / "root", demo_calls, dask.address, SER_RUN__WORKER_WAIT_S="60"
        )
        killed: set[int] = set()
        while len(killed) <= MOST_DEATHS:  # a worker that dies is started again
            wait_until(lambda: bool({*dask.pids().values()} - killed) and dask.is_working())
            for pid in {*dask.pids().values()} - killed:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        done = end(process)
        states = site.task_states()

    assert done.answer["error"]["code"] == "cluster", done.stderr
    assert done.code == Exit.FAILED
    message = done.answer["error"]["message"]
    assert re.match(r"analyse \d{4}-\d\d-\d\d \S+: 2 Dask workers died", message)
    assert set(states.values()) <= {"COMPLETED", "CRASHED"}, "a task run is left without an end"


@on_cluster
def test_a_night_whose_scheduler_is_killed_ends_with_one_line(
    site: Site, demo_calls: DemoCalls, tmp_path: Path
) -> None:
    with site.cluster(1) as dask:
        process = site.start(tmp_path / "root", demo_calls, dask.address)
        wait_until(lambda: is_one_analysed(tmp_path / "root"))
        dask.process.kill()
        done = end(process)

    assert done.code == Exit.FAILED
    message = f"the Dask scheduler at {dask.address} was lost during the night"
    assert done.answer["error"]["message"] == message


@on_cluster
def test_a_night_without_a_worker_or_without_a_scheduler_ends_with_one_line(
    site: Site, demo_calls: DemoCalls, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    with site.cluster(0) as dask:
        done = end(site.start(root, demo_calls, dask.address))
    assert done.answer["error"]["message"].startswith("no Dask worker was at")

    done = end(site.start(root, demo_calls, dask.address))
    message = f"no Dask scheduler answers at {dask.address}"
    assert done.answer["error"]["message"].startswith(message)

    done = end(start_night(root, demo_calls, *DASK, "--scheduler", dask.address))
    assert "PREFECT_API_URL" in done.answer["error"]["remedy"]


@on_cluster
def test_a_worker_that_may_start_no_processes_is_named_before_any_work(
    site: Site, demo_calls: DemoCalls, tmp_path: Path
) -> None:
    with site.cluster(1, daemon=True) as dask:
        done = end(site.start(tmp_path / "root", demo_calls, dask.address))
    assert "DASK_DISTRIBUTED__WORKER__DAEMON=False" in done.answer["error"]["message"]


@pytest.mark.skipif(IS_INSTALLED, reason="Dask is installed")
def test_without_dask_one_line_says_how_to_install_it(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["nightly", "--audio", ".", "--root", str(tmp_path), *DASK])
    assert isinstance(result.exception, DependencyError)
    assert "pip install 'ser-batch[cluster]'" in str(result.exception)


def test_a_scheduler_goes_with_its_engine_only(tmp_path: Path) -> None:
    command = ["nightly", "--audio", ".", "--root", str(tmp_path)]
    result = CliRunner().invoke(app, [*command, "--scheduler", "tcp://127.0.0.1:1"])
    assert result.exit_code == Exit.USAGE
    assert "--engine dask" in result.output
    assert CliRunner().invoke(app, [*command, "--engine", "spark"]).exit_code == Exit.USAGE


def test_a_cluster_without_a_configured_prefect_server_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("no_proxy", "NO_PROXY", "PREFECT_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "prefect"))
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with (
        temporary_settings(restore_defaults={PREFECT_API_URL}),  # of a server of these tests
        pytest.raises(NoSharedServerError),
        prefect_api(Root(tmp_path), lambda: None, is_shared=True),
    ):
        pytest.fail("it began")


def test_a_worker_says_what_it_lacks(tmp_path: Path) -> None:
    root = Root(tmp_path / "root")
    with only_run(root):
        needs = WorkerNeeds(
            version=ser_batch.__version__,
            root=root,
            holder=holder_of(root),
            remote=None,
            folders=(tmp_path,),
            api="http://127.0.0.1:9/api",
        )
        assert "Prefect server" in str(needs.missing())
        assert "ser-batch 0" in str(replace(needs, version="0.0.1").missing())
        assert "does not share the root" in str(replace(needs, holder="another run").missing())
        unseen = tmp_path / "unmounted"
        assert str(unseen) in str(replace(needs, folders=(unseen,)).missing())
        objects = Path(f"file:{tmp_path}")
        assert "Prefect server" in str(replace(needs, folders=(objects,)).missing())
        above = replace(needs, folders=(objects / ".." / "other",))
        assert f"cannot read file://{tmp_path}/../other" in str(above.missing())
