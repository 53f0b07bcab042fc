"""Two machines that share nothing but a network and an object store, as network namespaces.

`tests/cluster/up` makes them, and Ceph's object store beside them. The Prefect server and the Dask
scheduler run on the driver's machine.
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
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from ser_batch.lab.synthetic.demo import DemoCalls

CHECKOUT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "ip")
LIBRARIES = ("prefect_dask", "distributed", "obstore")
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
import datetime, urllib.request, obstore
from obstore.store import S3Store
store = S3Store("calls", client_options={"allow_http": True})
url = obstore.sign(store, "PUT", "", datetime.timedelta(minutes=1))
urllib.request.urlopen(urllib.request.Request(url, method="PUT"))
"""
IS_UP = f"import urllib.request as r; r.urlopen('{API}/health')"
WORKER_PIDS = f"""
import os, distributed
print(*distributed.Client("{SCHEDULER}").run(os.getpid).values())
"""
ON_WORKERS = ("--engine", "dask", "--scheduler", SCHEDULER)
SERVICE = "while true; do {}; sleep 1; done"
"""As `Restart=always` of a systemd unit."""


def lacking() -> str:
    """What these tests need and this machine does not have."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    missing += [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    return ", ".join(missing) or ("root" if os.geteuid() else "")


needs_machines = [
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
        root: address of the root that its commands work on
    """

    def __init__(self, name: str, home: Path, root: str) -> None:
        self.name, self.home, self._address = name, home, root
        home.mkdir()

    def start(self, *command: str, **variables: str) -> subprocess.Popen[str]:
        """A program in a process group of its own."""
        own = {"XDG_CACHE_HOME": str(self.home), "PREFECT_HOME": str(self.home / "prefect")}
        with (self.home / "errors.log").open("ab") as errors:
            return subprocess.Popen(
                ["ip", "netns", "exec", f"ser-{self.name}", *command],
                env={**os.environ, **VARIABLES, **own, **variables},
                cwd=CHECKOUT,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )

    @contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[str]]:
        """A program that is gone when the block ends."""
        process = self.start(*command)
        try:
            yield process
        finally:
            kill(process)

    @contextmanager
    def workers(self) -> Iterator[None]:
        """Two worker processes, started again whenever they end."""
        options = "--nworkers 2 --nthreads 1 --no-dashboard"
        command = f"{sys.executable} -m distributed.cli.dask_worker {SCHEDULER} {options}"
        with self.running("bash", "-c", SERVICE.format(command)):
            yield

    def ask(self, *command: str, **variables: str) -> dict[str, Any]:
        """What a command prints, and its exit code."""
        program = (sys.executable, "-m", "pipelines.cli")
        return answer(
            self.start(*program, *command, "--root", self._address, "--json", **variables)
        )

    def start_night(self, calls: DemoCalls, *more: str, **variables: str) -> subprocess.Popen[str]:
        """A night on some calls."""
        night = ("--audio", str(calls.audio_dir), "--metadata", str(calls.metadata_path))
        program = (sys.executable, "-m", "pipelines.cli", "nightly", "--json")
        return self.start(*program, *night, "--root", self._address, *more, **variables)

    def end_night(self, calls: DemoCalls, *more: str, **variables: str) -> dict[str, Any]:
        """What a night prints, and its exit code."""
        return answer(self.start_night(calls, *more, **variables))

    def set_link(self, state: str) -> None:
        """Plug the machine's only link in, `up`, or out, `down`."""
        subprocess.run(["ip", "-n", "ser-store", "link", "set", self.name, state], check=True)

    @property
    def root(self) -> Path:
        """Its working copy."""
        [folder] = (self.home / "ser-batch" / "roots").iterdir()
        return folder

    def epoch(self) -> int:
        """Of the run by which its working copy was last brought to the newest version."""
        found = [*self.home.glob("ser-batch/roots/*/.remote/state.json")]
        return int(json.loads(found[0].read_text())["epoch"]) if found else 0

    def has_stored(self) -> bool:
        """Whether the last part of a shard was made here."""
        return any(self.home.glob("ser-batch/roots/*/lake/recordings/*/*.parquet"))

    def pid_of_a_worker(self) -> int:
        """Of a process that has Dask's tasks; asked on the driver."""
        process = self.start(sys.executable, "-c", WORKER_PIDS)
        return int(process.communicate(timeout=60)[0].split()[0])


def kill(process: subprocess.Popen[str]) -> None:
    """End a program and what it started, at once."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What a program prints, and its exit code; one that does not end fails the test."""
    try:
        out, _ = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        kill(process)
        raise
    return {**json.loads(out or "{}"), "exit": process.returncode}


def wait_until(is_true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    give_up = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < give_up, "it took too long"
        time.sleep(0.05)
