"""Nights on a Dask cluster of this machine, by how many worker processes it has.

Scheduler, workers and Prefect server are programs of their own that have done a short night before,
as in a deployment; what each costs is asked of the system. The peer is the same night by threads,
with as many processes, which start with it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ser_batch.analysis.workers import n_cores
from ser_batch.errors import DependencyError
from ser_batch.lab.bench.night import Night, copies, measured_night

CALLS_A_SHARD = 8
"""So that a night of an hour has shards for several workers."""
THREADS_A_WORKER = 2
RATE, SHARDS = "call-hours an hour", "of shards"
MEANING = (
    "× 2: by two workers; of shards: of analyse and score alone, by which efficiency goes; "
    "driver, services: shares of the core seconds; a night with more processes than cores says "
    "nothing of efficiency"
)
WARM_UP_S = 400.0
"""Of calls, a shard each: workers of a deployment have started long ago."""
START_S = 120.0
STOP_S = 10.0
SHARDS_STAGES = ("analyse", "score")
"""What workers do; all else is the driver's."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster.

    Attributes:
        scheduler: its address
        variables: of a night that uses it
        services: the scheduler and the Prefect server
        workers: the program whose children the workers are
    """

    scheduler: str
    variables: Mapping[str, str]
    services: Sequence[subprocess.Popen[bytes]]
    workers: subprocess.Popen[bytes]


def run(
    sources: Sequence[Path],
    hours: float,
    counts: Sequence[int],
    command: Sequence[str],
    on_step: Callable[[str], None] = lambda _said: None,
) -> dict[str, Any]:
    """Run nights on copies of some calls, by workers and by threads, each on an empty root.

    Args:
        sources: two-channel WAV recordings
        hours: of calls in each night
        counts: of worker processes, one analysing process each
        command: that runs a night
        on_step: called with what is done next

    Returns:
        ours and the peer in call-hours an hour, and a row a night: the same of analyse and score
        alone, its efficiency beside the first row of its engine, core seconds, and the shares of
        the driver, and of scheduler and Prefect server, in them

    Raises:
        DependencyError: if Dask is not installed
    """
    try:
        import psutil  # noqa: F401, PLC0415  comes with distributed
    except ImportError as error:
        raise DependencyError(
            "bench cluster needs Dask: pip install 'ser-batch[cluster]'"
        ) from error
    rows = []
    with tempfile.TemporaryDirectory(prefix="ser-batch-bench-") as folder:
        place = Path(folder)
        n_calls = copies(sources, hours * 3600, place / "calls")
        copies(sources, WARM_UP_S, place / "few-calls")
        for count in sorted({*counts}):
            on_step(f"threads, processes: {count}")
            rows.append(_by_threads(command, place, count))
            on_step(f"dask, processes: {count}")
            rows.append(_by_workers(command, place, count))
    threads, dask = (_rates(rows, engine) for engine in ("threads", "dask"))
    return {
        "unit": RATE,
        "ours": dask,
        "peers": threads,
        "ratios": {
            peer: ours / threads[peer] for peer, ours in zip(threads, dask.values(), strict=True)
        },
        "nights": _with_efficiency(rows),
        "columns": MEANING,
        "hours": hours,
        "n_calls": n_calls,
        "cores of this machine": n_cores(),
    }


def _rates(rows: Sequence[dict[str, Any]], engine: str) -> dict[str, float]:
    return {row["night"]: row[RATE] for row in rows if row["night"].startswith(engine)}


def _by_threads(command: Sequence[str], place: Path, count: int) -> dict[str, Any]:
    night = measured_night(command, place / "calls", place / f"threads-{count}", **_settings(count))
    return _row("threads", count, night, {"driver": night.core_s})


def _by_workers(command: Sequence[str], place: Path, count: int) -> dict[str, Any]:
    with cluster(place / f"cluster-{count}", count) as running:
        by_dask = [*command, "--engine", "dask", "--scheduler", running.scheduler]
        first = {**running.variables, "SER_INGEST__SHARD_CALLS": "1"}
        measured_night(by_dask, place / "few-calls", place / f"first-{count}", **first)
        before = [_core_s(each) for each in (*running.services, running.workers)]
        root = place / f"dask-{count}"
        night = measured_night(by_dask, place / "calls", root, **running.variables)
        after = [_core_s(each) for each in (*running.services, running.workers)]
    *services, workers = (end - begin for begin, end in zip(before, after, strict=True))
    parts = {"driver": night.core_s, "services": sum(services), "workers": workers}
    return _row("dask", count, night, parts)


def _row(engine: str, count: int, night: Night, core_s: Mapping[str, float]) -> dict[str, Any]:
    hours = night.summary["audio_s"] / 3600
    shards_s = sum(night.summary["stage_s"].get(stage, 0.0) for stage in SHARDS_STAGES)
    total_s = sum(core_s.values())
    is_shared = engine == "dask"
    return {
        "night": f"{engine} × {count}",
        RATE: hours / (night.wall_s / 3600),
        SHARDS: hours / (shards_s / 3600),
        "core s": total_s,
        "driver": core_s["driver"] / total_s if is_shared else None,
        "services": core_s["services"] / total_s if is_shared else None,
    }


def _with_efficiency(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows by engine, with what each process does beside one of the engine's first row."""
    first: dict[str, float] = {}
    found = []
    for row in sorted(rows, key=lambda row: str(row["night"]).partition(" ")[0]):
        engine, _, count = row["night"].partition(" × ")
        rate = row[SHARDS] / int(count)
        found.append({**row, "efficiency": rate / first.setdefault(engine, rate)})
    return found


