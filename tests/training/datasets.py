"""Simulated labelled features whose classes are separable, for tests of training.

They have the names of features of `descriptors_v1`.
"""

from __future__ import annotations

import numpy as np

from ser_batch.features.dataset import Dataset
from ser_batch.features.sets import get_feature_set

SET = get_feature_set("descriptors_v1")
FIRST = SET.names.index("zcr.speech.mean")
"""From here on the features are read, and weigh alike."""
CLASSES = ("anger", "neutral", "sadness")


def blobs(*, n_speakers: int = 6, n_clips: int = 12, n_features: int = 8, seed: int = 0) -> Dataset:
    """Clips of several speakers, each class around its own centre, speakers off it a little."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(len(CLASSES), n_features))
    features, emotions, speakers = [], [], []
    for speaker in range(n_speakers):
        shift = 0.5 * rng.normal(size=n_features)
        for clip in range(n_clips):
            label = clip % len(CLASSES)
            features.append(centres[label] + shift + rng.normal(size=n_features))
            emotions.append(CLASSES[label])
            speakers.append(f"made:{speaker}")
    n, columns = len(emotions), slice(FIRST, FIRST + n_features)
    return Dataset(
        features=np.array(features, dtype=np.float32),
        names=SET.names[columns],
        kinds=SET.kinds[columns],
        emotions=tuple(emotions),
        speakers=tuple(speakers),
        contents=tuple(f"clip{i}" for i in range(n)),
        corpora=("made",) * n,
        sexes=("unknown",) * n,
        copies=np.zeros(n, np.int64),
    )
