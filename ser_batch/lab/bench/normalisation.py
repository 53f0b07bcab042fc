"""Ways to subtract from features what is usual at a site or for a caller, without labels."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from ser_batch.features.dataset import Dataset
from ser_batch.features.kinds import Measure
from ser_batch.scoring.feature_weights import LEVELS

HALF_WAY = 20
"""Clips from which half of a caller's difference from the site is subtracted."""

REGISTER = {Measure(what): (*LEVELS, "delta_p20", "delta_p80") for what in ("f0", "level")}
"""Statistics by measure that say how high and how loud somebody speaks."""


def less_usual(
    clips: Dataset,
    *,
    statistics: Mapping[Measure, Collection[str]] | None = None,
    belief: float = 0.0,
    half_way: float = 0.0,
) -> Dataset:
    """Features less the median of the site, and a share of that of the caller.

    A corpus stands for a site. Medians are of the clips without their augmented copies.

    Args:
        clips: of one corpus
        statistics: by measure, those that are changed; None: all features
        belief: share of a caller's difference from the site that is subtracted at most
        half_way: clips of a caller from which half of that is taken away
    """
    features, originals = clips.features.astype(np.float64), clips.copies == 0
    changed = np.array(
        [statistics is None or k.statistic in statistics.get(k.measure, ()) for k in clips.kinds]
    )
    features -= changed * np.median(features[originals], axis=0)
    speakers = np.array(clips.speakers)
    for speaker in np.unique(speakers) if belief else ():
        own = speakers == speaker
        n_clips = int((own & originals).sum())
        share = belief * n_clips / (n_clips + half_way)
        features[own] -= changed * share * np.median(features[own & originals], axis=0)
    return replace(clips, features=features.astype(np.float32))


NORMALISATIONS: dict[str, Callable[[Dataset], Dataset] | None] = {
    "none": None,
    "per site": less_usual,
    "per site, level and register only": partial(less_usual, statistics=REGISTER),
    "per caller, shrunk": partial(less_usual, belief=1.0, half_way=HALF_WAY),
    "per caller": partial(less_usual, belief=1.0),
}
"""Acted speakers show every emotion, so the figures of callers flatter: see `bench calls`."""
