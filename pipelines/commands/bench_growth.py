"""Command `bench growth`: what a night costs by how much was recorded before."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.bench import demo_recordings, given_counts, print_figures
from pipelines.options import (
    DEFAULT_ROOT,
    JsonOption,
    RootOption,
    SettingsOption,
    open_root,
    read_settings,
    say_progress,
)


def growth(
    calls: Annotated[
        str, typer.Option(help="Calls recorded before, by comma; none is always measured too.")
    ] = "1000,10000,100000",
    new: Annotated[int, typer.Option(help="New calls of the night.", min=1)] = 1000,
    late: Annotated[int, typer.Option(help="Lines of metadata that come late.", min=0)] = 10,
    histories: Annotated[
        Path | None,
        typer.Option(
            help="Folder in which histories are kept, one a size: the next run finds them there. "
            "A million calls take 20 minutes to make."
        ),
    ] = None,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a night costs by how much was recorded before: core seconds by stage, and memory.

    The lakes are simulated: a day has 1,000 calls of a few bytes, and what is detected in a demo
    call is in each of them. Late lines name calls spread over the whole history.

    Examples:

      ser-batch bench growth --calls 1000,10000

      ser-batch bench growth --calls 1000,10000,100000 --json

      ser-batch bench growth --calls 1000000 --histories /var/tmp/histories
    """
    from ser_batch.lab.bench.growth.run import run

    values = read_settings(open_root(root), settings)
    sizes = given_counts(calls)
    recording, *_ = demo_recordings()
    result = run(
        sizes,
        recording,
        values,
        n_new=new,
        n_late=late,
        histories=histories,
        on_step=say_progress,
    )
    print_figures(result, as_json=as_json)
