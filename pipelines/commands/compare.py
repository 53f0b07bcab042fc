"""Command `compare`: a period against another, or a queue against the others."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.options import (
    DEFAULT_ROOT,
    JsonOption,
    QueueOption,
    RootOption,
    existing_root,
    print_json,
)

if TYPE_CHECKING:
    from ser_batch.report.compare import Comparison
    from ser_batch.report.queries import Row


def compare(
    *,
    after: Annotated[
        str | None,
        typer.Option(
            "--after",
            "--during",
            metavar="FIRST..LAST",
            help="Days that are looked at; without it, the last seven.",
        ),
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(
            metavar="FIRST..LAST",
            help="Days that they are compared with; without it, as many, right before.",
        ),
    ] = None,
    on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="First day of a change: up to four weeks from it against the four before.",
        ),
    ] = None,
    queue: QueueOption = None,
    others: Annotated[
        bool, typer.Option("--others", help="Compare the queue with the others, in the same days.")
    ] = False,
    root: RootOption = DEFAULT_ROOT,
    as_json: JsonOption = False,
) -> None:
    """Whether calls are more often dissatisfied than before, or than elsewhere, beyond chance.

    This week against last, before and after a day, or a queue against the others. The change is
    within queue and hour of day; its 95 % interval allows for days that differ and for customers
    who call again.

    Examples:

        ser-batch compare

        ser-batch compare --on 2026-11-03 --queue billing

        ser-batch compare --before 2026-10-01..2026-10-31 --after 2026-11-01..2026-11-15

        ser-batch compare --queue billing --others --during 2026-10-01..2026-10-31
    """
    from ser_batch.report.compare import Asked, parse_days
    from ser_batch.report.compare import compare as compare_calls
    from ser_batch.warehouse import connect

    asked = Asked(
        after=parse_days(after) if after else None,
        before=parse_days(before) if before else None,
        on=on.date() if on else None,
        queue=queue,
        others=others,
    )
    with connect(existing_root(root, only="warehouse").warehouse) as con:
        found = compare_calls(con, asked)
    if as_json:
        print_json(found.as_dict())
    else:
        _show(found)


def _show(found: Comparison) -> None:
    from pipelines.terminal import show_lines, show_table
    from ser_batch.report.words import percent, thousands
    from ser_batch.serialise import visible

    rows = []
    for name, side in zip(found.names, ("", "_before"), strict=True):
        rows.append(
            (
                visible(name),
                thousands(found.figures[f"count_scored_calls{side}"]),
                str(found.figures[f"count_days{side}"]),
                percent(found.figures[f"dissatisfied_call_share{side}"]),
                _interval(found.figures, side),
            )
        )
    show_table(("calls", "scored", "days", "dissatisfied", "95 % interval"), rows)
    show_lines(found.sentence, *found.cautions, markup=False, highlight=False)


def _interval(figures: Row, side: str) -> str:
    """Both ends, or a dash where there are none."""
    from ser_batch.report.words import percent

    low, high = (figures[f"dissatisfied_call_share{side}_{end}"] for end in ("low", "high"))
    return percent(None) if low is None else f"{percent(low)} to {percent(high)}"
