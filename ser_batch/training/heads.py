"""The linear half of training: a head a part of the features, tuned on held-out speakers.

Hand-made descriptors and a speech model's states each have a head of their own; a mean of their
calibrated logits beats one head over both, whose penalty would fit neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy

from ser_batch.arrays import DoubleArray, FloatArray, IntArray
from ser_batch.features.dataset import Dataset
from ser_batch.features.kinds import FeatureKind
from ser_batch.scoring.calibration import fit_calibration
from ser_batch.scoring.feature_weights import feature_weights
from ser_batch.scoring.linear import LinearHead, centre_and_scale, fit_linear, weighed
from ser_batch.training.splits import Fold

MIXTURES = (0.25, 0.4, 0.5, 0.6, 0.75)
"""Weights of the descriptors beside the states that are tried."""

LEAST = 5.0
"""How far below the least logit one lies whose class a head never saw."""


@dataclass(frozen=True)
class Part:
    """Features that have a head of their own.

    Attributes:
        columns: of the features, shape (n,)
        strengths: inverse L2 penalties to try
    """

    columns: IntArray
    strengths: tuple[float, ...]


@dataclass(frozen=True)
class TunedPart:
    """A part, with what held-out speakers chose.

    Attributes:
        columns: of the features, shape (n,)
        strength: inverse L2 penalty
        share: factor of its logits in the sum of the parts'
    """

    columns: IntArray
    strength: float
    share: float


def parts_of(
    kinds: Sequence[FeatureKind],
    strengths: tuple[float, ...],
    state_strengths: tuple[float, ...],
) -> list[Part]:
    """Descriptors and states, whichever there are."""
    states = np.array([kind.is_state for kind in kinds])
    both = [(~states, strengths), (states, state_strengths)]
    return [Part(np.flatnonzero(which), tried) for which, tried in both if which.any()]


@dataclass(frozen=True)
class Task:
    """What heads learn.

    Attributes:
        targets: share of each clip's annotators by class, shape (n_clips, n_classes)
        domain_sensitive_weight: weight of domain-sensitive features before the penalty; others 1
        balanced: whether classes weigh the same, or as often as they are named
    """

    targets: DoubleArray
    domain_sensitive_weight: float
    balanced: bool = True


def tuned_parts(
    dataset: Dataset, task: Task, folds: Sequence[Fold], parts: Sequence[Part]
) -> tuple[list[TunedPart], DoubleArray]:
    """The strengths with the least held-out loss, and the held-out logits of the parts together.

    Args:
        dataset: training clips
        task: what to learn; every class is named
        folds: of the clips' speakers
        parts: of the features
    """
    found = [_tuned(dataset, task, folds, part) for part in parts]
    shares, held_out = _mixed([logits for _, logits in found], task, dataset.weights)
    tuned = [
        TunedPart(part.columns, strength, share)
        for part, (strength, _), share in zip(parts, found, shares, strict=True)
    ]
    return tuned, held_out


def _mixed(
    logits: Sequence[DoubleArray], task: Task, weights: DoubleArray
) -> tuple[tuple[float, ...], DoubleArray]:
    """Factors of the parts' logits whose sum has the least held-out loss, and that sum.

    A part alone keeps its own scale; two are brought to one scale by their temperatures first.
    """
    if len(logits) == 1:
        return (1.0,), logits[0]
    scales = [1 / fit_calibration(own, task.targets, weights).temperature for own in logits]
    tried = []
    for first in MIXTURES:
        shares = (first * scales[0], (1 - first) * scales[1])
        mixed = np.add(*(share * own for share, own in zip(shares, logits, strict=True)))
        tried.append((held_out_loss(mixed, task, weights), shares, mixed))
    _, shares, mixed = min(tried, key=lambda entry: entry[0])
    return shares, mixed


def fit_head(dataset: Dataset, task: Task, parts: Sequence[TunedPart]) -> LinearHead:
    """The parts' heads as one that reads all features and gives the sum of their logits."""
    n_features, n_classes = len(dataset.names), task.targets.shape[1]
    centre, scale = centre_and_scale(dataset.features)
    whole = LinearHead(
        centre=centre,
        scale=scale,
        feature_weights=np.ones(n_features),
        weights=np.zeros((n_features, n_classes)),
        bias=np.zeros(n_classes),
    )
    for part in parts:
        head = _fit(dataset, task, part.columns, part.strength)
        whole.centre[part.columns] = head.centre
        whole.scale[part.columns] = head.scale
        whole.feature_weights[part.columns] = head.feature_weights
        whole.weights[part.columns] = part.share * head.weights
        whole.bias[:] += part.share * head.bias
    return whole


def held_out_loss(logits: DoubleArray, task: Task, weights: DoubleArray) -> float:
    """Log loss after the best temperature; clips count by their weights, classes as in the task."""
    scaled = logits / fit_calibration(logits, task.targets, weights).temperature
    counted = weighed(task.targets, weights, balanced=task.balanced)
    return float(-np.sum(counted * scipy.special.log_softmax(scaled, axis=1)) / counted.sum())


def _tuned(
    dataset: Dataset, task: Task, folds: Sequence[Fold], part: Part
) -> tuple[float, DoubleArray]:
    """The strength with the least held-out loss, and its held-out logits."""
    tried = []
    for strength in part.strengths:
        held_out = np.zeros(task.targets.shape)
        for fold in folds:
            inside = task.targets[fold.train]
            known = np.flatnonzero(inside.sum(axis=0) > 0)
            seen = replace(task, targets=inside[:, known])
            head = _fit(dataset.take(fold.train), seen, part.columns, strength)
            tested = dataset.features[np.ix_(fold.test, part.columns)]
            held_out[fold.test] = _spread(head, known, tested, task.targets.shape[1])
        tried.append((held_out_loss(held_out, task, dataset.weights), strength, held_out))
    _, strength, held_out = min(tried, key=lambda entry: entry[0])
    return strength, held_out


def _fit(dataset: Dataset, task: Task, columns: IntArray, strength: float) -> LinearHead:
    chosen = dataset.reading(columns.tolist())
    return fit_linear(
        chosen.features,
        task.targets,
        strength=strength,
        feature_weights=feature_weights(chosen.kinds, task.domain_sensitive_weight),
        weights=chosen.weights,
        balanced=task.balanced,
    )


def _spread(head: LinearHead, known: IntArray, features: FloatArray, n_classes: int) -> DoubleArray:
    """Logits with a column for every class; one that the head never saw reads far below."""
    logits = head.logits(features)
    wide = np.full((len(features), n_classes), logits.min() - LEAST)
    wide[:, known] = logits
    return wide
