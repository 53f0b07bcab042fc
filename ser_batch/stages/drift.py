"""Drift: are the newest calls like those before, and like what the model was trained on?"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ser_batch.arrays import IntArray
from ser_batch.config import DriftSettings, Settings, digest
from ser_batch.lake import Lake, Part
from ser_batch.model.drift import (
    Reference,
    group_of,
    index_by_chance,
    level,
    read_reference,
    stability_index,
)
from ser_batch.stages.profile import DayProfile, profile_day, read_profile, sources, summed
from ser_batch.tables import CALLS, DRIFT, PROFILES

TRAINING, BEFORE = "training", "days before"
PROFILE_VERSION = 1
"""Raised when the bins change: profiles are then made again."""

ADVICE = {
    ("features", TRAINING): (
        "calls do not sound like the training data: label some (`ser-batch labels queue`) and "
        "retrain, and trust the ranking of calls more than its level until then"
    ),
    ("features", BEFORE): (
        "calls sound unlike those before: check the line (exchange, codec, recorder's level); if "
        "the change is there to stay, label and retrain"
    ),
    ("scores", BEFORE): (
        "scores moved: if line and features are steady, customers did; else mend those first"
    ),
    ("coverage", BEFORE): (
        "other calls are scored than before: see the mart not_scored, the metadata and the "
        "quarantine"
    ),
    ("line", BEFORE): "the line changed: check the recorder, its level and its codec",
}


@dataclass(frozen=True)
class DriftResult:
    """What was found.

    Attributes:
        days: call dates that were compared in this run
        newest: rows of `drift` of the newest call date
    """

    days: tuple[dt.date, ...]
    newest: list[dict[str, Any]]

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """Rows that ask for something to be done."""
        return [row for row in self.newest if row["level"] == "drift"]


@dataclass(frozen=True)
class _Scored:
    """What a lake's days are compared by."""

    lake: Lake
    model_id: str
    reference: Reference | None
    settings: Settings


def find_drift(lake: Lake, model_id: str, folder: Path, settings: Settings) -> DriftResult:
    """Compare the days of the window with those before them, where anything changed.

    Args:
        lake: the lake; the model has scored it
        model_id: the model in use
        folder: of its bundle, which holds what its training data were like
        settings: window and limits
    """
    shards: dict[dt.date, list[Part]] = defaultdict(list)
    for part in lake.parts(CALLS):
        if part.date is not None:
            shards[part.date].append(part)
    if not shards:
        return DriftResult((), [])
    scored = _Scored(lake, model_id, read_reference(folder), settings)
    window = dt.timedelta(days=settings.drift.window_days)
    newest = max(shards)
    recent = sorted(date for date in shards if date > newest - 2 * window)
    states = {date: _brought_up(scored, date, shards[date]) for date in recent}
    days = [date for date in recent if date > newest - window]
    compared = tuple(date for date in days if _compare(scored, date, states))
    return DriftResult(compared, lake.read(DRIFT, [Part(newest, model_id)]).to_pylist())


def newest_drift(lake: Lake, model_id: str) -> list[dict[str, Any]]:
    """Rows of `drift` of the newest call date that a night compared."""
    parts = [part for part in lake.parts(DRIFT) if part.name == model_id]
    rows: list[dict[str, Any]] = lake.read(DRIFT, parts[-1:]).to_pylist()
    return rows


def _brought_up(scored: _Scored, date: dt.date, shards: Sequence[Part]) -> str:
    """Make a day's profile again if anything that it is made from changed; its state."""
    lake, settings, part = scored.lake, scored.settings, Part(date, scored.model_id)
    files = [
        (contract.name, shard.name, path.stat().st_mtime_ns)
        for contract in sources(scored.model_id, settings)
        for shard in shards
        if (path := lake.path(contract, shard)).exists()
    ]
    rules = (settings.law.digest(), settings.dissatisfaction.digest())
    bins = digest(scored.reference.edges.tolist()) if scored.reference else ""
    state = digest([PROFILE_VERSION, rules, bins, files])
    if (lake.tags(PROFILES, part) or {}).get("state") != state:
        profile = profile_day(lake, shards, scored.model_id, scored.reference, settings)
        lake.write(PROFILES, part, profile.rows(), {"state": state})
    return state


def _compare(scored: _Scored, date: dt.date, states: Mapping[dt.date, str]) -> bool:
    """Compare a day with those before, unless that was done already; whether it was."""
    lake, settings, part = scored.lake, scored.settings.drift, Part(date, scored.model_id)
    first = date - dt.timedelta(days=settings.window_days)
    before = [day for day in states if first <= day < date]
    state = digest([settings.digest(), *(states[day] for day in [*before, date])])
    if (lake.tags(DRIFT, part) or {}).get("state") == state:
        return False
    past = summed(read_profile(lake, Part(day, scored.model_id)) for day in before)
    found = comparisons(read_profile(lake, part), past, scored.reference)
    rows = [{**each.row(settings), "call_date": date, "model_id": part.name} for each in found]
    lake.write(DRIFT, part, DRIFT.from_rows(rows), {"state": state})
    return True


@dataclass(frozen=True)
class Comparison:
    """A day's counts beside others.

    Attributes:
        subject, name: what was counted
        reference: `TRAINING` or `BEFORE`
        now, then: counts, shape (n, n_bins); of a group of features one row a feature
        n_calls: calls of the day
        n_before: calls of the days before, None of training
    """

    subject: str
    name: str
    reference: str
    now: IntArray
    then: IntArray
    n_calls: int
    n_before: int | None

    def row(self, settings: DriftSettings) -> dict[str, Any]:
        """A row of `drift`, without day and model; the index of a group is its median."""
        index = float(np.median(stability_index(self.now, self.then)))
        n_then = int(self.then[0].sum()) if self.n_before is None else self.n_before
        by_chance = index_by_chance(self.now.shape[1], self.n_calls, n_then)
        n_least = self.n_calls if self.n_before is None else min(self.n_calls, self.n_before)
        enough = n_least >= settings.min_calls
        found = level(index, by_chance, settings) if enough else "too few"
        return {
            "subject": self.subject,
            "name": self.name,
            "reference": self.reference,
            "stability_index": index,
            "by_chance": by_chance,
            "count_calls": self.n_calls,
            "count_calls_before": self.n_before,
            "level": found,
            "advice": ADVICE[self.subject, self.reference] if found in ("watch", "drift") else None,
        }


def comparisons(
    profile: DayProfile, past: DayProfile, reference: Reference | None
) -> Iterator[Comparison]:
    """A day beside the days before it, and its features beside the training data."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for subject, name in profile.counts:
        groups[subject, group_of(name) if subject == "features" else name].append(name)
    trained = dict(zip(reference.names, reference.clips, strict=True)) if reference else {}
    for (subject, group), names in sorted(groups.items()):
        now = np.stack([profile.counts[subject, name] for name in names])
        n_calls, n_before = profile.n_calls[subject], past.n_calls.get(subject, 0)
        blank = np.zeros(now.shape[1], np.int64)
        then = np.stack([past.counts.get((subject, name), blank) for name in names])
        yield Comparison(subject, group, BEFORE, now, then, n_calls, n_before)
        if subject == "features":
            clips = np.stack([trained[name] for name in names])
            yield Comparison(subject, group, TRAINING, now, clips, n_calls, None)
