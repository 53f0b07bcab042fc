"""From a model's probabilities to production's decisions: the one place where they are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray, IntArray
from ser_batch.config import ModelSettings
from ser_batch.emotions import UNCERTAIN
from ser_batch.scoring.predictor import Predictor


@dataclass(frozen=True)
class Scores:
    """What a model answers to some segments.

    Attributes:
        classes: emotion of each column of `probabilities`
        probabilities: shape (n_segments, n_classes), rows sum to 1
        dissatisfaction: shape (n_segments,), 0..1
        ood_score: shape (n_segments,); above 1 the segment is out of distribution
        dimensions: arousal and valence, 1 to 5, shape (n_segments, 2); None or NaN: not known
    """

    classes: tuple[str, ...]
    probabilities: DoubleArray
    dissatisfaction: DoubleArray
    ood_score: DoubleArray
    dimensions: DoubleArray | None = None

    @property
    def confidence(self) -> DoubleArray:
        """Probability of the likeliest emotion, shape (n_segments,)."""
        return np.asarray(self.probabilities.max(axis=1, initial=0.0), np.float64)

    def is_uncertain(self, settings: ModelSettings) -> BoolArray:
        """Where the model abstains about dissatisfaction, shape (n_segments,).

        The segment is out of distribution, or neither side is probable enough.
        """
        sure = np.maximum(self.dissatisfaction, 1 - self.dissatisfaction)
        return np.asarray((self.ood_score > 1) | (sure < settings.min_confidence), bool)

    @property
    def winner(self) -> IntArray:
        """Number of the likeliest emotion of each segment, shape (n_segments,)."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    def emotions(self, settings: ModelSettings) -> list[str]:
        """The likeliest emotion of each segment.

        It is `uncertain` where the segment is out of distribution, or no emotion is likely enough.
        """
        if not len(self.probabilities):
            return []
        known = (self.ood_score <= 1) & (self.confidence >= settings.min_emotion_confidence)
        return [
            self.classes[number] if sure else UNCERTAIN
            for number, sure in zip(self.winner, known, strict=True)
        ]


def score_segments(model: Predictor, features: FloatArray, names: Sequence[str]) -> Scores:
    """A model's answer to some segments.

    Args:
        model: predictor of a bundle, or one that was just trained
        features: shape (n_segments, len(names))
        names: of the columns

    Raises:
        BundleError: if a feature that the model reads is not among the names
    """
    return Scores(
        classes=model.classes,
        probabilities=model.predict(features, names),
        dissatisfaction=model.dissatisfaction(features, names),
        ood_score=model.ood_score(features, names),
        dimensions=model.dimensions(features, names),
    )
