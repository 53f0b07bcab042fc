"""Commands `bench statistics`, `gate` and `words`: how often decisions by chance are wrong."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from pipelines.commands.bench import print_figures
from pipelines.options import JsonOption
from pipelines.terminal import progress_bar


def statistics(
    queues: Annotated[int, typer.Option(help="Simulated queues a scenario.", min=10)] = 100,
    topic: Annotated[
        Literal["trend", "compare"],
        typer.Option(help="The mart trend, or what `ser-batch compare` finds."),
    ] = "trend",
    as_json: JsonOption = False,
) -> None:
    """False alarms and coverage of intervals on simulated calls without a change.

    Examples:

      ser-batch bench statistics

      ser-batch bench statistics --topic compare --queues 300 --json
    """
    from ser_batch.lab.bench.statistics import run

    with progress_bar() as on_progress:
        result = run(n_queues=queues, topic=topic, on_progress=on_progress)
    print_figures(result, as_json=as_json)


def gate(
    labels: Annotated[int, typer.Option(help="Random labels.", min=60)] = 300,
    runs: Annotated[int, typer.Option(help="Comparisons of each kind.", min=20)] = 400,
    as_json: JsonOption = False,
) -> None:
    """How often the gate promotes an equal, a worse and a better model, simulated.

    Examples:

      ser-batch bench gate

      ser-batch bench gate --labels 150 --runs 1000
    """
    from ser_batch.lab.bench.gate import run

    with progress_bar() as on_progress:
        result = run(n_labels=labels, n_callers=labels // 2, n_runs=runs, on_progress=on_progress)
    print_figures(result, as_json=as_json)


def words(
    labels: Annotated[int, typer.Option(help="Labels that teach, and that measure.", min=80)] = 300,
    runs: Annotated[int, typer.Option(help="Simulated places of each kind.", min=5)] = 100,
    as_json: JsonOption = False,
) -> None:
    """What words add to the voice on simulated labels, and how often chance adopts them.

    Examples:

      ser-batch bench words

      ser-batch bench words --labels 600 --runs 40 --json
    """
    from ser_batch.lab.bench.words import run

    with progress_bar() as on_progress:
        result = run(n_labels=labels, n_runs=runs, on_progress=on_progress)
    print_figures(result, as_json=as_json)
