"""The page: content and settings in, one self-contained HTML text out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

import ser_batch
from ser_batch.config import Settings
from ser_batch.report import words
from ser_batch.report.cells import embedded_cells, facet_values
from ser_batch.report.content import Content, Period
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


@dataclass(frozen=True)
class ModelFacts:
    """What the page says of the model.

    Attributes:
        model_id: name and digest
        uar: mean recall of its emotions on speakers it did not know, None if not stated
        n_speakers: how many speakers that rests on
        card: its model card; empty if its bundle is not here
    """

    model_id: str
    uar: float | None = None
    n_speakers: int | None = None
    card: str = ""


def render(
    content: Content,
    settings: Settings,
    *,
    run_id: str,
    model: ModelFacts,
    call_pages: Mapping[str, str],
) -> str:
    """The HTML of a report.

    Everything that came from outside (names, paths, messages) is escaped; script and style are
    the only marked-up text that is put in as it is.

    Args:
        content: what the warehouse says
        settings: what the figures rest on
        run_id: of the night
        model: what is known of it
        call_pages: relative address of a call's page by recording_id
    """
    head, least = content.headline, settings.report.min_calls
    changes = content.rows["model_changes"]
    return (
        environment()
        .from_string(asset("page.html"))
        .render(
            content=content,
            head=head,
            css=Markup(asset("page.css")),
            script=Markup(asset("page.js")),
            cells={
                **embedded_cells(content.rows["cells"], content.attributes, least),
                "dateCorrelation": head["date_correlation"],
            },
            shown_days=_shown_days(content),
            marks=[row["night"].isoformat() for row in changes],
            facets=lambda call: facet_values(call, content.attributes),
            verdict=words.verdict(content, min_calls=least),
            enough=head["count_scored"] >= least,
            enough_before=head["count_scored_before"] >= least,
            drift=drift_of(content.rows["drift"], settings.drift),
            **_rules(settings),
            run_id=run_id,
            model=model,
            call_pages=call_pages,
            version=ser_batch.__version__,
        )
    )


def _shown_days(content: Content) -> Period | None:
    """From the first to the last day of the charts that has a call."""
    days = [row["call_date"] for row in content.rows["cells"]]
    return Period(min(days), max(days), min(days)) if days else None


def environment() -> Environment:
    """Jinja with everything escaped, and the words' functions as filters."""
    made = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    for name in _FILTERS:
        made.filters[name] = getattr(words, name)
    return made


def _rules(settings: Settings) -> dict[str, object]:
    """The settings that the page names."""
    return {
        "min_calls": settings.report.min_calls,
        "calls_to_listen": settings.report.calls_to_listen,
        "rules": settings.dissatisfaction,
        "denoise": settings.denoise,
        "drift_rules": settings.drift,
    }


def asset(name: str) -> str:
    """Text of a file beside this one."""
    return (files("ser_batch.report") / name).read_text(encoding="utf-8")
