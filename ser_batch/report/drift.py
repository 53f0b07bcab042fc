"""What the report says of drift: one sentence, what to do, and every measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ser_batch.config import DriftSettings
from ser_batch.report.content import Row
from ser_batch.report.words import counted, day, listed

_BEFORE, _FIRST, _TRAINING = "days before", "first days", "training"
_WARNING = ("drift", "watch")
_NO_FIGURE = ("too few", "not comparable")

_NAMES = {
    "snr_db": "signal over noise",
    "level_db": "level of the speech",
    "bandwidth_hz": "bandwidth",
    "clipping_ratio": "clipping",
}
"""Names of measures that are columns elsewhere."""

_SUBJECTS = {
    "features": "How the customers sound",
    "scores": "The scores",
    "coverage": "Which calls are scored",
    "line": "The line",
}


@dataclass(frozen=True)
class Measure:
    """One measure of the newest day beside its references.

    Attributes:
        subject: features, scores, coverage or line, in words
        name: what is measured
        before: its row against the days before
        first: the last days' row against the first days of the model, None while these last
        training: its row against the training data, None where there is none
    """

    subject: str
    name: str
    before: Row | None
    first: Row | None
    training: Row | None


@dataclass(frozen=True)
class Advice:
    """What to do about measures that moved.

    Attributes:
        level: drift, or watch
        moved: the measures, in words
        advice: what to do
    """

    level: str
    moved: str
    advice: str


@dataclass(frozen=True)
class Drift:
    """What the report says of drift.

    Attributes:
        verdict: in a sentence
        advice: drift first; empty where all is steady
        measures: all of them
    """

    verdict: str
    advice: tuple[Advice, ...]
    measures: tuple[Measure, ...]


def drift_of(rows: Sequence[Row], settings: DriftSettings) -> Drift:
    """What rows of the mart `drift` say.

    Args:
        rows: of one call date
        settings: that they were made with
    """
    return Drift(_verdict(rows, settings), tuple(_advice(rows)), tuple(_measures(rows)))


def _verdict(rows: Sequence[Row], settings: DriftSettings) -> str:
    if not rows:
        return "No day has been compared with earlier ones yet; every night does so."
    date = day(rows[0]["call_date"])
    compared = [row for row in rows if row["level"] not in _NO_FIGURE]
    levels = [row["level"] for row in compared]
    if not levels:
        few = f"too few scored calls to tell (fewer than {settings.min_calls})"
        return f"{date}, or the days before it, have {few}."
    if "drift" in levels:
        found = f"{levels.count('drift')} of {counted(len(levels), 'comparison')}"
        return f"{found} for {date} found drift."
    if "watch" in levels:
        return f"Nothing has drifted on {date}, but a few measures should be watched."
    against = f"the {settings.window_days} days before"
    if any(row["reference"] == _TRAINING for row in compared):
        against += " and the training data"
    return f"Nothing has drifted: the calls of {date} are like those of {against}."


def _advice(rows: Sequence[Row]) -> list[Advice]:
    """Rows with the same advice as one, drift before watch."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for level in _WARNING:
        for row in rows:
            if row["level"] == level:
                key = (level, row["subject"], row["reference"], row["advice"])
                found.setdefault(key, []).append(_name(row["name"]))
    return [
        Advice(level, f"{_SUBJECTS[subject]} ({listed(names)}), against {_against(ref)}", advice)
        for (level, subject, ref, advice), names in found.items()
    ]


def _measures(rows: Sequence[Row]) -> list[Measure]:
    keys = dict.fromkeys((row["subject"], row["name"]) for row in rows)
    by_key = {(row["subject"], row["name"], row["reference"]): row for row in rows}
    return [
        Measure(
            _SUBJECTS[subject],
            _name(name),
            by_key.get((subject, name, _BEFORE)),
            by_key.get((subject, name, _FIRST)),
            by_key.get((subject, name, _TRAINING)),
        )
        for subject, name in keys
    ]


def _name(name: str) -> str:
    return _NAMES.get(name, name)


def _against(reference: str) -> str:
    return "the training data" if reference == _TRAINING else f"the {reference}"
