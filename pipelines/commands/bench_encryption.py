"""Command `bench encryption`: what a key costs."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.commands.bench import print_figures
from pipelines.options import JsonOption, say_progress


def encryption(
    calls: Annotated[int, typer.Option(help="Synthetic calls.", min=10)] = 2000,
    days: Annotated[int, typer.Option(help="Call dates that they are spread over.", min=1)] = 14,
    rounds: Annotated[int, typer.Option(help="Rounds, of which the median counts.", min=1)] = 5,
    as_json: JsonOption = False,
) -> None:
    """The same lake plain and under a key: core seconds to write, read, publish and query,
    and bytes.

    Example:

      ser-batch bench encryption --json
    """
    from ser_batch.config import Settings
    from ser_batch.lab.bench.encryption import run

    result = run(calls, days, Settings(), rounds=rounds, on_step=say_progress)
    print_figures(result, as_json=as_json)
