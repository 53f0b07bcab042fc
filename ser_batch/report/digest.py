"""The weekly digest: a week of calls in a mail of a page, as HTML and as text."""

from __future__ import annotations

import datetime as dt
import textwrap
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ser_batch.config import Settings
from ser_batch.report.compare import WEEK, Asked, Comparison, compare
from ser_batch.report.content import Period, query_values
from ser_batch.report.data import Rules
from ser_batch.report.files import read_report
from ser_batch.report.page import asset, environment
from ser_batch.report.queries import Row, ask
from ser_batch.report.words import (
    change_word,
    clock,
    moment,
    percent,
    points,
    reasons,
)
from ser_batch.serialise import visible

MOST_CALLS = 5
NO_QUEUE = "no queue"
_WIDTH = 72


@dataclass(frozen=True)
class Call:
    """A call to listen to; it names neither customer nor agent.

    Attributes:
        call_id: of the metadata
        queue: None where there is none
        began: in words
        worst: where the worst moment begins, minutes and seconds
        why: in words
        page: of the call, below the folder of reports; None: there is none
    """

    call_id: str
    queue: str | None
    began: str
    worst: str
    why: str
    page: str | None


@dataclass(frozen=True)
class Digest:
    """What a digest says.

    Attributes:
        period: the week that ends with the last call
        week: all queues, against the week before
        changed: rows of `trend`: queues that changed beyond chance, worst first
        calls: the worst flagged calls
        fell: queues of which much less speech was scored than the week before
        old: what to look at where there have been no calls for a week, else empty
    """

    period: Period
    week: Comparison
    changed: tuple[Row, ...]
    calls: tuple[Call, ...]
    fell: tuple[Row, ...]
    old: str

    @property
    def subject(self) -> str:
        """One line."""
        share = self.week.figures["dissatisfied_call_share"]
        said = "too few calls for a share" if share is None else f"{percent(share)} dissatisfied"
        if (finding := self.week.finding) in ("worse", "better"):
            said += f", {finding} than the week before"
        return f"Calls of {_short(self.period.first)} to {_short(self.period.last)}: {said}"


def read_digest(
    con: duckdb.DuckDBPyConnection, settings: Settings, reports: Path, today: dt.date
) -> Digest:
    """Query the published warehouse.

    Args:
        con: of the published warehouse
        settings: thresholds, and the least number of calls in a figure
        reports: the folder of reports, whose latest one has pages of calls
        today: in the call centre's time zone

    Raises:
        ChoiceError: if there are no calls
    """
    week = compare(con, Asked())
    first, last = week.after.first, week.after.last
    period = Period(first, last, first)
    values = query_values(period, "true", settings) | {
        "priority_calls": str(MOST_CALLS),
        "listed_calls": str(MOST_CALLS),
        "attributes": "null",
    }
    changes = ask(con, "changes", values)
    changed = [row for row in changes if row["scope"] == "queue" and row["is_beyond_chance"]]
    latest = read_report(reports, "latest")
    pages = {} if latest is None else dict.fromkeys(latest.call_pages, f"{latest.run_id}-calls")
    return Digest(
        period,
        week,
        tuple(sorted(changed, key=lambda row: -row["adjusted_change"])),
        tuple(_call(row, Rules.of(settings), pages) for row in ask(con, "priority_calls", values)),
        tuple(ask(con, "coverage_fell", values)),
        old=_why_old(con, today) if (today - last).days > WEEK else "",
    )


def _call(row: Row, rules: Rules, pages: dict[str, str]) -> Call:
    name = row["recording_id"]
    return Call(
        row["call_id"],
        row["queue"],
        moment(row["started_at"]),
        clock(row["worst_start_s"]),
        reasons(row, rules),
        f"{pages[name]}/{name}.html" if name in pages else None,
    )


def render_html(digest: Digest, *, link: str | None) -> str:
    """A page that mail programs show: tables, styles in place, no pictures.

    Args:
        digest: what it says
        link: address of the folder of reports, empty for a file that lies there; None: no links
    """
    return environment().from_string(asset("digest.html")).render(digest=digest, link=_base(link))


def render_text(digest: Digest, *, link: str | None) -> str:
    """The same as plain text of 72 columns, see `render_html`."""
    parts = [
        digest.subject,
        "",
        *filter(None, [digest.old]),
        digest.week.sentence,
        *digest.week.cautions,
    ]
    parts += ["", "WHAT CHANGED BEYOND CHANCE"]
    parts += [_change_line(row) for row in digest.changed] or ["No queue."]
    parts += ["", "CALLS TO LISTEN TO FIRST"]
    for number, call in enumerate(digest.calls, start=1):
        where = f"{call.queue or NO_QUEUE}, {call.began}, from {call.worst}"
        parts.append(f"{number}. {call.call_id}, {where}: {call.why}")
        if call.page and link is not None:
            parts.append(f"{_base(link)}{call.page}")
    parts += [] if digest.calls else ["No call was flagged."]
    parts += ["", "WHERE LESS SPEECH WAS SCORED"]
    parts += [_coverage_line(row) for row in digest.fell] or ["In no queue."]
    parts += ["", "Predictions of a model from the sound of voices, never a verdict on a person."]
    return "\n".join(map(_wrapped, parts)) + "\n"


def _change_line(row: Row) -> str:
    share, before = row["dissatisfied_call_share"], row["dissatisfied_call_share_before"]
    interval = f"{points(row['adjusted_change_low'])} to {points(row['adjusted_change_high'])}"
    return (
        f"- {row['queue'] or NO_QUEUE}: {change_word(row)}, {percent(share)} against "
        f"{percent(before)} the week before ({interval} points within hour of day)"
    )


def _coverage_line(row: Row) -> str:
    share, before = percent(row["coverage"]), percent(row["coverage_before"])
    return (
        f"- {row['queue'] or NO_QUEUE}: {share} of the customers' speech against {before} the week "
        "before; the mart not_scored says why"
    )


def _why_old(con: duckdb.DuckDBPyConnection, today: dt.date) -> str:
    """What may be the cause of there being no calls: no night, or no recordings for it."""
    [(began,)] = con.execute("select max(started_at) from runs").fetchall()
    if began is not None and (today - began.date()).days <= WEEK:
        return "There are no newer calls, though nights run: do recordings still arrive?"
    return "There are no newer calls: is the night running?"


def _short(day: dt.date) -> str:
    """3 Nov 2026."""
    return f"{day.day} {day:%b %Y}"


def _base(link: str | None) -> str | None:
    """What a page's path is written behind."""
    return link.rstrip("/") + "/" if link else link


def _wrapped(line: str) -> str:
    """Lines of 72 columns; an address stays whole."""
    text = visible(line).replace("\N{NO-BREAK SPACE}", " ")
    return "\n".join(textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False))
