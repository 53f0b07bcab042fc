"""Score: the features of one shard through a model, into the predictions of that model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ser_batch.arrays import DoubleArray
from ser_batch.config import ModelSettings, Settings
from ser_batch.emotions import EMOTIONS, UNCERTAIN
from ser_batch.errors import ModelError
from ser_batch.features.sets import get_feature_set
from ser_batch.resources import bundled_models
from ser_batch.scoring.bundle import MANIFEST, Bundle, default_bundle_path, read_manifest
from ser_batch.scoring.registry import BUNDLED, Registry
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.tables import PREDICTIONS, features_contract, predictions_contract

CHAMPION = "champion"
"""Names whichever model was promoted last, and the bundled one until one is."""


@dataclass(frozen=True)
class ScoreResult:
    """What was done for a shard.

    Attributes:
        n_scored: segments scored in this run
    """

    n_scored: int


def model_folder(root: Root, settings: Settings) -> Path:
    """Where the bundle that the settings name lies.

    Raises:
        ModelError: if there is none
    """
    name = settings.model.name
    if name == CHAMPION:
        champion = Registry(root.models).champion()
        name = champion.folder if champion else BUNDLED
    return named_folder(root, name, settings.features.set)


def named_folder(root: Root, name: str, feature_set: str) -> Path:
    """Where a model lies: `bundled`, or a folder under models/.

    Raises:
        ModelError: if there is none
    """
    if name == BUNDLED:
        return bundled_model(feature_set)
    folder = root.models / name
    if folder.resolve().parent != root.models.resolve() or not folder.is_dir():
        raise ModelError(f"there is no model {name!r} in {root.models}")
    return folder


def bundled_model(feature_set: str) -> Path:
    """The model that comes along for a feature set; the default one where none does."""
    default = default_bundle_path()
    others = sorted(folder for folder in bundled_models().iterdir() if (folder / MANIFEST).exists())
    reading = (f for f in (default, *others) if read_manifest(f).feature_set == feature_set)
    return next(reading, default)


def model_id(root: Root, settings: Settings) -> str:
    """Id of the model that the settings name; its files are not read yet.

    Raises:
        UnknownFeatureSetError: if the settings name a feature set that there is not
        DependencyError: if the feature set needs weights that were not fetched
        ModelError: if there is no such model, or it reads another feature set than the settings'
    """
    get_feature_set(settings.features.set).require()
    manifest = read_manifest(model_folder(root, settings))
    if manifest.feature_set != settings.features.set:
        raise ModelError(
            f"model {manifest.model_id} reads the feature set {manifest.feature_set!r}, "
            f"the settings name {settings.features.set!r}; make features.set the model's"
        )
    champion = Registry(root.models).champion() if settings.model.name == CHAMPION else None
    if champion and champion.folder != BUNDLED and champion.model_id != manifest.model_id:
        raise ModelError(
            f"{champion.folder} is not the model any more that was promoted "
            f"({manifest.model_id}, promoted was {champion.model_id}); promote one anew"
        )
    return manifest.model_id


def load_model(root: Root, settings: Settings) -> Bundle:
    """The model that the settings name.

    Raises:
        ModelError: if there is none, or its files do not fit
    """
    model_id(root, settings)
    return Bundle.load(model_folder(root, settings))


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
    }


def prediction_rows(
    features: pa.Table, names: Sequence[str], bundle: Bundle, settings: ModelSettings
) -> pa.Table:
    """Rows of `predictions` for rows of a feature table."""
    matrix = np.empty((features.num_rows, len(names)), np.float32)
    for position, name in enumerate(names):
        matrix[:, position] = features[name].to_numpy()
    probabilities = bundle.predict(matrix, names)
    ood_score = bundle.ood_score(matrix, names)
    emotion, confidence = decide(probabilities, ood_score, bundle.classes, settings.min_confidence)
    callers = list(
        zip(features["recording_id"].to_pylist(), features["channel"].to_pylist(), strict=True)
    )
    reasons = bundle.reasons(matrix, names, callers)
    nothing = pa.nulls(features.num_rows, pa.float32())
    known = {
        name: pa.array(probabilities[:, position], pa.float32())
        for position, name in enumerate(bundle.classes)
    }
    return PREDICTIONS.conform(
        pa.table(
            {
                **{name: features[name] for name in PREDICTIONS.key},
                "emotion": pa.array(emotion, pa.string()),
                "confidence": pa.array(confidence, pa.float32()),
                "ood_score": pa.array(ood_score, pa.float32()),
                "reasons": pa.array(reasons, pa.list_(pa.string())),
                **{f"p_{name}": known.get(name, nothing) for name in EMOTIONS},
            }
        )
    )


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
