"""Score: the features of one shard through a model, into the predictions of that model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ser_batch.config import ModelSettings, Settings
from ser_batch.emotions import EMOTIONS
from ser_batch.features.sets import get_feature_set
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.decide import score_segments
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import PREDICTIONS, features_contract, predictions_contract


@dataclass(frozen=True)
class ScoreResult:
    """What was done for a shard.

    Attributes:
        n_scored: segments scored in this run
    """

    n_scored: int


def is_unscored(lake: Lake, shard: Part, model_id: str, settings: Settings) -> bool:
    """Whether a shard's predictions by a model are missing or were made from other features."""
    target = predictions_contract(model_id)
    return lake.tags(target, shard) != _tags(lake, shard, settings)


def score(lake: Lake, shard: Part, bundle: Bundle, settings: Settings) -> ScoreResult:
    """Make one shard's predictions.

    Args:
        lake: the lake; the shard is analysed
        shard: which one
        bundle: the model
        settings: all settings

    Raises:
        ModelError: if the model does not read the shard's features
    """
    feature_set = get_feature_set(settings.features.set)
    source = features_contract(feature_set.name, feature_set.names)
    features = lake.read(source, [shard])
    rows = prediction_rows(features, feature_set.names, bundle, settings.model)
    tags = _tags(lake, shard, settings)
    lake.write(predictions_contract(bundle.model_id), shard, rows, tags)
    return ScoreResult(rows.num_rows)


def _tags(lake: Lake, shard: Part, settings: Settings) -> dict[str, str]:
    """What a shard's predictions are made from, beside the model."""
    feature_set = get_feature_set(settings.features.set)
    tags = lake.tags(features_contract(feature_set.name, feature_set.names), shard) or {}
    return {
        "features": tags.get("content", ""),
        "min_confidence": f"{settings.model.min_confidence:g}",
        "min_emotion_confidence": f"{settings.model.min_emotion_confidence:g}",
    }


def prediction_rows(
    features: pa.Table, names: Sequence[str], bundle: Bundle, settings: ModelSettings
) -> pa.Table:
    """Rows of `predictions` for rows of a feature table."""
    matrix = np.empty((features.num_rows, len(names)), np.float32)
    for position, name in enumerate(names):
        matrix[:, position] = features[name].to_numpy()
    scores = score_segments(bundle, matrix, names)
    callers = list(
        zip(features["recording_id"].to_pylist(), features["channel"].to_pylist(), strict=True)
    )
    reasons = bundle.reasons(matrix, names, callers)
    nothing = pa.nulls(features.num_rows, pa.float32())
    known = {
        name: pa.array(scores.probabilities[:, position], pa.float32())
        for position, name in enumerate(bundle.classes)
    }
    return PREDICTIONS.conform(
        pa.table(
            {
                **{name: features[name] for name in PREDICTIONS.key},
                "dissatisfaction": pa.array(scores.dissatisfaction, pa.float32()),
                "is_uncertain": pa.array(scores.is_uncertain(settings)),
                "emotion": pa.array(scores.emotions(settings), pa.string()),
                "confidence": pa.array(scores.confidence, pa.float32()),
                "ood_score": pa.array(scores.ood_score, pa.float32()),
                "reasons": pa.array(reasons, pa.list_(pa.string())),
                **{f"p_{name}": known.get(name, nothing) for name in EMOTIONS},
            }
        )
    )
