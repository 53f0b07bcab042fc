"""Commands on what was left out: quarantine list, quarantine retry."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.options import DEFAULT_ROOT, JsonOption, RootOption, existing_root, print_json

app = typer.Typer(no_args_is_help=True, help="Files that were left out, and warnings.")


@app.command("list")
def show(
    root: RootOption = DEFAULT_ROOT,
    warnings: Annotated[bool, typer.Option(help="Show warnings too.")] = True,
    code: Annotated[str | None, typer.Option(help="Only this reason code.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Files that were left out, with the reason and what to do.

    Examples:

      ser-batch quarantine list --no-warnings

      ser-batch quarantine list --code truncated --json
    """
    from ser_batch.stages.quarantine import read_quarantine

    rows = read_quarantine(existing_root(root), warnings=warnings, code=code)
    if as_json:
        print_json({"quarantine": rows})
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    if not rows:
        console.print("Nothing is in quarantine.")
        return
    table = Table("file", "what is wrong", "what to do", show_lines=True)
    for row in rows:
        style = "" if row["severity"] == "quarantine" else "dim"
        cells = (row["path"], f"{row['code']}: {row['message']}", row["remedy"])
        table.add_row(*(escape(str(cell)) for cell in cells), style=style)
    console.print(table)


@app.command("retry")
def retry(
    root: RootOption = DEFAULT_ROOT,
    code: Annotated[str | None, typer.Option(help="Only this reason code.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Let the next night try the files again that analysis left out.

    Files that were replaced, or left out before they were decoded, are tried again anyway.

    Example:

      ser-batch quarantine retry --code worker_died
    """
    from ser_batch.stages.quarantine import release

    released = release(existing_root(root), code=code)
    if as_json:
        print_json({"released": released})
    elif released:
        typer.echo(f"{len(released)} files will be tried again by the next `ser-batch nightly`.")
    else:
        typer.echo("No file was left out by analysis.")
