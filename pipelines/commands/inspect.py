"""Command `inspect`: one call looked at closely."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.options import (
    DEFAULT_ROOT,
    CustomerChannelOption,
    FirstSpeakerOption,
    JsonOption,
    RootOption,
    SettingsOption,
    open_root,
    print_json,
    read_settings,
    say_progress,
)
from pipelines.terminal import table_of

if TYPE_CHECKING:
    from ser_batch.analysis.inspect import Inspection

LEAST_WIDTH = 20


def inspect(
    file: Annotated[Path, typer.Argument(help="A recording, or s3://BUCKET/NAME.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Also draw it to this PNG file.", dir_okay=False)
    ] = None,
    customer_channel: CustomerChannelOption = None,
    first_speaker: FirstSpeakerOption = None,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is detected in one call: who speaks when, tones, channel quality.

    Examples:

      ser-batch inspect call.wav

      ser-batch inspect call.wav --out call.png

      ser-batch inspect mono.wav --first-speaker agent --json
    """
    from ser_batch.analysis.inspect import as_dict, inspect_file
    from ser_batch.files.inputs import name_of
    from ser_batch.scoring.score_files import stated_roles

    values = read_settings(open_root(root), settings)
    roles = stated_roles(values.roles, customer_channel, first_speaker)
    values = values.model_copy(update={"roles": roles})
    seen = inspect_file(file, values)
    if out is not None:
        _draw(file.name, seen, out)
    if as_json:
        print_json({"path": name_of(file), **as_dict(seen)})
    else:
        _show(file.name, seen)


def _draw(name: str, seen: Inspection, out: Path) -> None:
    from ser_batch.report.inspect import picture

    said = [message for _, message, _ in seen.warnings]
    out.write_bytes(picture(name, seen.audio, seen.analysis, seen.roles, said))
    say_progress(f"drawn into {out}")


def _show(name: str, seen: Inspection) -> None:
    from rich.console import Console
    from rich.markup import escape

    from ser_batch.report.timeline import bars, course, diagnosis, lanes, scale, side_names

    console = Console(highlight=False)
    console.print(f"[bold]{escape(name)}[/]: {course(seen.analysis)}")
    for _, message, remedy in seen.warnings:
        console.print(f"[yellow]look:[/] {escape(message)}. {escape(remedy)}")
    bands, duration_s = lanes(seen.analysis, seen.roles), seen.analysis.duration_s
    label = max(len(row.name) for row in bands) + 1
    width = max(console.width - label - 6, LEAST_WIDTH)
    console.print()
    for row in bands:
        console.print(f"{row.name:{label}}{bars(row.times, duration_s, width)}", no_wrap=True)
    console.print(" " * label + scale(duration_s, width), style="dim", no_wrap=True)
    rows = ((measure, *cells) for measure, cells in diagnosis(seen.analysis))
    console.print()
    console.print(table_of(("", *side_names(seen.analysis, seen.roles)), rows))
