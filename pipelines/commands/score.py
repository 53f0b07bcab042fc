"""Command `score`: the first try on one's own call."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.options import (
    DEFAULT_ROOT,
    Exit,
    FirstSpeakerOption,
    JsonOption,
    RootOption,
    SettingsOption,
    open_root,
    print_json,
    read_settings,
)

if TYPE_CHECKING:
    from ser_batch.stages.trial import Trial

BAR_WIDTH = 10


def score(
    files: Annotated[list[Path], typer.Argument(help="Recordings.")],
    *,
    customer_channel: Annotated[
        int | None,
        typer.Option(
            help="The customer's channel; for a one-channel file 0 says that it is the customer's.",
            min=0,
            max=1,
        ),
    ] = None,
    first_speaker: FirstSpeakerOption = None,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score one or a few calls, without lake or warehouse.

    Examples:

      ser-batch score call.wav

      ser-batch score call.wav --customer-channel 0 --json

      ser-batch score mono.wav --first-speaker agent
    """
    from ser_batch.stages.score import load_model
    from ser_batch.stages.trial import try_files

    place = open_root(root)
    values = read_settings(place, settings)
    bundle = load_model(place, values)
    trials = try_files(
        files,
        bundle,
        values,
        customer_channel=customer_channel,
        first_speaker=first_speaker,
    )
    if as_json:
        print_json({"model_id": bundle.model_id, "files": [_as_dict(trial) for trial in trials]})
    else:
        for trial in trials:
            _show(trial)
    if any(trial.error for trial in trials):
        raise typer.Exit(Exit.PARTIAL if len(trials) > 1 else Exit.FAILED)


def _as_dict(trial: Trial) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "path": str(trial.path),
        "duration_s": trial.duration_s,
        "dissatisfaction": trial.dissatisfaction,
        "segments": [asdict(segment) for segment in trial.segments],
        "not_scored": {str(channel): reason for channel, reason in trial.not_scored.items()},
        "error": {"code": trial.error.code, "message": str(trial.error)} if trial.error else None,
    }


def _show(trial: Trial) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    name = escape(str(trial.path))
    if trial.error is not None:
        console.print(f"[bold]{name}[/]: [red]{escape(trial.error.one_line())}[/]")
        return
    said = "nothing scored"
    if trial.dissatisfaction is not None:
        said = f"dissatisfaction [bold]{trial.dissatisfaction:.2f}[/] (0 content, 1 dissatisfied)"
    console.print(f"[bold]{name}[/]: {trial.duration_s:.0f} s, {said}")
    for channel, reason in trial.not_scored.items():
        console.print(f"  channel {channel} not scored: {escape(reason)}", style="dim")
    if not trial.segments:
        return
    table = Table("from", "to", "emotion", "sure", "dissatisfaction", "because")
    for segment in trial.segments:
        value = segment.dissatisfaction
        bar = "" if value is None else f"{value:.2f} {'█' * round(value * BAR_WIDTH)}"
        table.add_row(
            clock(segment.start_s),
            clock(segment.end_s),
            segment.emotion,
            f"{segment.confidence:.2f}",
            bar,
            segment.reasons[0] if segment.reasons else "",
        )
    console.print(table)


def clock(seconds: float) -> str:
    """Minutes and seconds to a tenth: 60 s is 1:00.0."""
    minutes, tenths = divmod(round(seconds * 10), 600)
    return f"{minutes}:{tenths / 10:04.1f}"
