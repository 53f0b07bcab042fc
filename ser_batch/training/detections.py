"""How well anger, and anything negative, is distinguished from the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from ser_batch.arrays import BoolArray, DoubleArray
from ser_batch.emotions import NEGATIVE
from ser_batch.features.dataset import Dataset


def detections(
    clips: Dataset, probabilities: DoubleArray, classes: Sequence[str]
) -> dict[str, Any]:
    """Areas under ROC curves of anger, and of anything negative, against the rest."""
    truth = np.array(clips.emotions)
    columns = np.array(classes)
    anger = probabilities[:, columns == "anger"].sum(axis=1)
    negative = probabilities[:, np.isin(columns, NEGATIVE)].sum(axis=1)
    return {
        "auc_anger": _auc(truth == "anger", anger),
        "auc_negative": _auc(np.isin(truth, NEGATIVE), negative),
    }


def _auc(positive: BoolArray, score: DoubleArray) -> float | None:
    if positive.all() or not positive.any():
        return None
    return float(roc_auc_score(positive, score))
