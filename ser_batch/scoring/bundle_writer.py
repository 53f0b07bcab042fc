"""Write a model as a bundle: a folder of text and numbers, signed by its manifest."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ser_batch.errors import BundleError
from ser_batch.features.sets import get_feature_set
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.manifest import (
    ARRAYS,
    CALIBRATION,
    CARD,
    DIMENSION,
    EVALUATION,
    FILES,
    FORMAT_VERSION,
    HEAD,
    HEAD_TREES,
    LINEAR,
    MANIFEST,
    MODEL_FILES,
    OUTLIERS,
    SHIFT,
    TREES,
    Manifest,
    sha256,
)
from ser_batch.scoring.predictor import Predictor
from ser_batch.store.atomic import write_text_atomic
from ser_batch.store.content import read_bytes
from ser_batch.store.disk import disk

BUILDING = ".building"
"""Folder below the models' in which the next one is built; what a killed run left there is old."""


@dataclass(frozen=True)
class BundleFacts:
    """What is kept of a model beside its numbers, for the manifest, the evaluation and the card.

    Attributes:
        name: what a person calls the model
        feature_set: name of the feature set
        band: `telephone` or `wide`, what the clips were sent through
        training: corpora with licence, clips, speakers and emotions
        licence: the strictest of the training data
        made_with: versions of the libraries
        evaluation: figures, JSON-able
    """

    name: str
    feature_set: str
    band: str
    training: Sequence[Mapping[str, Any]]
    licence: str
    made_with: Mapping[str, str]
    evaluation: Mapping[str, Any]


def write_bundle(folder: Path, predictor: Predictor, facts: BundleFacts, *, card: str) -> Bundle:
    """Write a bundle, wait until it is on the disk, and read it back.

    Args:
        folder: made if needed; files of an earlier bundle there are replaced
        predictor: the model
        facts: what else is known of it
        card: the model card, Markdown
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_arrays(folder, predictor)
    for name, trees in ((TREES, predictor.trees), (HEAD_TREES, predictor.head.trees)):
        write_numbers(folder / name, trees.text.encode() if trees else b"")
    calibration = {
        **predictor.calibration.as_dict(),
        "dissatisfaction": predictor.head.calibration.as_dict(),
    }
    write_text_atomic(folder / CALIBRATION, _text(calibration), durable=True)
    write_text_atomic(folder / EVALUATION, _text(facts.evaluation), durable=True)
    write_text_atomic(folder / CARD, card, durable=True)
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        name=facts.name,
        model_id=f"{facts.name}-{content_digest(folder)}",
        feature_set=facts.feature_set,
        feature_set_digest=get_feature_set(facts.feature_set).digest,
        feature_names=predictor.feature_names,
        classes=predictor.classes,
        band=facts.band,
        training=tuple(facts.training),
        licence=facts.licence,
        made_with=facts.made_with,
        hashes={file: sha256(read_bytes(folder / file)) for file in FILES},
    )
    write_text_atomic(folder / MANIFEST, _text(asdict(manifest)), durable=True)
    return Bundle.load(folder)


def content_digest(folder: Path) -> str:
    """Eight hex digits of the files that the predictions depend on."""
    whole = hashlib.sha256()
    for name in MODEL_FILES:
        whole.update(sha256(read_bytes(folder / name)).encode())
    return whole.hexdigest()[:8]


def write_numbers(path: Path, data: bytes) -> None:
    """Write a file of a bundle that names no call, so that it stays open in an encrypted root."""
    disk().write(path, data)
    disk().sync(path)


def move_bundle(building: Path, bundle: Bundle) -> Bundle:
    """Move a finished bundle to the folder of its id, whole; a sound one that lies there stays.

    Args:
        building: where it was written, below the models' folder
        bundle: as it was read from there
    """
    target = building.parent / bundle.model_id
    try:
        Bundle.load(target)
    except BundleError:
        disk().remove_folder(target)
        disk().rename(building, target)
        disk().sync(target.parent)
    else:
        disk().remove_folder(building)
    return Bundle.load(target)


def _write_arrays(folder: Path, predictor: Predictor) -> None:
    """The numbers of the linear heads and of the distance, in single precision."""
    heads = {"": predictor.linear, HEAD: predictor.head.linear}
    if predictor.dimension_head is not None:
        heads[DIMENSION] = predictor.dimension_head
    arrays = {
        f"{prefix}{ARRAYS.get(name, name)}": values
        for prefix, head in heads.items()
        for name, values in vars(head).items()
    }
    if predictor.shift is not None:
        arrays[SHIFT] = predictor.shift
    for name, numbers in ((LINEAR, arrays), (OUTLIERS, vars(predictor.outliers))):
        single = {key: np.asarray(values, np.float32) for key, values in numbers.items()}
        content = io.BytesIO()
        np.savez(content, **single)  # type: ignore[arg-type]
        write_numbers(folder / name, content.getvalue())


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
