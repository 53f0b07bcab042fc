"""What labels give for retraining: what teaches, and what measures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ser_batch.arrays import FloatArray
from ser_batch.config import RetrainSettings, Settings
from ser_batch.errors import ContractError
from ser_batch.features.dataset import Dataset
from ser_batch.features.sets import FeatureSet, get_feature_set
from ser_batch.labels.gather import UsableLabel, features_of, usable_labels
from ser_batch.labels.segment_name import SegmentKey, segment_name
from ser_batch.scoring.histograms import LINE_MEASURES
from ser_batch.store.lake import Lake
from ser_batch.training.gate import HoldoutSet
from ser_batch.training.splits import Fold, check_no_leakage

OWN_CALLS = "calls"
"""Corpus name of a call centre's own labelled calls."""


@dataclass(frozen=True)
class Material:
    """What the labels give.

    Attributes:
        learnt_from: labelled segments of callers that models learn from; a segment stands there
            `label_weight` times, shared out among the emotions that its annotators name
        measured_by: segments drawn by chance, of callers that no model learns from; also those
            that annotators are divided about, and those of which none can tell
        features: of `measured_by`, shape (n, n_features)
        recordings: of `learnt_from`
        measured_recordings: of `measured_by`, an entry a segment
        not_used: labels that are not used, by reason
    """

    learnt_from: Dataset
    measured_by: HoldoutSet
    features: FloatArray
    recordings: tuple[str, ...]
    measured_recordings: tuple[str, ...]
    not_used: dict[str, int]

    @property
    def segments(self) -> Dataset:
        """What is learnt from, each segment once."""
        return self.learnt_from.take(self.learnt_from.copies == 0)

    @property
    def counts(self) -> dict[str, float]:
        """Labelled segments by emotion; one that annotators are divided about is shared out."""
        each = int(self.learnt_from.copies.max(initial=0)) + 1
        named = Counter(self.learnt_from.emotions)
        return {name: named[name] / each for name in self.learnt_from.classes}


def gather(lake: Lake, settings: Settings) -> Material:
    """Labels with their features, split by caller into what teaches and what measures.

    Raises:
        ContractError: if the calls are analysed at another rate than the features are measured at
        LeakError: if somebody stands on both sides
    """
    feature_set = get_feature_set(settings.features.set)
    if feature_set.sample_rate != settings.audio.analysis_rate_hz:
        raise ContractError(
            f"the feature set {feature_set.name} is measured at {feature_set.sample_rate} Hz, "
            f"calls are analysed at {settings.audio.analysis_rate_hz} Hz"
        )
    labels = usable_labels(lake, settings)
    features = features_of(lake, labels, feature_set)
    known = _known(labels, set(settings.retrain.leave_out))
    described = [label for label in known if label.key in features]
    learn = [label for label in described if label.use == "learn" and label.soft.shares]
    measure = [label for label in described if label.use == "measure"]
    material = Material(
        learnt_from=_dataset(learn, features, feature_set, settings.retrain),
        measured_by=HoldoutSet(
            [label.soft.shares for label in measure],
            [label.caller for label in measure],
            [label.slices for label in measure],
            [segment_name(label.key) for label in measure],
        ),
        features=_stacked([features[label.key] for label in measure], feature_set),
        recordings=tuple(sorted({label.key[0] for label in learn})),
        measured_recordings=tuple(label.key[0] for label in measure),
        not_used=_not_used(labels, known, described),
    )
    prove_apart(material.learnt_from, material.measured_by.callers)
    return material


def prove_apart(learnt_from: Dataset, measured_callers: Sequence[str]) -> None:
    """Check that nobody who teaches also measures.

    Raises:
        LeakError: naming the first who does
    """
    n_learn, n_measured = len(learnt_from.speakers), len(measured_callers)
    fold = Fold(np.arange(n_learn), np.arange(n_learn, n_learn + n_measured))
    contents = [f"segment {i}" for i in range(n_learn + n_measured)]
    check_no_leakage([fold], [*learnt_from.speakers, *measured_callers], contents)


def shared_out(shares: Mapping[str, float], count: int) -> list[str]:
    """So many labels of a segment, in proportion to its annotators' votes, the most named first.

    What is left over by rounding down goes to the largest remainders.
    """
    exact = {name: share * count for name, share in shares.items()}
    whole = {name: int(value + 1e-9) for name, value in exact.items()}
    by_rest = sorted(exact, key=lambda name: (whole[name] - exact[name], name))
    for name in by_rest[: count - sum(whole.values())]:
        whole[name] += 1
    in_order = sorted(whole, key=lambda name: (-whole[name], name))
    return [name for name in in_order for _ in range(whole[name])]


def _known(labels: Sequence[UsableLabel], left_out: set[str]) -> list[UsableLabel]:
    """The labels without the emotions that are left out."""
    known = []
    for label in labels:
        if not label.soft.shares:
            known.append(label)
            continue
        kept = {name: share for name, share in label.soft.shares.items() if name not in left_out}
        if kept:
            total = sum(kept.values())
            shares = {name: share / total for name, share in kept.items()}
            known.append(replace(label, soft=replace(label.soft, shares=shares)))
    return known


def _not_used(
    labels: Sequence[UsableLabel],
    known: Sequence[UsableLabel],
    described: Sequence[UsableLabel],
) -> dict[str, int]:
    cannot_tell = [label for label in described if label.use == "learn" and not label.soft.shares]
    neither = [label for label in described if label.use == "neither"]
    counts = {
        "their emotion is left out": len(labels) - len(known),
        "no segment of now covers the labelled audio, or its recording is gone": len(known)
        - len(described),
        "of callers that measure, but not drawn by chance": len(neither),
        "of callers that teach, but no annotator can tell": len(cannot_tell),
    }
    return {reason: count for reason, count in counts.items() if count}


def _dataset(
    labels: Sequence[UsableLabel],
    features: Mapping[SegmentKey, FloatArray],
    feature_set: FeatureSet,
    settings: RetrainSettings,
) -> Dataset:
    rows = [
        (label, emotion, number)
        for label in labels
        for number, emotion in enumerate(shared_out(label.soft.shares, settings.label_weight))
    ]
    return Dataset(
        features=_stacked([features[label.key] for label, _, _ in rows], feature_set),
        names=feature_set.names,
        kinds=feature_set.kinds,
        emotions=tuple(emotion for _, emotion, _ in rows),
        speakers=tuple(label.caller for label, _, _ in rows),
        contents=tuple(segment_name(label.key) for label, _, _ in rows),
        corpora=(OWN_CALLS,) * len(rows),
        sexes=tuple(label.slices.get("sex", "unknown") for label, _, _ in rows),
        copies=np.array([number for _, _, number in rows], np.int64),
        line=np.array([label.line for label, _, _ in rows], np.float32).reshape(
            -1, len(LINE_MEASURES)
        ),
    )


def _stacked(vectors: Sequence[FloatArray], feature_set: FeatureSet) -> FloatArray:
    return np.array(vectors, np.float32).reshape(len(vectors), len(feature_set.names))