@contextmanager
def cluster(home: Path, count: int) -> Iterator[Cluster]:
    """A Prefect server, a scheduler and worker processes, which end with the block.

    Args:
        home: of the Prefect server, made
        count: of worker processes
    """
    home.mkdir()
    api, scheduler = f"http://127.0.0.1:{(port := _free_port())}/api", _free_port()
    address = f"tcp://127.0.0.1:{scheduler}"
    own = {
        **_settings(count=1),
        "PREFECT_API_URL": api,
        "PREFECT_HOME": str(home),
        "DASK_DISTRIBUTED__WORKER__DAEMON": "False",
    }
    here = ("--host", "127.0.0.1", "--port")
    with ExitStack() as stack:

        def start(*command: str) -> subprocess.Popen[bytes]:
            return stack.enter_context(_running(command, own))

        server = start("prefect", "server", "start", *here, str(port))
        dask = ("distributed.cli.dask_scheduler", *here, str(scheduler), "--no-dashboard")
        services = [server, start(*dask)]
        options = ("--nworkers", str(count), "--nthreads", str(THREADS_A_WORKER), "--no-dashboard")
        workers = start("distributed.cli.dask_worker", address, *options)
        _wait_for(f"{api}/health")
        _wait_for_workers(address, count)
        yield Cluster(address, own, services, workers)


def _settings(count: int) -> dict[str, str]:
    return {"SER_RUN__WORKERS": str(count), "SER_INGEST__SHARD_CALLS": str(CALLS_A_SHARD)}


@contextmanager
def _running(
    command: Sequence[str], variables: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A Python module as a program; it and its children end with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _core_s(process: subprocess.Popen[bytes]) -> float:
    """Core seconds of a program and its children until now."""
    import psutil  # noqa: PLC0415  an extra

    program = psutil.Process(process.pid)
    used = [each.cpu_times() for each in (program, *program.children(recursive=True))]
    return float(sum(sum(each[:4]) for each in used))  # user, system, and of children that ended


def _wait_for(url: str) -> None:
    give_up = time.monotonic() + START_S
    while time.monotonic() < give_up:
        with suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.2)
    raise TimeoutError(f"nothing answers at {url}")


def _wait_for_workers(address: str, count: int) -> None:
    from distributed import Client  # noqa: PLC0415  an extra

    with Client(address, timeout=START_S) as client:
        client.wait_for_workers(count, timeout=START_S)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
