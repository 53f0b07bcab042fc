"""The page: a report's data in, one self-contained HTML text out."""

from __future__ import annotations

import datetime as dt
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ser_batch.report import words
from ser_batch.report.cells import facet_values
from ser_batch.report.content import Content, Period
from ser_batch.report.data import ReportData
from ser_batch.report.drift import drift_of

_FILTERS = (
    "because",
    "change_word",
    "clock",
    "counted",
    "day",
    "emotion_word",
    "hundredths",
    "lasting",
    "moment",
    "percent",
    "period_words",
    "points",
    "reasons",
    "thousands",
)


def render(data: ReportData) -> str:
    """The HTML of a report.

    Everything that came from outside (names, paths, messages) is escaped; script and style are
    the only marked-up text that is put in as it is.
    """
    content, rules = data.content, data.rules
    head = content.headline
    changes = content.rows["model_changes"]
    return (
        environment()
        .from_string(asset("page.html"))
        .render(
            content=content,
            head=head,
            css=Markup(asset("page.css")),
            script=Markup(asset("page.js")),
            cells={**content.cells, "dateCorrelation": head["date_correlation"]},
            shown_days=_shown_days(content),
            marks=[row["night"].isoformat() for row in changes],
            facets=lambda call: facet_values(call, content.attributes),
            verdict=words.verdict(content, min_calls=rules.min_calls),
            enough=head["count_scored"] >= rules.min_calls,
            enough_before=head["count_scored_before"] >= rules.min_calls,
            drift=drift_of(content.rows["drift"], rules),
            rules=rules,
            run_id=data.run_id,
            model=data.model,
            call_pages=data.call_pages,
            version=data.program_version,
        )
    )


def _shown_days(content: Content) -> Period | None:
    """From the first to the last day of the charts that has a call."""
    days = [dt.date.fromisoformat(day) for day in content.cells["days"]]
    return Period(days[0], days[-1], days[0]) if days else None


def environment() -> Environment:
    """Jinja with everything escaped, and functions of `words` as filters."""
    jinja = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    for name in _FILTERS:
        jinja.filters[name] = getattr(words, name)
    return jinja


def asset(name: str) -> str:
    """Text of a file beside this one."""
    return (files("ser_batch.report") / name).read_text(encoding="utf-8")
