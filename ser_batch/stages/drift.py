"""Drift: are the newest calls like those before, like the first, and like the training data?"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ser_batch.arrays import IntArray
from ser_batch.config import DriftSettings, Settings, digest
from ser_batch.monitoring.drift import (
    Reference,
    expected_psi,
    group_of,
    level,
    psi,
    read_reference,
)
from ser_batch.monitoring.profile import (
    UNSURE,
    DayProfile,
    profile_day,
    read_profile,
    sources,
    summed,
)
from ser_batch.scoring.decide import Scores
from ser_batch.scoring.histograms import LINE_EDGES, score_counts, uncertain_counts
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import CALLS, DRIFT, PROFILES

TRAINING, BEFORE, FIRST = "training", "days before", "first days"
_OF_FIRST = ".first-days"
"""After the model's id: name of the profile of the days with which it began, written once."""
PROFILE_VERSION = 1
"""Raised when the bins change: profiles are then recomputed."""

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
        "scores moved: if line and features are steady, customers did; else fix those first"
    ),
    ("coverage", BEFORE): (
        "other calls are scored than before: see the mart not_scored, the metadata and the "
        "quarantine"
    ),
    ("line", BEFORE): "the line changed: check the recorder, its level and its codec",
    ("scores", TRAINING): (
        "scores are spread unlike those of held-out speakers of the training data: trust the "
        "ranking of calls more than its level; label some (`ser-batch labels queue`) and retrain"
    ),
    ("coverage", TRAINING): (
        "the model is unsure about another share of segments than of its training data: label such "
        "segments (`ser-batch labels queue`) and retrain"
    ),
    ("features", FIRST): (
        "calls changed little by little since the model began: label some (`ser-batch labels "
        "queue`) and retrain"
    ),
    ("scores", FIRST): (
        "scores moved little by little since the model began: if line and features did not, "
        "customers did; else label some calls and compare the model with them"
    ),
    ("coverage", FIRST): (
        "other calls are scored than when the model began: see the mart not_scored, the metadata "
        "and the quarantine"
    ),
    ("line", FIRST): (
        "the line changed little by little since the model began: check the recorder, its level "
        "and its codec"
    ),
    ("line", TRAINING): (
        "the line is unlike the one that the model was trained for: check the recorder and its "
        "level; if the line is to stay, label and retrain"
    ),
}

NOT_COMPARABLE = "not comparable"
SAYS_NOTHING = {
    "snr_db": "training clips are cut to their speech and hold no noise to measure it by",
    "bandwidth_hz": "the training data do not say how far their speech reaches",
    "level_db": "the training data do not say how loud they are",
    "clipping_ratio": "training clips are too short to distinguish clipping from a peak",
    "codec": "what a training clip was stored as says nothing of a telephone line",
    "why not scored": "every training clip was scored",
    "metadata": "training clips have no metadata",
}
"""Why the training data are no measure for what they say nothing about."""


TrainingCounts = dict[tuple[str, str], IntArray | None]
"""Of the training data by subject and name; None where they say nothing honest."""


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
    """What a lake's days are compared by.

    Attributes:
        training: digest of `trained`
        rules: digest of what profiles are counted by
    """

    lake: Lake
    model_id: str
    reference: Reference | None
    trained: TrainingCounts
    training: str
    settings: Settings

    @property
    def rules(self) -> str:
        settings, reference = self.settings, self.reference
        rules = (settings.policy.digest(), settings.dissatisfaction.digest())
        return digest([PROFILE_VERSION, rules, reference.edges.tolist() if reference else ""])

    def profile(self, days: Iterable[dt.date]) -> DayProfile:
        """The counts of some days together."""
        return summed(read_profile(self.lake, Part(day, self.model_id)) for day in days)


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
    reference = read_reference(folder)
    trained = training_counts(reference, settings)
    facts = [(*key, None if row is None else row.tolist()) for key, row in trained.items()]
    scored = _Scored(lake, model_id, reference, trained, digest(facts), settings)
    window = dt.timedelta(days=settings.drift.window_days)
    newest = max(shards)
    recent = sorted(date for date in shards if date > newest - 2 * window)
    states = {date: _brought_up(scored, date, shards[date]) for date in recent}
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


