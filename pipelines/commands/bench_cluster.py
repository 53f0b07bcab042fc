"""Command `bench cluster`: how much more is done by more worker processes."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.bench import given_counts, print_figures, two_channel_recordings
from pipelines.options import JsonOption, say_progress


def cluster(
    hours: Annotated[float, typer.Option(help="Hours of calls of each night.", min=0.01)] = 2.0,
    workers: Annotated[
        str, typer.Option(help="Worker processes of each night, by comma.")
    ] = "1,2,4",
    calls: Annotated[
        Path | None,
        typer.Option(
            help="Folder of two-channel WAV calls to repeat; without it, calls/ of the corpora."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Call-hours an hour by worker processes of a Dask cluster here, beside as many by threads.

    Each worker has one analysing process. More processes than cores measure nothing but that; all
    share this machine with the driver, the scheduler and the Prefect server.

    Example:

      ser-batch bench cluster --hours 2 --workers 1,2,4
    """
    from ser_batch.lab.bench.cluster import run

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # scheduler and workers end with it
    command = [sys.executable, "-m", "pipelines.cli", "nightly"]
    counts = given_counts(workers)
    result = run(two_channel_recordings(calls), hours, counts, command, on_step=say_progress)
    print_figures(result, as_json=as_json)
