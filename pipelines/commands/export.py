"""Command `export`: marts as files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
)


def export(
    file: Annotated[Path, typer.Argument(help="File to write: .csv, .parquet or .xlsx.")],
    *,
    mart: Annotated[
        str | None, typer.Option(help="One mart; without it, a workbook (.xlsx) of several.")
    ] = None,
    first: FromOption = None,
    last: ToOption = None,
    queue: QueueOption = None,
    all_columns: Annotated[
        bool,
        typer.Option("--all-columns", help="All columns of the calls in the workbook, not 15."),
    ] = False,
    root: RootOption = DEFAULT_ROOT,
    settings_file: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a workbook of the last seven days, or one mart, to a file.

    Examples:

        ser-batch export week.xlsx

        ser-batch export all.xlsx --all-columns

        ser-batch export billing.csv --mart call_summary --queue billing --from 2026-11-02
    """
    from ser_batch.report.export import export_mart, export_week
    from ser_batch.report.selection import check_choice
    from ser_batch.warehouse import connect, describe

    place = existing_root(root)
    choice = chosen_calls(first, last, queue)
    if mart is None and file.suffix != ".xlsx":
        raise typer.BadParameter("name a mart, or write the workbook of the week to an .xlsx file")
    marts = describe(place.warehouse)
    with connect(place.warehouse) as con:
        check_choice(con, choice)
        if mart is None:
            settings = read_settings(place, settings_file)
            n_rows = export_week(
                con,
                marts,
                file,
                choice,
                settings,
                reports=place.reports,
                all_columns=all_columns,
            )
        else:
            n_rows = export_mart(con, marts, mart, file, choice)
    if as_json:
        print_json({"file": str(file), "rows": n_rows})
    else:
        typer.echo(f"{file}: {n_rows} rows")
