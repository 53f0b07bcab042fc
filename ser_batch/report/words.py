"""Figures and findings as text."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

from ser_batch.emotions import NEGATIVE, UNCERTAIN
from ser_batch.report.content import Content, Period
from ser_batch.report.data import Rules
from ser_batch.report.queries import Row

_NBSP = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"


def verdict(content: Content, *, min_calls: int) -> str:
    """The headline in a sentence or two: how much, and whether it changed beyond chance."""
    head = content.headline
    if content.period is None:
        return "No calls have been ingested yet."
    if not head["count_calls"]:
        return "There are no calls on these days."
    if head["count_scored"] < min_calls:
        return (
            f"{head['count_scored']} of {counted(head['count_calls'], 'call')} could be scored: "
            "too few for a share."
        )
    return (
        f"{percent(head['share'])} of the scored calls were dissatisfied "
        f"({percent(head['share_low'])} to {percent(head['share_high'])}). "
        + _change(head, min_calls)
    )


def _change(head: Row, min_calls: int) -> str:
    """The period's share against that of the days before."""
    if not head["count_scored_before"]:
        return "There are no earlier calls to compare with."
    if head["count_scored_before"] < min_calls:
        return "There are too few earlier calls to test for a change."
    before = f"{percent(head['share_before'])} in the four weeks before"
    if head["difference_low"] is None:
        return f"There are too few days to test that against the {before}."
    interval = f"{points(head['difference_low'])} to {points(head['difference_high'])} points"
    if head["difference_low"] > 0:
        return f"That is worse than the {before}, beyond chance ({interval})."
    if head["difference_high"] < 0:
        return f"That is better than the {before}, beyond chance ({interval})."
    return f"Against {before}, that is no change beyond chance ({interval})."


def reasons(call: Row, rules: Rules) -> str:
    """Why a call is listed, in a few words.

    Args:
        call: a row of `call_summary`
        rules: the flag's threshold
    """
    found = []
    if call["arc"] in ("worsening", "improving", "stayed negative"):
        found.append(call["arc"])
    strongest = [name for name, share in call["emotions"] if share >= 0.2 and name in NEGATIVE]
    if strongest:
        found.append(" and ".join(strongest[:2]))
    found.append(f"{percent(call['dissatisfied_share'])} of the speech dissatisfied")
    if (call["dissatisfaction_end"] or 0) >= rules.end_threshold:
        found.append("ends badly")
    if call["top_reasons"]:
        found.append(call["top_reasons"][0])
    return ", ".join(found)


def recovery(call: Row) -> str:
    """What follows a call's worst segment, in a few words."""
    if call["recovery_watched_s"] is None:
        return "it is not dissatisfied"
    if call["recovery_s"] is None:
        return "no segment that is not dissatisfied follows"
    return f"the first segment that is not dissatisfied follows after {call['recovery_s']:.0f} s"


def reviewed(call: Row) -> str | None:
    """Who reviewed a call, and when somebody last did; None if nobody has."""
    if not call["reviewed_by"]:
        return None
    return f"reviewed by {listed(call['reviewed_by'])}, {moment(call['reviewed_at'])} UTC"


def because(phrases: Sequence[str] | None) -> str:
    """A segment's reasons in a few words: what they are compared with is stated once.

    `sharper sound than most speech`, `faster speech than most speech` → `sharper sound and
    faster speech than most speech`.
    """
    by_usual: dict[str, list[str]] = {}
    for phrase in phrases or ():
        what, _, usual = phrase.partition(" than ")
        by_usual.setdefault(usual, []).append(what)
    return "; ".join(
        f"{listed(found)} than {usual}" if usual else listed(found)
        for usual, found in by_usual.items()
    )


def emotion_word(segment: Row) -> str:
    """The predicted emotion of a segment; of an uncertain one also why none is predicted."""
    if segment["emotion"] != UNCERTAIN:
        return str(segment["emotion"])
    if segment["ood_score"] > 1:
        return "uncertain: out of distribution"
    return "uncertain: no emotion is likely enough"


def change_word(row: Row) -> str:
    """Change of a queue's week against the week before."""
    if not row["count_scored_calls_before"]:
        return "no calls the week before"
    if row["adjusted_change"] is None:
        return "too few calls to compare"
    if row["is_beyond_chance"] is None:
        return "too few days to compare"
    if not row["is_beyond_chance"]:
        return "no change beyond chance"
    return "worse" if row["adjusted_change"] > 0 else "better"


def period_words(period: Period) -> str:
    """The period as text."""
    if period.first == period.last:
        return day(period.last)
    return f"{day(period.first)} to {day(period.last)}"


def day(date: dt.date) -> str:
    """Tuesday 3 November 2026."""
    return f"{date:%A} {date.day} {date:%B %Y}"


def moment(time: dt.datetime) -> str:
    """Tue 3 Nov 2026, 14:05."""
    return f"{time:%a} {time.day} {time:%b %Y, %H:%M}"


def clock(seconds: float) -> str:
    """Minutes and seconds, as a player shows them."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def lasting(seconds: float) -> str:
    """A length of audio: minutes up to an hour and a half, then hours."""
    if seconds < 5400:
        return counted(math.ceil(seconds / 60), "minute")
    return f"{seconds / 3600:.1f} hours"


def listed(names: Sequence[str]) -> str:
    """a, b and c."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


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


def counted(number: int, noun: str, plural: str = "") -> str:
    """1 call, 2 calls; the plural is given where it is not the noun with an s."""
    return f"{thousands(number)} {noun if number == 1 else plural or noun + 's'}"
