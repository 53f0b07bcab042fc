"""Commands on labels: labels queue, labels serve, labels import, labels status."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.serve import HostOption, PortOption, run_server
from pipelines.options import (
    DEFAULT_ROOT,
    Exit,
    JsonOption,
    RootOption,
    SettingsOption,
    existing_root,
    print_json,
    read_settings,
)

if TYPE_CHECKING:
    from rich.console import Console

    from ser_batch.labels.queue import ImportResult

app = typer.Typer(
    no_args_is_help=True, help="Labels: queue segments, annotate them, import labels."
)

_MOST_REFUSALS = 20


@app.command("queue")
def queue(
    count: Annotated[int, typer.Option(min=1, help="Segments to ask about.")] = 200,
    audio_url: Annotated[
        str | None,
        typer.Option(
            help="URL at which Label Studio reads the root folder; without it, its local files."
        ),
    ] = None,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Select segments to label: informative ones, and a random share to measure models by.

    Writes snippets, tasks and a labelling configuration for Label Studio, and a CSV, under
    ROOT/labels. With Label Studio's local files, its document root is ROOT.

    Examples:

      ser-batch labels queue --count 200

      ser-batch labels queue --audio-url https://files.example/calls/
    """
    from ser_batch.labels.label_studio import LOCAL_FILES
    from ser_batch.labels.queue import queue_labels
    from ser_batch.scoring.choose import model_id

    place = existing_root(root)
    chosen = read_settings(place, settings)
    url = LOCAL_FILES if audio_url is None else audio_url
    result = queue_labels(place, chosen, model_id(place, chosen), count, audio_url=url)
    if as_json:
        print_json(asdict(result))
    elif result.batch_id is None:
        typer.echo("There is nothing left to ask about: run the night, or raise labels.days.")
    else:
        reasons = ", ".join(f"{count} {reason}" for reason, count in result.reasons.items())
        typer.echo(f"{result.n_queued} segments of {result.n_callers} callers ({reasons})")
        typer.echo(f"  {result.folder}")
        typer.echo("  label them with `ser-batch labels serve`, or import them into Label Studio")
    if result.n_without_audio and not as_json:
        typer.echo(f"  {result.n_without_audio} left out: their recording cannot be read any more")


@app.command("serve")
def serve(
    host: HostOption = "127.0.0.1",
    port: PortOption = 0,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
) -> None:
    """Serve a page that plays queued segments and saves each answer at once; Ctrl-C ends it.

    Keys: 1 to 9 choose an emotion, 0 "can't tell", u undo, space play again. Several people may
    label at the same time, each under a name, and continue later. A link opens one browser; the
    next link is printed when it was used.

    Example:

      ser-batch labels serve --port 8700
    """
    from ser_batch.labels.queue import open_session
    from ser_batch.serve.access_log import AccessLog
    from ser_batch.serve.pages.labels import PATH, LabelsPage
    from ser_batch.store.lake import Lake

    place = existing_root(root)
    session = open_session(place, read_settings(place, settings))
    page = LabelsPage(lambda: session, AccessLog(Lake(place.lake)))
    run_server(page.routes, host=host, port=port, start=PATH, asks_name=False)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="Export of Label Studio (JSON or CSV), or a CSV.")],
    annotator: Annotated[
        str | None, typer.Option(help="Who labelled, where the file does not say.")
    ] = None,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import labels, row by row; nothing is imported twice or overwritten.

    Exit code: 0 every row is known; 3 rows were refused; 1 the file cannot be read.

    Examples:

      ser-batch labels import project-1-at-2026-11-04.json

      ser-batch labels import queue.csv --annotator anna
    """
    from ser_batch.labels.queue import import_labels

    place = existing_root(root)
    result = import_labels(place, read_settings(place, settings), file, annotator=annotator)
    if as_json:
        print_json(asdict(result))
    else:
        _show_imported(result)
    if result.refused:
        raise typer.Exit(Exit.PARTIAL)


def _show_imported(result: ImportResult) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console()
    console.print(
        f"{result.n_taken} labels taken, {result.n_known} were known, "
        f"{result.n_empty} rows not answered, {len(result.refused)} refused"
    )
    for refusal in result.refused[:_MOST_REFUSALS]:
        console.print(escape(f"  row {refusal.row} {refusal.segment}: {refusal.reason}"))
    if len(result.refused) > _MOST_REFUSALS:
        console.print(f"  … {len(result.refused) - _MOST_REFUSALS} more: --json names all")
    _show_agreement(console, asdict(result.agreement))


@app.command("status")
def status(
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how much is queued and labelled, by whom, and how far annotators agree.

    Example:

      ser-batch labels status
    """
    from ser_batch.labels.queue import label_status

    place = existing_root(root)
    result = asdict(label_status(place, read_settings(place, settings)))
    if as_json:
        print_json(result)
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"{result['n_queued']} segments queued, {result['n_answered']} of them answered")
    table = Table("emotion", "to learn from", "to measure by")
    for name, counts in result["emotions"].items():
        table.add_row(name, str(counts["learn"]), str(counts["measure"]))
    console.print(table)
    _show_agreement(console, result["agreement"])


def _show_agreement(console: Console, agreement: dict[str, Any]) -> None:
    alpha = agreement["alpha"]
    if alpha is None:
        console.print("No agreement can be stated: too few segments have two answers.")
        return
    console.print(
        f"Krippendorff's alpha {alpha:.2f} over {agreement['n_shared']} segments with two or more "
        f"answers, {agreement['n_annotators']} annotators"
    )
