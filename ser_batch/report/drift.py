"""Drift in the report: a verdict, what to do, and every comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ser_batch.report.data import Rules
from ser_batch.report.queries import Row
from ser_batch.report.words import counted, day, listed

_BEFORE, _FIRST, _TRAINING = "days before", "first days", "training"
_WORST_FIRST = ("drift", "warning")
_NO_FIGURE = ("too few", "not comparable")

_NAMES = {
    "snr_db": "signal-to-noise ratio",
    "level_db": "speech level",
    "bandwidth_hz": "bandwidth",
    "clipping_ratio": "clipping",
}
"""Names of measures that are columns elsewhere."""

_SUBJECTS = {
    "features": "Acoustic features",
    "scores": "Scores",
    "coverage": "Coverage",
    "line": "Line quality",
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
        status: drift, or warning
        moved: the measures, in words
        advice: what to do
    """

    status: str
    moved: str
    advice: str


@dataclass(frozen=True)
class Drift:
    """The section on drift.

    Attributes:
        verdict: in a sentence
        advice: drift first; empty where every status is ok
        measures: all of them
    """

    verdict: str
    advice: tuple[Advice, ...]
    measures: tuple[Measure, ...]


def drift_of(rows: Sequence[Row], rules: Rules) -> Drift:
    """The section on drift.

    Args:
        rows: of the mart `drift`, of one call date
        rules: settings that they were computed with
    """
    return Drift(_verdict(rows, rules), tuple(_advice(rows)), tuple(_measures(rows)))


def _verdict(rows: Sequence[Row], rules: Rules) -> str:
    if not rows:
        return "No day has been compared with earlier days yet; each night does so."
    date = day(rows[0]["call_date"])
    compared = [row for row in rows if row["status"] not in _NO_FIGURE]
    statuses = [row["status"] for row in compared]
    if not statuses:
        few = f"too few scored calls to compare (fewer than {rules.drift_min_calls})"
        return f"{date}, or the days before it, have {few}."
    if "drift" in statuses:
        found = f"{statuses.count('drift')} of {counted(len(statuses), 'comparison')}"
        return f"{found} for {date} detected drift."
    if "warning" in statuses:
        found = counted(statuses.count("warning"), "measure")
        return f"No drift on {date}, but {found} with a warning."
    against = f"the {rules.drift_window_days} days before"
    if any(row["reference"] == _TRAINING for row in compared):
        against += " and the training data"
    return f"No drift: the calls of {date} are like those of {against}."


def _advice(rows: Sequence[Row]) -> list[Advice]:
    """Rows with the same advice as one, drift before warnings."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for status in _WORST_FIRST:
        for row in rows:
            if row["status"] == status:
                key = (status, row["subject"], row["reference"], row["advice"])
                found.setdefault(key, []).append(_name(row["name"]))
    return [
        Advice(status, f"{_SUBJECTS[subject]} ({listed(names)}), against {_against(ref)}", advice)
        for (status, subject, ref, advice), names in found.items()
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
