"""The page: content and settings in, one self-contained HTML text out."""

from __future__ import annotations

import datetime as dt
import math
from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup

import ser_batch
from ser_batch.config import Settings
from ser_batch.report.content import Content, Period, Row

NO_QUEUE = "no queue"


def render(content: Content, settings: Settings, *, run_id: str, model_id: str) -> str:
    """The HTML of a report.

    Everything that came from outside (names, paths, messages) is escaped; script and style are
    the only marked-up text that is put in as it is.
    """
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "clock": clock,
        "day": day,
        "hundredths": hundredths,
        "moment": moment,
        "percent": percent,
        "period": period_words,
        "thousands": thousands,
    }
    head, least = content.headline, settings.report.min_calls
    return environment.from_string(_asset("page.html")).render(
        content=content,
        css=Markup(_asset("page.css")),
        script=Markup(_asset("page.js")),
        cells={"minCalls": least, "cells": [_cell(row) for row in content.rows["cells"]]},
        verdict=verdict(content, min_calls=least),
        enough=head["count_scored_calls"] >= least,
        enough_before=head["count_scored_calls_before"] >= least,
        min_calls=least,
        threshold=settings.dissatisfaction.threshold,
        weights=_weights(settings),
        run_id=run_id,
        model_id=model_id,
        version=ser_batch.__version__,
    )


def verdict(content: Content, *, min_calls: int) -> str:
    """The headline in a sentence or two: how much, and whether it changed beyond chance."""
    head = content.headline
    if content.period is None:
        return "No call was taken in yet."
    if head["count_scored_calls"] < min_calls:
        return (
            f"{head['count_scored_calls']} of {head['count_calls']} calls could be scored: too few "
            "for a figure."
        )
    said = (
        f"{percent(head['share'])} of the scored calls were dissatisfied "
        f"({percent(head['share_low'])} to {percent(head['share_high'])})."
    )
    if head["count_scored_calls_before"] < min_calls:
        return f"{said} There are too few earlier calls to say whether that is a change."
    return f"{said} {_change(head)}"


def _change(head: Row) -> str:
    before = f"{percent(head['share_before'])} in the four weeks before"
    points = f"{100 * head['difference_low']:+.0f} to {100 * head['difference_high']:+.0f} points"
    if head["difference_low"] > 0:
        return f"That is worse than the {before}, beyond chance ({points})."
    if head["difference_high"] < 0:
        return f"That is better than the {before}, beyond chance ({points})."
    return f"Against {before}, that is no change beyond chance ({points})."


def period_words(period: Period) -> str:
    """The period as a reader says it."""
    if period.first == period.last:
        return day(period.last)
    return f"{day(period.first)} to {day(period.last)}"


def day(date: dt.date) -> str:
    """Tuesday 3 November 2026."""
    return f"{date:%A} {date.day} {date:%B %Y}"


def moment(time: dt.datetime) -> str:
    """Tue 3 Nov, 14:05."""
    return f"{time:%a} {time.day} {time:%b, %H:%M}"


def clock(seconds: float) -> str:
    """Minutes and seconds, as a player shows them."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def percent(share: float) -> str:
    """A share in whole percent, halves up as the charts round."""
    return f"{math.floor(100 * share + 0.5)}\N{NO-BREAK SPACE}%"


def hundredths(value: float | None) -> str:
    """A value from 0 to 1 with two places, or a dash."""
    return "\N{EN DASH}" if value is None else f"{value:.2f}"


def thousands(number: int) -> str:
    """A count with thin spaces between thousands."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _cell(row: Row) -> Row:
    return {
        "day": row["call_date"].isoformat(),
        "hour": row["hour"],
        "queue": row["queue"] or NO_QUEUE,
        "calls": row["count_calls"],
        "scored": row["count_scored_calls"],
        "dissatisfied": row["count_dissatisfied_calls"],
    }


def _weights(settings: Settings) -> str:
    weights = settings.dissatisfaction.weights
    heavy = sorted((-weight, name) for name, weight in weights.items() if weight)
    return ", ".join(f"{name} {-weight:g}" for weight, name in heavy) + ", the others 0"


def _asset(name: str) -> str:
    return (files("ser_batch.report") / name).read_text(encoding="utf-8")
