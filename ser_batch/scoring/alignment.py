"""A model fitted to a place: its customers' usual sound is taken for the training speech's.

Lines, languages and microphones shift every feature of every caller alike. The median over many
callers shows that shift without a label, and taking it away leaves each caller's own mood, which
a caller's own mean would take with it (`ser-batch bench calls`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.scoring.predictor import Predictor

HALF_WAY = 20
"""Calls from which half of the difference is believed to be the place's."""


def aligned(predictor: Predictor, features: FloatArray, *, n_calls: int) -> Predictor:
    """The model for a place whose calls sound so.

    Args:
        predictor: the model
        features: of the place's customers, in the order of the model's `feature_names`,
            shape (n_segments, n_features)
        n_calls: that they come from; the fewer, the less is believed
    """
    belief = n_calls / (n_calls + HALF_WAY)
    usual: DoubleArray = np.median(features.astype(np.float64), axis=0)
    return replace(predictor, shift=belief * (predictor.linear.centre - usual))
