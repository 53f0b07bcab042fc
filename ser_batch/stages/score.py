"""Score: the features of one shard through a model, into the predictions of that model.

Where words may be kept and a model of words was fitted to this one, it reads them too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.config import ModelSettings, Settings, digest
from ser_batch.dimensions import DIMENSIONS
from ser_batch.emotions import EMOTIONS
from ser_batch.errors import AnalysisLostError
from ser_batch.features.sets import get_feature_set
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.decide import Scores, score_segments
from ser_batch.scoring.reasons import reasons
from ser_batch.scoring.words import Fused, WordsModel, fuse, read_words, words_file
from ser_batch.store.checked import unlike_before_by_day
from ser_batch.store.closed_days import open_shards_of
from ser_batch.store.commit import issues_part
from ser_batch.store.lake import Lake, Part
from ser_batch.store.part_file import stated_digest
from ser_batch.store.paths import Root
from ser_batch.tables import (
    PREDICTIONS,
    QUARANTINE,
    SEGMENTS,
    TRANSCRIPTS,
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
    words = _words_model(lake, model_id, settings)
    return lake.sound_tags(target, shard) != _tags(lake, shard, settings, words)


def unscored_shards(lake: Lake, model_id: str, settings: Settings) -> list[Part]:
    """The open shards that a model must score; what was scored and did not change is not read.

    The root is held.
    """
    words = _words_model(lake, model_id, settings)
    limits = (settings.model.min_confidence, settings.model.min_emotion_confidence)
    wanted = limits if words is None else (*limits, words.digest)
    tables = (_features(settings), predictions_contract(model_id), TRANSCRIPTS)
    return unlike_before_by_day(
        lake,
        f"scored-by-{model_id}",
        wanted,
        tables,
        lambda shard: is_unscored(lake, shard, model_id, settings),
        parts_of=open_shards_of(lake),
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
    keys, matrix = lake.read_matrix(_features(settings), shard)
    names = get_feature_set(settings.features.set).names
    words = _words_model(lake, bundle.model_id, settings)
    said = None
    if words is not None:
        texts = _texts(lake, shard, keys)
        said = Said(words, words.log_odds(texts, settings.transcripts.sentences))
    rows = prediction_rows(keys, Described(matrix, names), bundle, settings.model, said)
    n_scored = rows.num_rows
    target = predictions_contract(bundle.model_id)
    rows = pa.concat_tables([rows, _outlived(lake, shard, target, rows)])
    lake.write(target, shard, rows, _tags(lake, shard, settings, words))
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


def _tags(lake: Lake, shard: Part, settings: Settings, words: WordsModel | None) -> dict[str, str]:
    """What a shard's predictions are made from, beside the model."""
    tags = lake.sound_tags(_features(settings), shard) or {}
    made_from = {
        "features": tags.get("content", ""),
        "min_confidence": f"{settings.model.min_confidence:g}",
        "min_emotion_confidence": f"{settings.model.min_emotion_confidence:g}",
    }
    path = lake.path(TRANSCRIPTS, shard)
    if words is not None and path.exists():
        made_from["words"] = digest([words.digest, stated_digest(path)])
    return made_from


def _words_model(lake: Lake, model_id: str, settings: Settings) -> WordsModel | None:
    """The model of words that is fused with a model; None where words may not be kept."""
    if not settings.policy.transcripts:
        return None
    return read_words(words_file(Root(lake.folder.parent), model_id))


def _texts(lake: Lake, shard: Part, segments: pa.Table) -> list[str]:
    """What is said in each segment, empty where nothing is known."""
    names = list(TRANSCRIPTS.key)
    rows = lake.read(TRANSCRIPTS, [shard], [*names, "text"]).to_pylist()
    said = {tuple(row[name] for name in names): row["text"] for row in rows}
    return [
        said.get(key, "")
        for key in zip(*(segments[name].to_pylist() for name in names), strict=True)
    ]


def _features(settings: Settings) -> TableContract:
    feature_set = get_feature_set(settings.features.set)
    return features_contract(feature_set.name, feature_set.names)


@dataclass(frozen=True)
class Said:
    """Log-odds by what is said in some segments, shape (n,), and the model that gave them."""

    model: WordsModel
    log_odds: DoubleArray


@dataclass(frozen=True)
class Described:
    """Features of some segments, shape (n_segments, len(names))."""

    matrix: FloatArray
    names: Sequence[str]


def prediction_rows(
    segments: pa.Table,
    described: Described,
    bundle: Bundle,
    settings: ModelSettings,
    said: Said | None,
) -> pa.Table:
    """Rows of `predictions` for some segments.

    Args:
        segments: their keys
        described: their features
        bundle: the model of the voice
        settings: when it abstains
        said: in each row's segment; None: by the voice alone
    """
    matrix, names = described.matrix, described.names
    scores = score_segments(bundle.predictor, matrix, names)
    if said is None:
        nothing_said = np.full(len(matrix), np.nan)
        fused = Fused(scores.dissatisfaction, nothing_said, scores.is_uncertain(settings))
    else:
        fused = fuse(said.model, said.log_odds, scores, settings)
    callers = list(
        zip(segments["recording_id"].to_pylist(), segments["channel"].to_pylist(), strict=True)
    )
    why = reasons(bundle.predictor, matrix, names, callers, scores.winner)
    nothing = pa.nulls(len(matrix), pa.float32())
    known = {
        name: pa.array(scores.probabilities[:, position], pa.float32())
        for position, name in enumerate(bundle.classes)
    }
    return PREDICTIONS.conform(
        pa.table(
            {
                **{name: segments[name] for name in PREDICTIONS.key},
                "dissatisfaction": pa.array(fused.dissatisfaction, pa.float32()),
                "dissatisfaction_voice": pa.array(scores.dissatisfaction, pa.float32()),
                "dissatisfaction_words": pa.array(fused.words, pa.float32(), from_pandas=True),
                "is_uncertain": pa.array(fused.is_uncertain),
                "emotion": pa.array(scores.emotions(settings), pa.string()),
                "confidence": pa.array(scores.confidence, pa.float32()),
                "ood_score": pa.array(scores.ood_score, pa.float32()),
                **_dimensions(scores),
                "reasons": pa.array(why, pa.list_(pa.string())),
                **{f"p_{name}": known.get(name, nothing) for name in EMOTIONS},
            }
        )
    )


def _dimensions(scores: Scores) -> dict[str, pa.FloatArray]:
    """Arousal and valence by name; all null where the model was not trained for them."""
    assert scores.dimensions is not None
    return {
        name: pa.array(scores.dimensions[:, position], pa.float32(), from_pandas=True)
        for position, name in enumerate(DIMENSIONS)
    }
