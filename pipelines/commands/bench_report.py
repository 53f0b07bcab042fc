"""Command `bench report`: is the page of many calls still usable?"""

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


def bench_report(
    calls: Annotated[int, typer.Option(help="Simulated calls.", min=1)] = 10_000,
    days: Annotated[int, typer.Option(help="Call dates that they are spread over.", min=1)] = 35,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """The report of many calls: its size, and the time to publish, write, open and filter it.

    The calls are rows without audio; opening and filtering are measured where Chromium and
    Playwright are there.

    Example:

      ser-batch bench report --calls 10000 --json
    """
    from ser_batch.lab.bench.report import run

    values = read_settings(open_root(root), settings)
    result = run(calls, days, values, on_step=say_progress)
    print_json(result) if as_json else _show(result)


def _show(result: dict[str, Any]) -> None:
    typer.echo(
        f"{result['n_calls']} calls, {result['n_segments']} segments, {result['n_days']} days"
    )
    typer.echo(f"publish {result['publish_s']:.1f} s, {result['warehouse_mb']:.1f} MB")
    typer.echo(f"report  {result['write_s']:.1f} s to write, {result['report_mb']:.1f} MB")
    if result["open_s"] is None:
        typer.echo("Chromium or Playwright is missing: opening and filtering were not measured")
    else:
        typer.echo(
            f"browser {result['open_s']:.1f} s to open, {result['filter_s']:.2f} s to filter"
        )
