"""The choices behind the bundled models, each measured on corpora that the model did not see.

One logistic regression learns the share of the listeners who perceive anger; there are no trees, so
that the table compares what is described and not how it is learnt. EmoDB and CREMA-D are left out
in turn: by them choices are made. The other corpora are reported, by a model of both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ser_batch.arrays import DoubleArray
from ser_batch.config import DenoiseSettings
from ser_batch.corpora import CORPORA, installed
from ser_batch.emotions import DISSATISFACTION_TARGET
from ser_batch.features.dataset import Dataset, joined
from ser_batch.features.kinds import FeatureKind
from ser_batch.features.parameters import Parameters
from ser_batch.features.rhythm import DURATION
from ser_batch.features.sets import FeatureSet, descriptor_set, get_feature_set
from ser_batch.lab.bench.described import NO_COPIES, described
from ser_batch.lab.bench.normalisation import NORMALISATIONS
from ser_batch.progress import Progress
from ser_batch.scoring.feature_weights import is_gain_free
from ser_batch.training.augment import Augmentation
from ser_batch.training.decided import CONTENT
from ser_batch.training.heads import Task, TunedPart, fit_head, parts_of
from ser_batch.training.recipes import recipe_for

CHOICE = ("cremad", "emodb")
"""Corpora that a model may be trained on; each is tested by a model of the other."""

DESCRIPTORS = "descriptors_v1"
F0_CEILINGS_HZ = (400.0, 700.0)
"""Beside the set's own, 550 Hz."""

TOPICS = ("feature set", "left out", "F0 ceiling", "copies", "normalisation")

Choice = Callable[[FeatureKind], bool]


def _measuring(*whats: str) -> Choice:
    return lambda kind: kind.measure.what in whats


GROUPS: dict[str, Choice] = {
    "nothing": _measuring(),
    "level and loudness": _measuring("level", "loudness"),
    "F0": _measuring("f0"),
    "voice quality": _measuring("jitter", "shimmer", "hnr", "cpp"),
    "rhythm": _measuring("rhythm"),
    "duration of the segment": lambda kind: kind.statistic == DURATION,
    "formants": _measuring("formant", "prominence"),
    "log-mel bands": _measuring("mel"),
    "chroma and tonnetz": _measuring("chroma", "tonnetz"),
    "spectral flux": _measuring("flux"),
}
"""Descriptors that are left out together."""

COPIES = {
    "no copies": NO_COPIES,
    "one copy, denoised as a night does": Augmentation(copies=1),
    "one copy, never denoised": Augmentation(copies=1, denoise=DenoiseSettings(mode="off")),
}


@dataclass(frozen=True)
class Variant:
    """One way of describing clips.

    Attributes:
        topic: what is compared, one of `TOPICS`
        name: of the variant within it
        features: what is measured
        left_out: whether the head does not read a feature
        augmentation: copies of training clips
        normalised: a corpus without what is usual there; None: as it is
    """

    topic: str
    name: str
    features: FeatureSet
    left_out: Choice = GROUPS["nothing"]
    augmentation: Augmentation = NO_COPIES
    normalised: Callable[[Dataset], Dataset] | None = None


def variants(sets: Sequence[str]) -> list[Variant]:
    """All variants.

    Args:
        sets: names of feature sets to compare; the first is the one that copies and normalisation
            are measured with, besides descriptors
    """
    descriptors, first = get_feature_set(DESCRIPTORS), get_feature_set(sets[0])
    found = [Variant("feature set", name, get_feature_set(name)) for name in sets]
    found += [Variant("left out", name, descriptors, left_out) for name, left_out in GROUPS.items()]
    found += [
        Variant("F0 ceiling", f"{hz:g} Hz", descriptor_set(f"f0_{hz:g}", Parameters(f0_high_hz=hz)))
        for hz in F0_CEILINGS_HZ
    ]
    found += [
        Variant("copies", name, first, augmentation=copies) for name, copies in COPIES.items()
    ]
    return found + [
        Variant("normalisation", name, chosen, normalised=normalised)
        for chosen in (first, descriptors)
        for name, normalised in NORMALISATIONS.items()
    ]


