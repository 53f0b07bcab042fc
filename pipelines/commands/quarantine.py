"""Commands on what was left out: quarantine list, quarantine retry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.options import DEFAULT_ROOT, JsonOption, RootOption, existing_root, print_json

if TYPE_CHECKING:
    from ser_batch.ingest.issues import IssueRow
    from ser_batch.ingest.quarantine import Reason

app = typer.Typer(no_args_is_help=True, help="Rejected files and warnings.")

SHOWN = 5
"""Files that the terminal lists for each reason."""


@app.command("list")
def show(
    root: RootOption = DEFAULT_ROOT,
    warnings: Annotated[bool, typer.Option(help="Show warnings too.")] = True,
    code: Annotated[str | None, typer.Option(help="Only this reason code.")] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=0, help=f"Files listed for each reason; without it, {SHOWN}, with --json all."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List rejected files and warnings by reason, with what to do.

    Examples:

      ser-batch quarantine list --no-warnings

      ser-batch quarantine list --code truncated --limit 100

      ser-batch quarantine list --json
    """
    from ser_batch.ingest.quarantine import by_reason, read_quarantine

    reasons = by_reason(read_quarantine(existing_root(root), warnings=warnings, code=code))
    if as_json:
        rows = [row for reason in reasons for row in reason.rows[:limit]]
        print_json({"reasons": [reason.as_dict() for reason in reasons], "quarantine": rows})
    elif reasons:
        _show(reasons, SHOWN if limit is None else limit)
    else:
        typer.echo("Nothing is in quarantine.")


def _show(reasons: list[Reason], limit: int) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.padding import Padding

    from ser_batch.serialise import visible

    console = Console()
    roots = {row["audio_root"] for reason in reasons for row in reason.rows} - {None}
    for reason in reasons:
        style = "bold red" if reason.severity == "quarantine" else "bold yellow"
        what = "rejected" if reason.severity == "quarantine" else "warning"
        newest = f"{reason.rows[0]['noticed_at']:%Y-%m-%d}"
        console.print(
            f"[{style}]{reason.code}[/]: {len(reason.rows)} × {what}, newest {newest}. "
            f"{escape(reason.remedy)}",
            highlight=False,
        )
        for row in reason.rows[:limit]:
            place, message = escape(_place(row, len(roots))), escape(visible(str(row["message"])))
            text = f"[bold]{place}[/]: {message}"
            console.print(Padding(text, (0, 0, 0, 2)), highlight=False)
        if (n_more := len(reason.rows) - limit) > 0:
            console.print(f"  … {n_more} more: --code {reason.code} --limit {len(reason.rows)}")


def _place(row: IssueRow, n_roots: int) -> str:
    """The path of a row, with its audio folder where there are several."""
    from ser_batch.serialise import visible

    is_below = n_roots > 1 and row["audio_root"]
    return visible(f"{row['audio_root']}/{row['path']}" if is_below else str(row["path"]))


@app.command("retry")
def retry(
    root: RootOption = DEFAULT_ROOT,
    code: Annotated[str | None, typer.Option(help="Only this reason code.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Let the next night try files again that analysis rejected.

    Files that were replaced, or rejected before they were decoded, are tried again anyway.

    Example:

      ser-batch quarantine retry --code worker_died
    """
    from ser_batch.ingest.quarantine import release

    released = release(existing_root(root), code=code)
    if as_json:
        print_json({"released": released})
    elif released:
        from ser_batch.report.words import counted

        typer.echo(f"{counted(len(released), 'file')} tried again by the next `ser-batch nightly`.")
    else:
        typer.echo("No file was left out by analysis.")
