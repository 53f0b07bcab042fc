"""The page: a report's data in, one self-contained HTML text out."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from ser_batch.report import words
from ser_batch.report.call_list import embedded_calls
from ser_batch.report.cells import ARCS
from ser_batch.report.content import Content, Period
from ser_batch.report.data import ReportData
from ser_batch.report.drift import drift_of

if TYPE_CHECKING:  # slow to import, and not needed by a night that writes no report
    from jinja2 import Environment, Template

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
    "recovery",
    "reviewed",
    "thousands",
)
_STYLES = ("page.css", "list.css")
_SCRIPTS = ("counts.js", "choice.js", "charts.js", "list.js", "page.js")
_SORTS = {
    "index": "dissatisfaction",
    "end": "dissatisfaction at the end",
    "peak": "worst moment",
    "length": "length",
    "newest": "newest",
}


def render(data: ReportData) -> str:
    """The HTML of a report.

    Everything that came from outside (names, paths, messages) is escaped; script and style are
    the only marked-up text that is put in as it is.
    """
    content, rules = data.content, data.rules
    head = content.headline
    changes = content.rows["model_changes"]
    return template("page.html").render(
        content=content,
        head=head,
        css=Markup("".join(asset(name) for name in _STYLES)),
        script=Markup("".join(asset(name) for name in _SCRIPTS)),
        cells=_cells(data),
        calls=embedded_calls(data),
        flagged=sum(cell[-len(ARCS) - 1] for cell in content.cells["cells"]),
        sorts=_SORTS,
        sounds=data.sounds,
        shown_days=_shown_days(content),
        marks=[row["night"].isoformat() for row in changes],
        verdict=words.verdict(content, min_calls=rules.min_calls),
        enough=head["count_scored"] >= rules.min_calls,
        enough_before=head["count_scored_before"] >= rules.min_calls,
        drift=drift_of(content.rows["drift"], rules),
        rules=rules,
        run_id=data.run_id,
        model=data.model,
        version=data.program_version,
    )


def _cells(data: ReportData) -> dict[str, Any]:
    """What the script draws and filters from, beside the calls."""
    content = data.content
    period = content.period
    return {
        **content.cells,
        "dateCorrelation": content.headline["date_correlation"],
        "period": [period.first.isoformat(), period.last.isoformat()] if period else [],
        "priorityCalls": data.rules.priority_calls,
        "threshold": data.rules.threshold,
    }


def _shown_days(content: Content) -> Period | None:
    """From the first to the last day of the charts that has a call."""
    days = [dt.date.fromisoformat(day) for day in content.cells["days"]]
    return Period(days[0], days[-1], days[0]) if days else None


@cache
def template(name: str) -> Template:
    """A template beside this file, compiled once: that takes longer than to render it."""
    return environment().from_string(asset(name))


def environment() -> Environment:
    """Jinja with everything escaped, and functions of `words` as filters."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    jinja = Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(asset),
    )
    for name in _FILTERS:
        jinja.filters[name] = getattr(words, name)
    jinja.filters["with_code"] = with_code
    return jinja


def with_code(text: str) -> Markup:
    """Escaped text, what stands between backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def asset(name: str) -> str:
    """Text of a file beside this one."""
    return (files("ser_batch.report") / name).read_text(encoding="utf-8")