def _brought_up(scored: _Scored, date: dt.date, shards: Sequence[Part]) -> str:
    """Make a day's profile again if anything that it is made from changed; its state."""
    lake, settings, part = scored.lake, scored.settings, Part(date, scored.model_id)
    files = [
        (contract.name, shard.name, path.stat().st_mtime_ns)
        for contract in sources(scored.model_id, settings)
        for shard in shards
        if (path := lake.path(contract, shard)).exists()
    ]
    state = digest([scored.rules, files])
    if (lake.tags(PROFILES, part) or {}).get("state") != state:
        profile = profile_day(lake, shards, scored.model_id, scored.reference, settings)
        lake.write(PROFILES, part, profile.rows(), {"state": state})
    return state


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
    days = [day for day in recent if scored.profile([day]).n_calls.get("scores")]
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
    found = list(comparisons(read_profile(lake, part), scored.profile(before), scored.trained))
    if began is not None and began.date is not None:
        since = max(date - window, began.date + window - dt.timedelta(days=1))
        if days := [day for day in states if since < day <= date]:
            first = read_profile(lake, began)
            found += comparisons(scored.profile(days), first, {}, against=FIRST)
    rows = [{**each.row(settings), "call_date": date, "model_id": part.name} for each in found]
    lake.write(DRIFT, part, DRIFT.from_rows(rows), {"state": state})
    return True


@dataclass(frozen=True)
class Comparison:
    """A day's counts beside others.

    Attributes:
        subject, name: what was counted
        reference: `TRAINING`, `BEFORE` or `FIRST`
        now, then: counts, shape (n, n_bins); of a group of features one row a feature; `then` is
            None where the training data say nothing honest
        n_calls: calls of the day
        n_before: calls of the days before, None of training
    """

    subject: str
    name: str
    reference: str
    now: IntArray
    then: IntArray | None
    n_calls: int
    n_before: int | None

    def row(self, settings: DriftSettings) -> dict[str, Any]:
        """A row of `drift`, without day and model; the index of a group is its median."""
        if self.then is None:
            return self._row(NOT_COMPARABLE, SAYS_NOTHING[self.name])
        index = float(np.median(psi(self.now, self.then)))
        n_then = int(self.then[0].sum()) if self.n_before is None else self.n_before
        psi_expected = expected_psi(self.now.shape[1], self.n_calls, n_then)
        n_least = self.n_calls if self.n_before is None else min(self.n_calls, self.n_before)
        enough = n_least >= settings.min_calls
        found = level(index, psi_expected, settings) if enough else "too few"
        advice = ADVICE[self.subject, self.reference] if found in ("watch", "drift") else None
        return self._row(found, advice, psi=index, psi_expected=psi_expected)

    def _row(self, found: str, advice: str | None, **figures: float) -> dict[str, Any]:
        return {
            "subject": self.subject,
            "name": self.name,
            "reference": self.reference,
            "count_calls": self.n_calls,
            "count_calls_before": self.n_before,
            "level": found,
            "advice": advice,
            **figures,
        }


def comparisons(
    profile: DayProfile, past: DayProfile, trained: TrainingCounts, *, against: str = BEFORE
) -> Iterator[Comparison]:
    """Calls beside others, and beside the training data as far as they are known.

    Args:
        profile: of a day, or of the days up to it
        past: of the days that it is compared with
        trained: of the training data
        against: which days `past` holds, `BEFORE` or `FIRST`
    """
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for subject, name in profile.counts:
        groups[subject, group_of(name) if subject == "features" else name].append(name)
    for (subject, group), names in sorted(groups.items()):
        now = np.stack([profile.counts[subject, name] for name in names])
        n_calls, n_before = profile.n_calls[subject], past.n_calls.get(subject, 0)
        blank = np.zeros(now.shape[1], np.int64)
        then = np.stack([past.counts.get((subject, name), blank) for name in names])
        yield Comparison(subject, group, against, now, then, n_calls, n_before)
        if (subject, names[0]) in trained:
            clips = [trained[subject, name] for name in names]
            known = [row for row in clips if row is not None]
            of_clips = np.stack(known) if known else None
            yield Comparison(subject, group, TRAINING, now, of_clips, n_calls, None)


def training_counts(reference: Reference | None, settings: Settings) -> TrainingCounts:
    """What a day is compared with of the training data; None where they say nothing honest.

    Args:
        reference: as the bundle holds it; measures that it was written without are left out
        settings: what counts as uncertain, and as dissatisfied
    """
    if reference is None:
        return {}
    counts: TrainingCounts = {
        ("features", name): row for name, row in zip(reference.names, reference.clips, strict=True)
    }
    if (scores := reference.held_out) is not None:
        decided = Scores(
            scores.classes,
            scores.probabilities.astype(np.float64),
            scores.dissatisfaction.astype(np.float64),
            scores.ood_score.astype(np.float64),
        )
        emotions = decided.emotions(settings.model)
        found = score_counts(emotions, decided.confidence, decided.dissatisfaction)
        counts |= {("scores", name): row for name, row in found.items()}
        counts["coverage", UNSURE] = uncertain_counts(decided.is_uncertain(settings.model))
        counts |= {("coverage", "why not scored"): None, ("coverage", "metadata"): None}
    if reference.line is not None:
        measured = (*LINE_EDGES, "codec")
        counts |= {("line", name): reference.line.get(name) for name in measured}
    return counts
