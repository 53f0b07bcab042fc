"""Command `bench serve`: are the pages quick over many calls?"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pipelines.options import (
    DEFAULT_ROOT,
    JsonOption,
    RootOption,
    SettingsOption,
    open_root,
    print_json,
    read_settings,
    say_progress,
)


def bench_serve(
    calls: Annotated[int, typer.Option(help="Simulated calls.", min=100)] = 100_000,
    days: Annotated[int, typer.Option(help="Call dates that they are spread over.", min=1)] = 35,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """The pages of `serve` over many calls: median and 95th percentile, against a plain query.

    The calls are rows without audio. The plain query is the one that gives the page's main rows,
    run on the same file in the same run.

    Example:

      ser-batch bench serve --calls 10000 --json
    """
    from ser_batch.lab.bench.serve import run

    values = read_settings(open_root(root), settings)
    result = run(calls, days, values, on_step=say_progress)
    print_json(result) if as_json else _show(result)


def _show(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    typer.echo(f"{result['n_calls']} calls, {result['n_days']} days")
    table = Table("page", "requests", "median (ms)", "p95 (ms)", "plain p95 (ms)", "ratio")
    for page, row in result["pages"].items():
        figures = (f"{row[name]:.0f}" for name in ("median_ms", "p95_ms", "plain_p95_ms"))
        table.add_row(page, str(row["n"]), *figures, f"{row['ratio']:.1f}")
    Console().print(table)
