"""A period of calls against another, or a queue against the others: figures and what they say."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import duckdb

from ser_batch.errors import ChoiceError
from ser_batch.report.content import Choice
from ser_batch.report.queries import Row, ask
from ser_batch.report.selection import check_choice
from ser_batch.report.words import counted, percent, points
from ser_batch.warehouse import quoted

WEEK, MONTH = 7, 28
FEW_DAYS = 5
"""Call dates of a group below which one bad day can decide; the interval is wide accordingly."""
MOST_COMPARED = 0.8
"""Share of the calls with a counterpart in queue and hour, below which the rest is mentioned."""


@dataclass(frozen=True)
class Days:
    """First and last day of a period."""

    first: dt.date
    last: dt.date

    @property
    def length(self) -> int:
        """Days."""
        return (self.last - self.first).days + 1

    def before(self, length: int) -> Days:
        """So many days that end the day before."""
        return Days(self.first - dt.timedelta(days=length), self.first - dt.timedelta(days=1))

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True)
class Asked:
    """What is to be compared, as far as it was said.

    Attributes:
        after: days that are looked at; None: the last seven
        before: days that they are compared with; None: as many, right before
        on: the day of a change, in place of both: up to four weeks on each side
        queue: only this queue
        others: compare the queue with the other queues in the same days
    """

    after: Days | None = None
    before: Days | None = None
    on: dt.date | None = None
    queue: str | None = None
    others: bool = False


@dataclass(frozen=True)
class Comparison:
    """What was compared, and what came out.

    Attributes:
        after: days that are looked at
        before: days that they are compared with; None: the other queues in the same days
        queue: the only queue, None for all
        figures: columns of the SQL function `compared`, named as those of the mart trend
    """

    after: Days
    before: Days | None
    queue: str | None
    figures: Row

    @property
    def names(self) -> tuple[str, str]:
        """Of both groups."""
        if self.before is None:
            return f"{self.queue}, {self.after}", f"other queues, {self.after}"
        of_queue = f"{self.queue}, " if self.queue else ""
        return f"{of_queue}{self.after}", f"{of_queue}{self.before}"

    @property
    def finding(self) -> str:
        """worse, better, no difference (beyond chance), or not compared."""
        if self.figures["not_compared_reason"]:
            return "not compared"
        if self.figures["adjusted_change_low"] > 0:
            return "worse"
        return "better" if self.figures["adjusted_change_high"] < 0 else "no difference"

    @property
    def sentence(self) -> str:
        """The finding in a sentence."""
        row = self.figures
        if reason := row["not_compared_reason"]:
            return f"Not compared: {_REASONS.get(reason, reason)}."
        low, high = points(row["adjusted_change_low"]), points(row["adjusted_change_high"])
        within = "hour of day" if self.before is None else "queue and hour of day"
        figures = (
            f"{percent(row['dissatisfied_call_share'])} of the calls are dissatisfied against "
            f"{percent(row['dissatisfied_call_share_before'])}, within {within} "
            f"{points(row['adjusted_change'])} points (95 % interval {low} to {high})"
        )
        if self.finding == "no difference":
            return f"No difference beyond chance: {figures}."
        return f"{self.finding.capitalize()}, beyond chance: {figures}."

    @property
    def cautions(self) -> list[str]:
        """What limits the finding, in sentences."""
        row, found = self.figures, []
        if row["not_compared_reason"]:
            return []
        if (fewest := min(row["count_days"], row["count_days_before"])) < FEW_DAYS:
            found.append(
                f"A side has calls of only {counted(fewest, 'day')}: one unusual day weighs much, "
                "which the interval allows for; compare longer periods for a narrower one."
            )
        if row["compared_share"] < MOST_COMPARED:
            found.append(
                f"The change rests on {percent(row['compared_share'])} of the calls: the others "
                "have no counterpart in queue and hour of day."
            )
        return found

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "after": vars(self.after),
            "before": vars(self.before) if self.before else None,
            "queue": self.queue,
            "finding": self.finding,
            "sentence": self.sentence,
            "cautions": self.cautions,
            **self.figures,
        }


_REASONS = {
    "no calls": "no call of these days is scored",
    "no calls before": "no call is scored on the side that it is compared with",
    "too few calls": "a side has fewer scored calls than the setting report.min_calls",
    "single call date": (
        "a side has calls of a single day, which cannot show how much days differ; choose longer "
        "periods"
    ),
}


def compare(con: duckdb.DuckDBPyConnection, asked: Asked) -> Comparison:
    """Compare two groups of calls of the published warehouse.

    Args:
        con: of the published warehouse
        asked: what is compared

    Raises:
        ChoiceError: if days or queue contradict each other, or there is no such queue or call
    """
    _check(asked)
    check_choice(con, Choice(queue=asked.queue))
    after, before = _periods(con, asked)
    check_choice(con, Choice(after.first, after.last, asked.queue))
    values = {
        "first_date": _date(after.first),
        "last_date": _date(after.last),
        "first_before": _date(before.first),
        "last_before": _date(before.last),
        "only_queue": "null" if asked.queue is None else quoted(asked.queue),
        "against_others": str(asked.others).lower(),
    }
    [figures] = ask(con, "compare", values)
    return Comparison(after, None if asked.others else before, asked.queue, figures)


def parse_days(text: str) -> Days:
    """The days in `2026-11-02..2026-11-08`, or the one in `2026-11-02`.

    Raises:
        ChoiceError: if it is no such text
    """
    first, dots, last = text.partition("..")
    try:
        days = Days(*(dt.date.fromisoformat(day) for day in (first, last if dots else first)))
    except ValueError:
        raise ChoiceError(
            f"{text!r} names no days; write FIRST..LAST, such as 2026-11-02..2026-11-08"
        ) from None
    if days.first > days.last:
        raise ChoiceError(f"the first day, {days.first}, lies after the last, {days.last}")
    return days


def _check(asked: Asked) -> None:
    """Refuse what contradicts itself."""
    if asked.others and asked.queue is None:
        raise ChoiceError("a queue is compared with the others: name the queue")
    if asked.others and (asked.before or asked.on):
        raise ChoiceError(
            "queues are compared in the same days: leave out the days before and the day of change"
        )
    if asked.on and (asked.before or asked.after):
        raise ChoiceError("the day of a change stands for both periods: leave these out")
    if (
        asked.before
        and asked.after
        and not (asked.before.last < asked.after.first or asked.after.last < asked.before.first)
    ):
        raise ChoiceError(f"the periods overlap: {asked.before} and {asked.after}")


def _periods(con: duckdb.DuckDBPyConnection, asked: Asked) -> tuple[Days, Days]:
    """Both periods; of a change on a day, no longer than there are calls."""
    [(earliest, latest)] = con.execute(
        "select min(call_date), max(call_date) from call_summary where queue = $1 or $1 is null",
        [asked.queue],
    ).fetchall()
    if latest is None:
        raise ChoiceError("there are no calls yet; run a night first")
    if asked.on is not None:
        span = dt.timedelta(days=MONTH - 1)
        after = Days(asked.on, max(asked.on, min(latest, asked.on + span)))
        before = after.before(MONTH)
        return after, Days(min(before.last, max(before.first, earliest)), before.last)
    after = asked.after or Days(latest - dt.timedelta(days=WEEK - 1), latest)
    return after, asked.before or after.before(after.length)


def _date(day: dt.date) -> str:
    return f"date '{day}'"
