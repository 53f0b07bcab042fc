"""What sets emotions apart: descriptors by effect size, and a map of the clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

from ser_batch.arrays import DoubleArray, IntArray
from ser_batch.features.dataset import Dataset

N_NEIGHBOURS = 10
N_COMPONENTS = 30
PERPLEXITY = 30.0


@dataclass(frozen=True)
class Descriptor:
    """How far a descriptor separates the emotions.

    Attributes:
        name: of the feature
        group: what it belongs to: pitch, loudness, ...
        omega_squared: share of its variance between clips that the emotion explains, about 0
            where chance explains it
        emotion: the one furthest from the others
        cohens_d: mean of that emotion minus the mean of the others, in their pooled standard
            deviation
    """

    name: str
    group: str
    omega_squared: float
    emotion: str
    cohens_d: float


def centred(values: DoubleArray, groups: Sequence[str]) -> DoubleArray:
    """Values minus the mean of their group, so that groups do not differ.

    Args:
        values: shape (n_clips, n_features)
        groups: speaker or corpus of each clip
    """
    out = np.array(values, np.float64)
    labels = np.array(groups)
    for name in np.unique(labels):
        rows = labels == name
        out[rows] -= out[rows].mean(axis=0)
    return out


def omega_squared(values: DoubleArray, labels: Sequence[str]) -> DoubleArray:
    """Effect size of a label on each feature, one-way.

    Source: Olejnik and Algina (2003), Generalized eta and omega squared statistics.

    Args:
        values: shape (n_clips, n_features)
        labels: of each clip, of at least two kinds

    Returns:
        shape (n_features,), at most 1; 0 where a feature is constant
    """
    names, codes = np.unique(np.array(labels), return_inverse=True)
    counts = np.bincount(codes).astype(np.float64)
    means = np.stack([values[codes == code].mean(axis=0) for code in range(len(names))])
    total = np.square(values - values.mean(axis=0)).sum(axis=0)
    between = (counts[:, None] * np.square(means - values.mean(axis=0))).sum(axis=0)
    within = (total - between) / max(len(values) - len(names), 1)
    explained = between - (len(names) - 1) * within
    whole = total + within
    is_varied = total > 1e-12
    return np.asarray(np.where(is_varied, explained / np.where(is_varied, whole, 1.0), 0.0))


def strongest(dataset: Dataset, values: DoubleArray, n_most: int) -> list[Descriptor]:
    """The descriptors that separate the emotions most, the best of each kind of measure.

    Args:
        dataset: labelled clips
        values: their features, centred as wanted, shape (n_clips, n_features)
        n_most: how many at most
    """
    effects = omega_squared(values, dataset.emotions)
    found: list[Descriptor] = []
    seen: set[str] = set()
    for column in np.argsort(-effects, kind="stable"):
        kind = dataset.kinds[column]
        if kind.measure.what in seen:
            continue
        seen.add(kind.measure.what)
        emotion, difference = _furthest(values[:, column], dataset.emotions)
        name, effect = dataset.names[column], float(effects[column])
        found.append(Descriptor(name, kind.group, effect, emotion, difference))
        if len(found) == n_most:
            break
    return found


def _furthest(values: DoubleArray, emotions: Sequence[str]) -> tuple[str, float]:
    """The emotion with the largest Cohen's d against all others, and that d."""
    labels = np.array(emotions)
    best = ("", 0.0)
    for name in np.unique(labels):
        own, others = values[labels == name], values[labels != name]
        squares = np.square(own - own.mean()).sum() + np.square(others - others.mean()).sum()
        deviation = float(np.sqrt(squares / max(len(values) - 2, 1)))
        difference = float(own.mean() - others.mean()) / deviation if deviation > 0 else 0.0
        best = max(best, (str(name), difference), key=lambda pair: abs(pair[1]))
    return best


def standardised(values: DoubleArray) -> DoubleArray:
    """Each feature with mean 0 and standard deviation 1; constant ones are 0."""
    deviation = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(deviation > 1e-12, deviation, 1.0)
    return np.asarray(scaled, np.float64)


def components(values: DoubleArray) -> DoubleArray:
    """The first principal components of the standardised features, shape (n_clips, n)."""
    n_components = min(N_COMPONENTS, *values.shape)
    found = PCA(n_components, random_state=0).fit_transform(standardised(values))
    return np.asarray(found, np.float64)


def neighbours(points: DoubleArray, labels: Sequence[str]) -> dict[str, float]:
    """How often the nearest clips share a label.

    Args:
        points: of the clips, shape (n_clips, n_components)
        labels: of each clip

    Returns:
        `share` of each clip's nearest neighbours with its own label, and `chance`: the share that
        clips drawn at random would have
    """
    codes = np.unique(np.array(labels), return_inverse=True)[1]
    n_neighbours = min(N_NEIGHBOURS, len(points) - 1)
    search = NearestNeighbors(n_neighbors=n_neighbours + 1).fit(points)
    near: IntArray = search.kneighbors(points, return_distance=False)[:, 1:]
    counts = np.bincount(codes).astype(np.float64)
    chance = float((counts * (counts - 1)).sum() / (len(points) * (len(points) - 1)))
    return {"share": float((codes[near] == codes[:, None]).mean()), "chance": chance}


def flat_map(points: DoubleArray) -> DoubleArray:
    """Two dimensions in which near clips stay near, by t-SNE; the same points give the same map.

    Args:
        points: shape (n_clips, n_components), at least 5 clips

    Returns:
        shape (n_clips, 2)
    """
    perplexity = min(PERPLEXITY, (len(points) - 1) / 4)
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=0)
    return np.asarray(tsne.fit_transform(points), np.float64)


def explore(dataset: Dataset, *, within: str, n_most: int) -> dict[str, Any]:
    """Effect sizes, neighbours and map of labelled clips.

    Args:
        dataset: of at least two emotions
        within: `speaker` or `corpus`, whose mean is subtracted from the features, or `nothing`
        n_most: how many descriptors

    Returns:
        JSON-able: descriptors, neighbours (by emotion, speaker and corpus), points
    """
    groups = {"speaker": dataset.speakers, "corpus": dataset.corpora}
    values = dataset.features.astype(np.float64)
    if within in groups:
        values = centred(values, groups[within])
    points = components(values)
    labels = {"emotion": dataset.emotions, **groups}
    place = flat_map(points)
    return {
        "within": within,
        "n_clips": len(dataset.emotions),
        "descriptors": [vars(each) for each in strongest(dataset, values, n_most)],
        "neighbours": {name: neighbours(points, each) for name, each in labels.items()},
        "points": [
            {"x": float(x), "y": float(y), **{name: each[row] for name, each in labels.items()}}
            for row, (x, y) in enumerate(place)
        ],
    }