def run(
    corpora: Path,
    sets: Sequence[str],
    *,
    topics: Sequence[str] = TOPICS,
    cache: Path,
    on_progress: Progress,
) -> list[dict[str, Any]]:
    """Measure every variant.

    Args:
        corpora: folder below which each corpus has its own; CREMA-D and EmoDB at least
        sets: names of feature sets, see `variants`
        topics: which are measured
        cache: folder for features, which are not computed twice
        on_progress: called with what is being done, the steps done, and all steps

    Returns:
        a row a variant: topic, name, features; `auc` by unseen corpus, of angry clips against calm,
        happy and neutral ones; `auc_pooled` over all clips of the corpora that are not for choices,
        which one level of the flag must serve

    Raises:
        CorpusError: if a corpus for choices is not there
    """
    reported = sorted(installed(corpora, CORPORA.keys() - set(CHOICE)))
    rows = []
    asked = [variant for variant in variants(sets) if variant.topic in topics]
    for done, variant in enumerate(asked, start=1):
        with threadpool_limits(1):
            rows.append(_measured(variant, corpora, reported, cache, on_progress))
        on_progress("comparing variants", done, len(asked))
    return rows


def _measured(
    variant: Variant, corpora: Path, reported: Sequence[str], cache: Path, on_progress: Progress
) -> dict[str, Any]:
    def of(name: str, augmentation: Augmentation) -> Dataset:
        found = described(name, variant.features, corpora, cache, on_progress, augmentation)
        read = [
            column
            for column, kind in enumerate(found.kinds)
            if is_gain_free(kind) and not variant.left_out(kind)
        ]
        found = found.reading(read)
        return variant.normalised(found) if variant.normalised else found

    training = {name: of(name, variant.augmentation) for name in CHOICE}
    auc = {}
    for name in CHOICE:
        others = [training[other] for other in CHOICE if other != name]
        tested = training[name].take(training[name].copies == 0)
        auc[name] = anger_auc(tested, _log_odds(reduce(joined, others), [tested])[0])
    unseen = [of(name, NO_COPIES) for name in reported]
    scores = _log_odds(reduce(joined, training.values()), unseen)
    for name, clips, score in zip(reported, unseen, scores, strict=True):
        auc[name] = anger_auc(clips, score)
    pooled = anger_auc(reduce(joined, unseen), np.concatenate(scores)) if unseen else None
    return {
        "topic": variant.topic,
        "name": variant.name,
        "features": variant.features.name,
        "auc": auc,
        "auc_pooled": pooled,
    }


def _log_odds(trained: Dataset, tested: Sequence[Dataset]) -> list[DoubleArray]:
    """Log-odds of dissatisfaction of some clips, by one linear head."""
    level = trained.level(DISSATISFACTION_TARGET)
    recipe = recipe_for(DESCRIPTORS)
    task = Task(np.column_stack([1 - level, level]), recipe.domain_sensitive_weight, balanced=False)
    part = parts_of(trained.kinds, recipe.strengths, recipe.state_strengths)[-1]
    head = fit_head(trained, task, [TunedPart(part.columns, part.strengths[0], 1.0)])
    return [np.diff(head.logits(clips.features), axis=1)[:, 0] for clips in tested]


def anger_auc(clips: Dataset, score: DoubleArray) -> float:
    """Area under the curve of a score: angry clips against calm, happy and neutral ones."""
    emotions = np.array(clips.emotions)
    is_angry = np.isin(emotions, [*DISSATISFACTION_TARGET])
    counted = is_angry | np.isin(emotions, CONTENT)
    return float(roc_auc_score(is_angry[counted], score[counted]))
