"""Drift: are the newest calls like those before, like the first, and like the training data?"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ser_batch.config import Settings, digest
from ser_batch.features.kinds import Group
from ser_batch.features.sets import get_feature_set
from ser_batch.ingest.call_tags import DECIDES_SCORING
from ser_batch.monitoring.comparison import FIRST, TrainingCounts, comparisons, training_counts
from ser_batch.monitoring.profile import (
    DayProfile,
    profile_day,
    read_profile,
    sources,
    summed,
)
from ser_batch.monitoring.reference import Reference, read_reference
from ser_batch.stages.shard import features_of
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import CALLS, DRIFT, PROFILES

_OF_FIRST = ".first-days"
"""After the model's id: name of the profile of the days with which it began, written once."""
PROFILE_VERSION = 1
"""Raised when the bins change: profiles are then recomputed."""


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
        return [row for row in self.newest if row["status"] == "drift"]


@dataclass(frozen=True)
class _Scored:
    """What a lake's days are compared by.

    Attributes:
        training: digest of `trained`
        read: profiles that were read already
    """

    lake: Lake
    model_id: str
    reference: Reference | None
    trained: TrainingCounts
    training: str
    settings: Settings
    read: dict[dt.date, DayProfile] = field(default_factory=dict)

    @cached_property
    def rules(self) -> str:
        """Digest of what profiles are counted by."""
        settings, reference = self.settings, self.reference
        rules = (settings.policy.digest(), settings.dissatisfaction.digest())
        return digest([PROFILE_VERSION, rules, reference.edges.tolist() if reference else ""])

    @cached_property
    def group_of(self) -> dict[str, Group]:
        """Group of each feature."""
        found = get_feature_set(self.settings.features.set)
        return {name: kind.group for name, kind in zip(found.names, found.kinds, strict=True)}

    def profile(self, days: Iterable[dt.date]) -> DayProfile:
        """The counts of some days together."""
        return summed(map(self.profile_of, days))

    def profile_of(self, day: dt.date) -> DayProfile:
        """The counts of a day."""
        if day not in self.read:
            self.read[day] = read_profile(self.lake, Part(day, self.model_id))
        return self.read[day]


def find_drift(lake: Lake, model_id: str, folder: Path, settings: Settings) -> DriftResult:
    """Compare the days of the window with those before them, where anything changed.

    Args:
        lake: the lake; the model has scored it
        model_id: the model in use
        folder: of its bundle, which holds what its training data were like
        settings: window and limits
    """
    window = dt.timedelta(days=settings.drift.window_days)
    recent = lake.dates(CALLS, 2 * window)
    if not recent:
        return DriftResult((), [])
    reference = read_reference(folder)
    trained = training_counts(reference, settings)
    facts = [(*key, None if row is None else row.tolist()) for key, row in trained.items()]
    scored = _Scored(lake, model_id, reference, trained, digest(facts), settings)
    newest = recent[-1]
    states = {date: _brought_up(scored, date) for date in recent}
    first = _first_days(scored, recent)
    days = [date for date in recent if date > newest - window]
    compared = tuple(date for date in days if _compare(scored, date, states, first))
    return DriftResult(compared, lake.read(DRIFT, [Part(newest, model_id)]).to_pylist())


def newest_drift(lake: Lake, model_id: str) -> list[dict[str, Any]]:
    """Rows of `drift` of the newest call date that a night compared.

    A model that was promoted since the last night has none yet: then the rows are those of the
    model that the last night compared, as `model_id` in each row says.
    """
    parts = lake.parts(DRIFT)
    of_model = [part for part in parts if part.name == model_id]
    rows: list[dict[str, Any]] = lake.read(DRIFT, (of_model or parts)[-1:]).to_pylist()
    return rows


