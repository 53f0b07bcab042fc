"""Commands that read and make what analysts see: query, publish, report."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.options import (
    DEFAULT_ROOT,
    FromOption,
    JsonOption,
    QueueOption,
    RootOption,
    SettingsOption,
    ToOption,
    chosen_calls,
    existing_root,
    print_json,
    read_settings,
    say_progress,
)

if TYPE_CHECKING:
    from ser_batch.warehouse import TableDoc


class Format(StrEnum):
    """How rows are written."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


def query(
    sql: Annotated[str | None, typer.Argument(help="One select statement.")] = None,
    *,
    root: RootOption = DEFAULT_ROOT,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Format of the rows; without it, by the file's ending."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write to a file (.csv, .json, .parquet)."),
    ] = None,
    list_marts: Annotated[
        bool,
        typer.Option("--list", help="List the marts with grain and columns, and the cookbook."),
    ] = False,
    cookbook: Annotated[
        str | None, typer.Option(metavar="NAME", help="Ask a question of the cookbook.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Query the published warehouse in SQL, read-only.

    Examples:

        ser-batch query --list

        ser-batch query --cookbook queues_worse_this_week

        ser-batch query "select queue, avg(dissatisfaction) from call_summary group by queue"

        ser-batch query "from daily_dissatisfaction" --format csv > daily.csv
    """
    from pipelines.rows import write_rows
    from ser_batch import warehouse
    from ser_batch.warehouse.cookbook import recipe, refuse_name

    published = existing_root(root, only="warehouse").warehouse
    if list_marts:
        _print_marts(warehouse.describe(published), as_json=as_json or form is Format.json)
        return
    if (sql is None) == (cookbook is None):
        raise typer.BadParameter(
            "give a select statement, or --cookbook NAME, or --list", param_hint="SQL"
        )
    chosen = Format.json if as_json else form or _format_of(output)
    if sql is not None:
        refuse_name(sql)
    sql = recipe(cookbook).sql if cookbook else str(sql)
    with warehouse.connect(published) as con:
        rows = warehouse.query(con, sql)
    write_rows(rows, chosen, output)


def publish(
    root: RootOption = DEFAULT_ROOT,
    settings_file: SettingsOption = None,
    full: Annotated[
        bool, typer.Option("--full", help="Build every call date, also unchanged ones.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Build the warehouse from the lake, test it, and swap it in.

    A night does this too; run it after a change of thresholds or SQL.

    Examples:

        ser-batch publish

        SER_DISSATISFACTION__THRESHOLD=0.6 ser-batch publish
    """
    from rich.console import Console

    from ser_batch.scoring.choose import model_id
    from ser_batch.stages.publish import publish as publish_warehouse
    from ser_batch.store.lock import only_run

    place = existing_root(root)
    settings = read_settings(place, settings_file)
    with only_run(place):
        result = publish_warehouse(place, settings, model_id(place, settings), full=full)
    if as_json:
        print_json(
            {
                "warehouse": str(result.path),
                "built": result.built,
                "was_damaged": result.was_damaged,
                "call_dates": [date.isoformat() for date in result.dates],
                "rows": result.rows,
            }
        )
        return
    dates = f"built, {len(result.dates)} call dates"
    state = dates if result.built else "nothing had changed since it was built"
    if result.was_damaged:
        state = f"the published file was damaged; {state} from the lake"
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{result.path}: {state}")
    for name, n_rows in result.rows.items():
        console.print(f"  {name:<24} {n_rows:>10} rows")


def report(
    root: RootOption = DEFAULT_ROOT,
    *,
    settings_file: SettingsOption = None,
    first: FromOption = None,
    last: ToOption = None,
    queue: QueueOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a report of the published warehouse, or of chosen days or a queue.

    Examples:

        ser-batch report

        ser-batch report --from 2026-11-02 --to 2026-11-08 --queue billing

        SER_REPORT__PRIORITY_CALLS=50 ser-batch report
    """
    from ser_batch.report.content import Choice
    from ser_batch.report.selection import check_choice
    from ser_batch.stages.report import write_report
    from ser_batch.store.lock import only_run
    from ser_batch.store.sealed import is_sealed
    from ser_batch.warehouse import connect

    place = existing_root(root)
    settings = read_settings(place, settings_file)
    choice = chosen_calls(first, last, queue)
    with connect(place.warehouse) as con:
        check_choice(con, choice)
    with only_run(place):
        if choice == Choice():
            path = write_report(place, settings, "by-hand")
        else:
            path = write_report(place, settings, "chosen", choice)
    if as_json:
        print_json({"report": str(path)})
        return
    typer.echo(path)
    if is_sealed(path):
        say_progress(f"It is encrypted: `ser-batch decrypt {path} {path.name}` makes a copy")


def _format_of(output: Path | None) -> Format:
    """As a file's ending says; the terminal, and endings that say nothing, have a table."""
    if output is None:
        return Format.table
    ending = output.suffix.lower().removeprefix(".")
    if ending in ("xlsx", "xls", "ods"):
        raise typer.BadParameter(
            "workbooks are written by `ser-batch export`; query writes .csv, .json and .parquet",
            param_hint="--output",
        )
    return Format(ending) if ending in set(Format) else Format.table


def _print_marts(tables: list[TableDoc], *, as_json: bool) -> None:
    from ser_batch.warehouse.cookbook import recipes

    if as_json:
        print_json(
            {
                "marts": [
                    {
                        "name": table.name,
                        "grain": table.grain,
                        "columns": [vars(column) for column in table.columns],
                    }
                    for table in tables
                ],
                "cookbook": [
                    {"name": found.name, "question": found.question} for found in recipes()
                ],
            }
        )
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    for table in tables:
        console.print(f"[bold]{table.name}[/]: {table.grain}", highlight=False)
        grid = Table.grid(padding=(0, 2))
        for column in table.columns:
            name, kind = Text(f"  {column.name}", no_wrap=True), Text(column.type, style="dim")
            grid.add_row(name, kind, Text(column.meaning))
        console.print(grid)
        console.print()
    console.print("[bold]Cookbook[/]: ser-batch query --cookbook NAME", highlight=False)
    grid = Table.grid(padding=(0, 2))
    for found in recipes():
        grid.add_row(Text(f"  {found.name}", no_wrap=True), Text(found.question))
    console.print(grid)
