"""Command `score`: the first try on one's own call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.options import (
    DEFAULT_ROOT,
    CustomerChannelOption,
    Exit,
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
    from ser_batch.scoring.score_files import FileScore

BAR_WIDTH = 10


def score(
    files: Annotated[list[Path], typer.Argument(help="Recordings.")],
    *,
    customer_channel: CustomerChannelOption = None,
    first_speaker: FirstSpeakerOption = None,
    root: RootOption = DEFAULT_ROOT,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score one or a few calls, without a night; nothing is written.

    Customers who objected or were not informed are left out where the root has their call.
    Nothing says so of other files, as no metadata is read: these are your responsibility.

    Examples:

      ser-batch score call.wav

      ser-batch score call.wav --customer-channel 0 --json

      ser-batch score mono.wav --first-speaker agent
    """
    from ser_batch.scoring.choose import load_model
    from ser_batch.scoring.score_files import score_files
    from ser_batch.store.lake import Lake

    place = open_root(root)
    values = read_settings(place, settings)
    bundle = load_model(place, values)
    scores = score_files(
        files,
        bundle,
        values,
        Lake(place.lake),
        customer_channel=customer_channel,
        first_speaker=first_speaker,
    )
    if as_json:
        print_json({"model_id": bundle.model_id, "files": [_as_dict(scored) for scored in scores]})
    else:
        for scored in scores:
            _show(scored)
        _show_unknown(scores)
    if any(scored.error for scored in scores):
        raise typer.Exit(Exit.PARTIAL if len(scores) > 1 else Exit.FAILED)


def _as_dict(scored: FileScore) -> dict[str, Any]:
    from dataclasses import asdict

    from ser_batch.files.inputs import name_of

    return {
        "path": name_of(scored.path),
        "duration_s": scored.duration_s,
        "is_known": scored.is_known,
        "dissatisfaction": scored.dissatisfaction,
        "is_dissatisfied": scored.is_dissatisfied,
        "segments": [asdict(segment) for segment in scored.segments],
        "not_scored": {str(channel): reason for channel, reason in scored.not_scored.items()},
        "options": list(scored.options),
        "error": {"code": scored.error.code, "message": str(scored.error)}
        if scored.error
        else None,
    }


def _show(scored: FileScore) -> None:
    from rich.console import Console
    from rich.markup import escape

    from ser_batch.files.inputs import name_of

    console = Console()
    name = escape(name_of(scored.path))
    if scored.error is not None:
        console.print(f"[bold]{name}[/]: [red]{escape(scored.error.one_line())}[/]")
        return
    said = "nothing scored"
    if scored.segments:
        said = "too little was scored for a figure of the call (dissatisfaction.min_scored_s)"
    if scored.dissatisfaction is not None:
        said = f"dissatisfaction [bold]{scored.dissatisfaction:.2f}[/] (0 content, 1 dissatisfied)"
        said += ", [bold]flagged as dissatisfied[/]" if scored.is_dissatisfied else ", not flagged"
    console.print(f"[bold]{name}[/]: {scored.duration_s:.0f} s, {said}")
    for channel, reason in scored.not_scored.items():
        console.print(f"  channel {channel} not scored: {escape(reason)}", style="dim")
    if scored.options:
        console.print("  to score it, say who speaks:")
        for option in scored.options:
            console.print(f"    {option}", highlight=False)
    if not scored.segments:
        return
    console.print(
        table_of(
            ("from", "to", "emotion", "sure", "dissatisfaction", "because"),
            (
                (
                    clock(segment.start_s),
                    clock(segment.end_s),
                    segment.emotion,
                    f"{segment.confidence:.2f}",
                    _bar(segment.dissatisfaction),
                    segment.reasons[0] if segment.reasons else "",
                )
                for segment in scored.segments
            ),
        )
    )


def _show_unknown(scores: Sequence[FileScore]) -> None:
    """Of how many files nothing says whether the customer may be scored."""
    from ser_batch.report.words import counted

    n_unknown = sum(not scored.is_known and bool(scored.segments) for scored in scores)
    if n_unknown:
        say_progress(
            f"objection and notice are not known of {counted(n_unknown, 'file')} and were not "
            "considered: the root has no such call"
        )


def _bar(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} {'█' * round(value * BAR_WIDTH)}"


def clock(seconds: float) -> str:
    """Minutes and seconds to a tenth: 60 s is 1:00.0."""
    minutes, tenths = divmod(round(seconds * 10), 600)
    return f"{minutes}:{tenths / 10:04.1f}"
