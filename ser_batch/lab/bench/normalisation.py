"""Ways to take from features what is usual at a place or for a caller, without labels."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from ser_batch.features.dataset import Dataset

HALF_WAY = 20
"""Clips from which half of a caller's difference from the place is taken away."""

REGISTER = re.compile(r"(f0|level)\..*(mean|p\d+)")
"""Descriptors that say how high and how loud somebody speaks, not how it moves."""


def less_usual(
    clips: Dataset,
    *,
    columns: re.Pattern[str] = re.compile(".*"),
    belief: float = 0.0,
    half_way: float = 0.0,
) -> Dataset:
    """Features less what is usual at the place, and for the caller as far as that is believed.

    A corpus stands for a place. What is usual is the median of the clips as they are.

    Args:
        clips: of one corpus
        columns: names of the features that are changed
        belief: share of a caller's difference from the place that is taken away at most
        half_way: clips of a caller from which half of that is taken away
    """
    features, originals = clips.features.astype(np.float64), clips.copies == 0
    changed = np.array([bool(columns.fullmatch(name)) for name in clips.names])
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
    "per place": less_usual,
    "per place, level and register only": partial(less_usual, columns=REGISTER),
    "per caller, shrunk": partial(less_usual, belief=1.0, half_way=HALF_WAY),
    "per caller": partial(less_usual, belief=1.0),
}
"""Acted speakers show every emotion, so the figures of callers flatter: see `bench calls`."""
