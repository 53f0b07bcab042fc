"""Command `bench faults`: what is left of a call centre's data when its disk fails."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.bench import print_figures
from pipelines.options import Exit, JsonOption
from pipelines.terminal import progress_bar


def faults(
    every: Annotated[int, typer.Option(help="Try only every Nth step of the disk.", min=1)] = 1,
    flips: Annotated[int, typer.Option(help="Bytes to flip in each kind of file.", min=0)] = 20,
    kills: Annotated[int, typer.Option(help="Processes to kill with SIGKILL.", min=0)] = 50,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Try only this operation, `flips` or `clock`; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fail, tear and cut off every write of nights, imports, retraining, erasure and publishing,
    let others write meanwhile and the clock jump; 1 if any row is lost, doubled or changed.

    Examples:

      ser-batch bench faults --json

      ser-batch bench faults --every 40 --flips 2 --kills 0

      ser-batch bench faults --only erase --only clock
    """
    from ser_batch.lab.bench.faults.run import LOSSES, run

    with tempfile.TemporaryDirectory() as folder, progress_bar() as on_progress:
        result = run(
            Path(folder),
            only=only or (),
            every=every,
            flips=flips,
            kills=kills,
            on_progress=on_progress,
        )
    print_figures(result, as_json=as_json)
    if any(result[name] for name in LOSSES):
        raise typer.Exit(Exit.FAILED)
