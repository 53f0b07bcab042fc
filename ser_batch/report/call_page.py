"""A page of one call: both channels, emotions by segment, and the moments to listen to."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ser_batch.emotions import EMOTIONS
from ser_batch.report.call_data import WIDTH
from ser_batch.report.data import CallData
from ser_batch.report.page import asset, template
from ser_batch.report.queries import Row
from ser_batch.report.words import percent


def render_call(data: CallData) -> str:
    """The HTML of a call's page."""
    return template("call.html").render(
        call=data.call,
        sides=data.sides,
        segments=data.segments,
        scored=[row for row in data.segments if row["emotion"] is not None],
        arc=_arc(data.tenths, data.call["duration_s"]),
        lanes=data.lanes,
        highest_khz=data.highest_khz,
        excerpts=data.excerpts,
        worst=data.worst_excerpt,
        most_likely=most_likely,
        width=WIDTH,
        ticks=_ticks(data.call["duration_s"]),
        rules=data.rules,
        css=Markup(asset("page.css")),
        back=f"{data.report}.html",
    )


def most_likely(segment: Row) -> str:
    """The three most likely emotions of a segment with their probabilities."""
    known = [(segment[f"p_{name}"] or 0.0, name) for name in EMOTIONS]
    first = sorted(known, key=lambda pair: -pair[0])[:3]
    return ", ".join(f"{name} {percent(probability)}" for probability, name in first)


def _arc(tenths: Sequence[Row], duration_s: float) -> str:
    """Path through the middles of the call's tenths in a box of WIDTH by 1."""
    step, path, is_joined = WIDTH / max(duration_s, 0.1), "", False
    for row in tenths:
        value = row["dissatisfaction"]
        if value is not None:
            x = (row["start_s"] + row["end_s"]) / 2 * step
            path += f"{'L' if is_joined else 'M'}{x:.1f},{1 - value:.3f}"
        is_joined = value is not None
    return path


def _ticks(duration_s: float) -> list[float]:
    """Whole times in seconds for an axis of at most ten marks."""
    steps = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)
    step = next((step for step in steps if duration_s / step <= 10), 3600)
    # the last mark would stand out of the picture
    return [float(at) for at in range(0, int(duration_s * 0.92) + 1, step)]
