"""Features relative to the same speaker's other speech."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ser_batch.features.dataset import Dataset

LEAST_SPREAD = 0.05
"""Share of the whole spread that a speaker's own spread is held to at least."""


def per_speaker(dataset: Dataset) -> Dataset:
    """Each feature less its speaker's mean, over its speaker's spread.

    Uses the speaker's unlabelled speech only. It flatters on acted corpora, where every speaker
    shows every emotion; a caller who is angry throughout is made average by it. It is therefore
    reported beside the figure without it, never instead.
    """
    features = dataset.features.astype(np.float64)
    least = LEAST_SPREAD * features.std(axis=0) + 1e-9
    speakers = np.array(dataset.speakers)
    originals = dataset.copies == 0
    for speaker in np.unique(speakers):
        own = speakers == speaker
        own_clips = features[own & originals]
        features[own] = (features[own] - own_clips.mean(axis=0)) / np.maximum(
            own_clips.std(axis=0), least
        )
    return replace(dataset, features=features.astype(np.float32))
