"""Score: the features of one shard through a model, into the predictions of that model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.config import ModelSettings, Settings
from ser_batch.emotions import EMOTIONS
from ser_batch.errors import AnalysisLostError
from ser_batch.features.sets import get_feature_set
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.decide import score_segments
from ser_batch.scoring.reasons import reasons
from ser_batch.store.checked import file_states, unlike_before
from ser_batch.store.commit import issues_part
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import (
    PREDICTIONS,
    QUARANTINE,
    SEGMENTS,
    TableContract,
    features_contract,
    predictions_contract,
)


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
    return lake.sound_tags(target, shard) != _tags(lake, shard, settings)


def unscored_shards(
    lake: Lake, shards: Sequence[Part], model_id: str, settings: Settings
) -> list[Part]:
    """Those of some shards that a model must score; what was scored and did not change is not read.

    The root is held.
    """
    wanted = (settings.model.min_confidence, settings.model.min_emotion_confidence)
    tables = (_features(settings), predictions_contract(model_id))
    return unlike_before(
        lake,
        f"scored-by-{model_id}",
        file_states(lake, wanted, tables, shards),
        lambda shard: is_unscored(lake, shard, model_id, settings),
    )


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
    features = lake.read(_features(settings), [shard])
    names = get_feature_set(settings.features.set).names
    rows = prediction_rows(features, names, bundle, settings.model)
    n_scored = rows.num_rows
    target = predictions_contract(bundle.model_id)
    rows = pa.concat_tables([rows, _outlived(lake, shard, target, rows)])
    lake.write(target, shard, rows, _tags(lake, shard, settings))
    return ScoreResult(n_scored)


def _outlived(lake: Lake, shard: Part, target: TableContract, rows: pa.Table) -> pa.Table:
    """Earlier predictions of calls whose features are lost: the scores are as good as they were."""
    issues = lake.read(QUARANTINE, [issues_part(shard)], ["recording_id", "code"])
    lost = issues.filter(pc.is_in(issues["code"], pa.array([AnalysisLostError.code])))[
        "recording_id"
    ]
    if not len(lost) or lake.sound_tags(target, shard) is None:
        return rows.slice(0, 0)
    spoken = lake.read(SEGMENTS, [shard], ["recording_id"])["recording_id"]
    before = lake.read(target, [shard])
    of_lost = pc.is_in(before["recording_id"], lost.combine_chunks())
    is_shown = pc.is_in(before["recording_id"], spoken.combine_chunks())
    is_scored = pc.is_in(before["recording_id"], rows["recording_id"].combine_chunks())
    return before.filter(pc.and_(pc.and_(of_lost, is_shown), pc.invert(is_scored)))


def _tags(lake: Lake, shard: Part, settings: Settings) -> dict[str, str]:
    """What a shard's predictions are made from, beside the model."""
    tags = lake.sound_tags(_features(settings), shard) or {}
    return {
        "features": tags.get("content", ""),
        "min_confidence": f"{settings.model.min_confidence:g}",
        "min_emotion_confidence": f"{settings.model.min_emotion_confidence:g}",
    }


def _features(settings: Settings) -> TableContract:
    feature_set = get_feature_set(settings.features.set)
    return features_contract(feature_set.name, feature_set.names)


def prediction_rows(
    features: pa.Table, names: Sequence[str], bundle: Bundle, settings: ModelSettings
) -> pa.Table:
    """Rows of `predictions` for rows of a feature table."""
    matrix = np.empty((features.num_rows, len(names)), np.float32)
    for position, name in enumerate(names):
        matrix[:, position] = features[name].to_numpy()
    scores = score_segments(bundle.predictor, matrix, names)
    callers = list(
        zip(features["recording_id"].to_pylist(), features["channel"].to_pylist(), strict=True)
    )
    said = reasons(bundle.predictor, matrix, names, callers)
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
                "reasons": pa.array(said, pa.list_(pa.string())),
                **{f"p_{name}": known.get(name, nothing) for name in EMOTIONS},
            }
        )
    )