def _brought_up(scored: _Scored, date: dt.date) -> str:
    """Make a day's profile again if anything that it is made from changed; its state.

    Features are read again only where they changed. A line of metadata that comes late changes
    nothing unless it decides what is scored.
    """
    lake, settings, part = scored.lake, scored.settings, Part(date, scored.model_id)
    files = {
        contract.name: sorted((part.name, state[1]) for part, state in found.items())
        for contract in sources(scored.model_id, settings)
        for found in [lake.files(contract, dates=[date])]
    }
    shards = [Part(date, name) for name, _ in files[CALLS.name]]
    before = lake.tags(PROFILES, part) or {}
    calls = _calls_state(lake, shards, files.pop(CALLS.name), json.loads(before.get("calls", "{}")))
    state = digest([scored.rules, files, [what for _, what in calls.values()]])
    of_features = digest([scored.rules, files[features_of(settings).name]])
    if before.get("state") != state:
        known = read_profile(lake, part) if before.get("features") == of_features else None
        profile = profile_day(
            lake, shards, scored.model_id, scored.reference, settings, known=known
        )
        tags = {"state": state, "features": of_features, "calls": json.dumps(calls)}
        lake.write(PROFILES, part, profile.rows(), tags)
    return state


def _calls_state(
    lake: Lake,
    shards: Sequence[Part],
    files: Sequence[tuple[str, int]],
    before: Mapping[str, tuple[int, str]],
) -> dict[str, tuple[int, str]]:
    """By shard, when its part of `calls` was written, and a digest of what a profile reads of it.

    Args:
        lake: whose
        shards: of a day
        files: name and time of change of each, in the same order
        before: what this returned when the profile was made; only what changed since is read
    """
    states = {}
    for shard, (name, changed_ns) in zip(shards, files, strict=True):
        known = before.get(name)
        if known is None or known[0] != changed_ns:
            rows = lake.read(CALLS, [shard], [*DECIDES_SCORING, "metadata_found"])
            known = (changed_ns, digest(rows.to_pylist()))
        states[name] = known
    return states


def _first_days(scored: _Scored, recent: Sequence[dt.date]) -> Part | None:
    """The profile of the window with which the model began, frozen once the window is over.

    It is counted again, from the oldest days at hand, only where the bins or the rules changed or
    an erasure removed it.

    Returns:
        None while the window is not over
    """
    lake, window = scored.lake, dt.timedelta(days=scored.settings.drift.window_days)
    name = scored.model_id + _OF_FIRST
    for part in lake.parts(PROFILES):
        if part.name == name:
            if (lake.tags(PROFILES, part) or {}).get("state") == scored.rules:
                return part
            lake.remove(PROFILES, part)
    days = [day for day in recent if scored.profile_of(day).n_calls.get("scores")]
    if not days or recent[-1] < days[0] + window:
        return None
    part = Part(days[0], name)
    began = scored.profile(day for day in days if day < days[0] + window)
    lake.write(PROFILES, part, began.rows(), {"state": scored.rules})
    return part


def _compare(
    scored: _Scored, date: dt.date, states: Mapping[dt.date, str], began: Part | None
) -> bool:
    """Compare a day with those before, unless that was done already; whether it was.

    The days up to this one, as many as the window holds, are compared with the first days together:
    so a change that is too slow for any day to show it adds up.
    """
    lake, settings, part = scored.lake, scored.settings.drift, Part(date, scored.model_id)
    window = dt.timedelta(days=settings.window_days)
    before = [day for day in states if date - window <= day < date]
    facts = [settings.digest(), scored.training, *(states[day] for day in [*before, date])]
    state = digest([*facts, str(began)])
    if (lake.tags(DRIFT, part) or {}).get("state") == state:
        return False
    group_of = scored.group_of
    today, past = scored.profile_of(date), scored.profile(before)
    found = list(comparisons(today, past, scored.trained, group_of))
    if began is not None and began.date is not None:
        since = max(date - window, began.date + window - dt.timedelta(days=1))
        if days := [day for day in states if since < day <= date]:
            first = read_profile(lake, began)
            found += comparisons(scored.profile(days), first, {}, group_of, against=FIRST)
    rows = [{**each.row(settings), "call_date": date, "model_id": part.name} for each in found]
    lake.write(DRIFT, part, DRIFT.from_rows(rows), {"state": state})
    return True
