"""A day's calls beside others and beside the training data: how far they moved, and what to do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ser_batch.arrays import IntArray
from ser_batch.config import DriftSettings, Settings
from ser_batch.features.kinds import Group
from ser_batch.monitoring.drift import expected_psi, psi, status
from ser_batch.monitoring.profile import UNSURE, DayProfile
from ser_batch.monitoring.reference import Reference
from ser_batch.scoring.decide import Scores
from ser_batch.scoring.histograms import LINE_EDGES, score_counts, uncertain_counts

TRAINING, BEFORE, FIRST = "training", "days before", "first days"

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
        "scores moved: if line and features are ok, customers did; else fix those first"
    ),
    ("coverage", BEFORE): (
        "other calls are scored than before: see the mart not_scored, the metadata and the "
        "quarantine"
    ),
    ("line", BEFORE): "the line changed: check the recorder, its level and its codec",
    ("scores", TRAINING): (
        "scores are distributed unlike those of held-out speakers of the training data: trust the "
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
        found = status(index, psi_expected, settings) if enough else "too few"
        advice = ADVICE[self.subject, self.reference] if found in ("warning", "drift") else None
        return self._row(found, advice, psi=index, psi_expected=psi_expected)

    def _row(self, found: str, advice: str | None, **figures: float) -> dict[str, Any]:
        return {
            "subject": self.subject,
            "name": self.name,
            "reference": self.reference,
            "count_calls": self.n_calls,
            "count_calls_before": self.n_before,
            "status": found,
            "advice": advice,
            **figures,
        }


def comparisons(
    profile: DayProfile,
    past: DayProfile,
    trained: TrainingCounts,
    group_of: Mapping[str, Group],
    *,
    against: str = BEFORE,
) -> Iterator[Comparison]:
    """Calls beside others, and beside the training data as far as they are known.

    Args:
        profile: of a day, or of the days up to it
        past: of the days that it is compared with
        trained: of the training data
        group_of: group of each feature
        against: which days `past` holds, `BEFORE` or `FIRST`
    """
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for subject, name in profile.counts:
        groups[subject, group_of[name] if subject == "features" else name].append(name)
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
