"""The priority calls as the page's script lists, filters, sorts and plays them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from ser_batch.report.cells import facet_values
from ser_batch.report.data import ReportData
from ser_batch.report.queries import Row
from ser_batch.report.words import clock, moment, percent, reasons, reviewed

_MOST_BARS = 40
"""Of the small picture of a call; neighbouring segments of a longer call share one."""


def embedded_calls(data: ReportData) -> list[dict[str, Any]]:
    """A dictionary a call, in the order of the list.

    `bars` are start, length (seconds) and dissatisfaction of its scored speech; `href` is null
    without a page, `reviewed` without a review, `sound` without an excerpt.
    """
    return [_embedded(row, data) for row in data.content.rows["priority_calls"]]


def _embedded(row: Row, data: ReportData) -> dict[str, Any]:
    name = row["recording_id"]
    return {
        "place": row["place"],
        "call": row["call_id"],
        "href": f"{quote(data.run_id)}-calls/{quote(name)}.html"
        if name in data.call_pages
        else None,
        "isOfPeriod": row["is_of_period"],
        "day": row["call_date"].isoformat(),
        "hour": row["hour"],
        "facets": facet_values(row, data.content.attributes),
        "arc": row["arc"],
        "when": f"{moment(row['started_at'])} · {row['queue'] or 'no queue'} · "
        f"{clock(row['duration_s'])} min",
        "why": _why(row, data),
        "reviewed": reviewed(row),
        "path": row["path"],
        "folder": row["audio_root"],
        "length": round(row["duration_s"], 1),
        "index": round(row["dissatisfaction"], 3),
        "start": _rounded(row["dissatisfaction_start"]),
        "end": _rounded(row["dissatisfaction_end"]),
        "peak": round(row["dissatisfaction_peak"], 3),
        "worst": round(row["worst_start_s"], 1),
        "bars": _bars(row["segments"]),
        "sound": dataclasses.asdict(sound) if (sound := data.sounds.get(name)) else None,
    }


def _why(row: Row, data: ReportData) -> str:
    text = reasons(row, data.rules)
    if row["coverage"] < 0.5:
        text += f"; only {percent(row['coverage'])} of the speech was scored"
    return text


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _bars(segments: Sequence[Row]) -> list[list[float]]:
    """Start, length and mean dissatisfaction of segments, neighbours together where many."""
    n_together = -(-len(segments) // _MOST_BARS)
    bars = []
    for first in range(0, len(segments), max(n_together, 1)):
        own = segments[first : first + n_together]
        spoken_s = sum(each["end_s"] - each["start_s"] for each in own)
        weighted = sum(each["dissatisfaction"] * (each["end_s"] - each["start_s"]) for each in own)
        start_s = own[0]["start_s"]
        mean = weighted / spoken_s if spoken_s else own[0]["dissatisfaction"]
        bars.append([round(start_s, 1), round(own[-1]["end_s"] - start_s, 1), round(mean, 2)])
    return bars
