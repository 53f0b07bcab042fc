"""The counts that the page's charts and filters are drawn from, small enough to embed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ser_batch.report.queries import Row

ARCS = ("stayed positive", "improving", "worsening", "stayed negative", "uncertain")
"""Which way a call went, as `arc_class` of the warehouse says it."""

_COUNTS = (
    "count_calls",
    "count_scored_calls",
    "count_dissatisfied_calls",
    *(f"count_{arc.replace(' ', '_')}" for arc in ARCS),
)


def embedded_cells(
    rows: Sequence[Row], attributes: Sequence[str], min_calls: int
) -> dict[str, Any]:
    """Counts by day, hour, queue and attributes, each name written once.

    Args:
        rows: call_date, hour, queue, attributes, count_calls, count_scored_calls,
            count_dissatisfied_calls and a count an arc
        attributes: names of the attributes, in the order of each row's list
        min_calls: scored calls from which a share is shown

    Returns:
        `facets`: name and values of queue and attributes; `days`; `arcs`; `cells`: a list a row:
        number of the day, hour, number of the value of each facet, calls, scored, dissatisfied,
        calls of each arc
    """
    days = sorted({row["call_date"] for row in rows})
    day_numbers = {day: number for number, day in enumerate(days)}
    names = ["queue", *attributes]
    keys = [facet_values(row, attributes) for row in rows]
    values = [sorted({key[place] for key in keys}) for place in range(len(names))]
    numbers = [{value: number for number, value in enumerate(found)} for found in values]
    cells = [
        [
            day_numbers[row["call_date"]],
            row["hour"],
            *(numbers[place][value] for place, value in enumerate(key)),
            *(row[count] for count in _COUNTS),
        ]
        for row, key in zip(rows, keys, strict=True)
    ]
    facets = [{"name": n, "values": v} for n, v in zip(names, values, strict=True)]
    return {
        "minCalls": min_calls,
        "days": [day.isoformat() for day in days],
        "facets": facets,
        "arcs": list(ARCS),
        "cells": cells,
    }


def facet_values(row: Row, attributes: Sequence[str]) -> list[str]:
    """The values of a row's facets: its queue and each of `attributes`."""
    values = (row["queue"], *row["attributes"])
    return [_named(v, n) for v, n in zip(values, ("queue", *attributes), strict=True)]


def _named(value: str | None, facet: str) -> str:
    """A value of a facet, or what stands for calls without one."""
    return f"no {facet}" if value is None else value
