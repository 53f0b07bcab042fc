"""Figures and findings as a reader says them."""

from __future__ import annotations

import datetime as dt
import math

from ser_batch.report.content import Content, Period, Row

_NBSP = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"


def verdict(content: Content, *, min_calls: int) -> str:
    """The headline in a sentence or two: how much, and whether it changed beyond chance."""
    head = content.headline
    if content.period is None:
        return "No call was taken in yet."
    if head["count_scored"] < min_calls:
        return (
            f"{head['count_scored']} of {counted(head['count_calls'], 'call')} could be scored: "
            "too few for a figure."
        )
    said = (
        f"{percent(head['share'])} of the scored calls were dissatisfied "
        f"({percent(head['share_low'])} to {percent(head['share_high'])})."
    )
    if head["count_scored_before"] < min_calls:
        return f"{said} There are too few earlier calls to say whether that is a change."
    before = f"{percent(head['share_before'])} in the four weeks before"
    interval = f"{points(head['difference_low'])} to {points(head['difference_high'])} points"
    if head["difference_low"] > 0:
        return f"{said} That is worse than the {before}, beyond chance ({interval})."
    if head["difference_high"] < 0:
        return f"{said} That is better than the {before}, beyond chance ({interval})."
    return f"{said} Against {before}, that is no change beyond chance ({interval})."


def reasons(call: Row, threshold: float) -> str:
    """Why a call is worth hearing, in a few words."""
    found = []
    if call["arc"] in ("worsening", "improving", "stayed negative"):
        found.append(call["arc"])
    strongest = [name for name, share in call["emotions"] if share >= 0.2 and name != "neutral"]
    if strongest:
        found.append(" and ".join(strongest[:2]))
    found.append(f"{percent(call['dissatisfied_share'])} of the speech dissatisfied")
    if (call["dissatisfaction_end"] or 0) >= threshold:
        found.append("ends badly")
    if call["top_reasons"]:
        found.append(call["top_reasons"][0])
    return ", ".join(found)


def change_word(row: Row) -> str:
    """What a queue's week against the week before shows."""
    if row["adjusted_change"] is None:
        return "too few calls"
    if not row["is_beyond_chance"]:
        return "no change beyond chance"
    return "worse" if row["adjusted_change"] > 0 else "better"


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


def percent(share: float | None) -> str:
    """A share in whole percent, halves up as the charts round; a dash for none."""
    return "\N{EN DASH}" if share is None else f"{math.floor(100 * share + 0.5)}{_NBSP}%"


def points(difference: float) -> str:
    """A difference of shares in whole points with its sign."""
    whole = math.floor(100 * abs(difference) + 0.5)
    if not whole:
        return "0"
    return f"{'+' if difference > 0 else _MINUS}{whole}"


def hundredths(value: float | None) -> str:
    """A value from 0 to 1 with two places; a dash for none."""
    return "\N{EN DASH}" if value is None else f"{value:.2f}"


def thousands(number: int) -> str:
    """A count with thin spaces between thousands."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def counted(number: int, noun: str) -> str:
    """1 call, 2 calls."""
    return f"{thousands(number)} {noun}{'' if number == 1 else 's'}"
