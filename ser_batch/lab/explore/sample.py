"""The clips of corpora that are described and drawn: as many of each emotion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from ser_batch.arrays import FloatArray
from ser_batch.corpora.base import Clip
from ser_batch.errors import CorpusError
from ser_batch.training.describe import decoded

LEAST_CLIPS = 20
"""Fewer show nothing of a corpus."""
_SEED = 0


def few_of_each(clips_of: Mapping[str, Sequence[Clip]], n_each: int) -> list[Clip]:
    """Clips drawn at random, the same ones each time.

    Args:
        clips_of: clips by corpus
        n_each: of each emotion of each corpus at most

    Raises:
        CorpusError: if they are too few to say anything, or of one emotion
    """
    by_emotion: dict[tuple[str, str], list[Clip]] = defaultdict(list)
    for name, clips in clips_of.items():
        for clip in clips:
            by_emotion[name, clip.emotion].append(clip)
    rng = np.random.default_rng(_SEED)
    drawn = [
        clips[number]
        for _, clips in sorted(by_emotion.items())
        for number in np.sort(rng.permutation(len(clips))[:n_each])
    ]
    if len(drawn) < LEAST_CLIPS:
        raise CorpusError(f"{len(drawn)} clips are too few to explore: at least {LEAST_CLIPS}")
    if len({clip.emotion for clip in drawn}) == 1:
        raise CorpusError(f"all clips are labelled {drawn[0].emotion}: nothing to compare")
    return drawn


def one_of_each(clips: Sequence[Clip]) -> dict[str, tuple[FloatArray, int]]:
    """Samples and rate of the first clip of each emotion, in order of the names."""
    first: dict[str, Clip] = {}
    for clip in clips:
        first.setdefault(clip.emotion, clip)
    return {name: decoded(clip, clip.path.read_bytes()) for name, clip in sorted(first.items())}
