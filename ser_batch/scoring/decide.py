"""From probabilities to a decision: the likeliest emotion of a segment, or uncertain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ser_batch.arrays import DoubleArray
from ser_batch.emotions import UNCERTAIN


def decide(
    probabilities: DoubleArray,
    ood_score: DoubleArray,
    classes: Sequence[str],
    min_confidence: float,
) -> tuple[list[str], DoubleArray]:
    """The likeliest emotion of each segment.

    It is `uncertain` where that emotion is not likely enough, or the segment is unlike anything
    that the model was trained on.

    Args:
        probabilities: shape (n_segments, n_classes)
        ood_score: shape (n_segments,); above 1 it is like nothing in training
        classes: emotion of each column
        min_confidence: least probability of the likeliest

    Returns:
        emotions and their probabilities, one a segment
    """
    if not len(probabilities):
        return [], np.zeros(0)
    best = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    emotion = [
        classes[number] if sure >= min_confidence and strange <= 1 else UNCERTAIN
        for number, sure, strange in zip(best, confidence, ood_score, strict=True)
    ]
    return emotion, confidence
