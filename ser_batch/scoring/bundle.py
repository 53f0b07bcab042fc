"""A model as a folder of text and numbers: written once, checked whenever it is read."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.emotions import EMOTIONS
from ser_batch.errors import BundleError
from ser_batch.features.sets import get_feature_set
from ser_batch.resources import bundled_models
from ser_batch.scoring.calibration import Calibration
from ser_batch.scoring.linear import LinearHead
from ser_batch.scoring.predictor import Predictor, Trees
from ser_batch.scoring.reasons import reasons

FORMAT_VERSION = 1
MANIFEST = "bundle.json"
TREES = "trees.txt"
LINEAR = "linear.npz"
SHIFT = "shift"
CALIBRATION = "calibration.json"
EVALUATION = "evaluation.json"
CARD = "CARD.md"
MODEL_FILES = (TREES, LINEAR, CALIBRATION)
"""What the predictions depend on: these make the model's id."""
FILES = (*MODEL_FILES, EVALUATION, CARD)

BUNDLED = "emodb-telephone"
ALIGNED_TO = "aligned_to"
"""In an evaluation: the recordings that a model was fitted to, without labels."""


@dataclass(frozen=True)
class Manifest:
    """What `bundle.json` says.

    Attributes:
        format_version: of the folder's layout
        name: what a person calls the model
        model_id: the name and a digest of what the predictions depend on
        feature_set: name of the feature set
        feature_set_digest: of its definition
        feature_names: the features that are read
        classes: emotions, in the order of the probabilities
        band: `telephone` or `wide`, what the clips were sent through
        training: corpora with licence, clips, speakers and emotions
        licence: the strictest of the training data
        made_with: versions of the libraries
        hashes: SHA-256 of every other file
    """

    format_version: int
    name: str
    model_id: str
    feature_set: str
    feature_set_digest: str
    feature_names: tuple[str, ...]
    classes: tuple[str, ...]
    band: str
    training: tuple[Mapping[str, Any], ...]
    licence: str
    made_with: Mapping[str, str]
    hashes: Mapping[str, str]


@dataclass(frozen=True)
class Bundle:
    """A model that was read from its folder, and unchanged since it was written."""

    folder: Path
    manifest: Manifest
    predictor: Predictor = field(repr=False)

    @classmethod
    def load(cls, folder: Path) -> Bundle:
        """Read and check a bundle.

        Raises:
            BundleError: if a file is missing, changed, or does not fit this program
            DependencyError: if LightGBM cannot be loaded
        """
        manifest = read_manifest(folder)
        contents = {name: _checked(folder, name, manifest) for name in FILES}
        feature_set = get_feature_set(manifest.feature_set)
        if feature_set.digest != manifest.feature_set_digest:
            raise BundleError(
                f"{folder}: made with another definition of {manifest.feature_set} "
                f"({manifest.feature_set_digest}, this program has {feature_set.digest})"
            )
        calibration = _json(contents[CALIBRATION], folder / CALIBRATION)
        try:
            linear, shift = _read_linear(folder / LINEAR)
            predictor = Predictor(
                feature_names=manifest.feature_names,
                classes=manifest.classes,
                linear=linear,
                trees=Trees(contents[TREES].decode()),
                calibration=Calibration(calibration["temperature"]),
                range_limit=float(calibration["range_limit"]),
                shift=shift,
            )
        except (KeyError, TypeError, UnicodeDecodeError) as error:
            raise BundleError(f"{folder}: {error}") from error
        return cls(folder, manifest, predictor)

    @property
    def model_id(self) -> str:
        """Name and content digest, `emodb-telephone-3f2a91c0`."""
        return self.manifest.model_id

    @property
    def feature_set(self) -> str:
        """Name of the feature set it reads."""
        return self.manifest.feature_set

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The features it reads."""
        return self.manifest.feature_names

    @property
    def classes(self) -> tuple[str, ...]:
        """Emotion of each column of `predict`."""
        return self.manifest.classes

    @property
    def evaluation(self) -> dict[str, Any]:
        """The figures that were measured when it was made."""
        return _json((self.folder / EVALUATION).read_bytes(), self.folder / EVALUATION)

    def predict(self, features: FloatArray, names: Sequence[str]) -> DoubleArray:
        """Calibrated probabilities.

        Args:
            features: shape (n, len(names))
            names: of the columns, in any order

        Returns:
            shape (n, n_classes), rows sum to 1

        Raises:
            BundleError: if a feature that the model reads is not among the names
        """
        return self.predictor.predict(features, names)

    def ood_score(self, features: FloatArray, names: Sequence[str]) -> DoubleArray:
        """How unlike its training each segment is, shape (n,); above 1 it should not be named."""
        return self.predictor.ood_score(features, names)

    def reasons(
        self, features: FloatArray, names: Sequence[str], callers: Sequence[object]
    ) -> list[tuple[str, ...]]:
        """Up to three phrases that say why each segment was called what it was.

        Args:
            features: shape (n, len(names))
            names: of the columns
            callers: whose segment each is, such as (recording_id, channel)
        """
        return reasons(self.predictor, features, names, callers)


def default_bundle_path() -> Path:
    """Folder of the model that comes with the program."""
    return bundled_models() / BUNDLED


def read_manifest(folder: Path) -> Manifest:
    """What a bundle says of itself; its other files are not opened.

    Raises:
        BundleError: if there is no manifest, or one that this program cannot read
    """
    path = folder / MANIFEST
    try:
        stored = _json(path.read_bytes(), path)
    except OSError as error:
        raise BundleError(
            f"{folder} is no model bundle: no {MANIFEST} can be read there"
        ) from error
    if stored.get("format_version") != FORMAT_VERSION:
        raise BundleError(
            f"{folder}: bundle format {stored.get('format_version')}, "
            f"this program reads {FORMAT_VERSION}"
        )
    try:
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()
        }
        manifest = Manifest(**values)
    except TypeError as error:
        raise BundleError(f"{path}: {error}") from error
    unknown = set(manifest.classes) - set(EMOTIONS)
    if unknown:
        raise BundleError(f"{path}: {min(unknown)!r} is no emotion")
    return manifest


def write_bundle(
    folder: Path,
    predictor: Predictor,
    *,
    name: str,
    feature_set: str,
    band: str,
    training: Sequence[Mapping[str, Any]],
    licence: str,
    made_with: Mapping[str, str],
    evaluation: Mapping[str, Any],
    card: str,
) -> Bundle:
    """Write a bundle and read it back.

    Args:
        folder: made if needed; files of an earlier bundle there are replaced
        predictor: the model
        evaluation: figures, JSON-able
        card: the model card, Markdown
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_linear(folder / LINEAR, predictor)
    (folder / TREES).write_text(predictor.trees.text, encoding="utf-8")
    calibration = {**predictor.calibration.as_dict(), "range_limit": predictor.range_limit}
    (folder / CALIBRATION).write_text(_text(calibration), encoding="utf-8")
    (folder / EVALUATION).write_text(_text(evaluation), encoding="utf-8")
    (folder / CARD).write_text(card, encoding="utf-8")
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        name=name,
        model_id=f"{name}-{content_digest(folder)}",
        feature_set=feature_set,
        feature_set_digest=get_feature_set(feature_set).digest,
        feature_names=predictor.feature_names,
        classes=predictor.classes,
        band=band,
        training=tuple(training),
        licence=licence,
        made_with=made_with,
        hashes={file: _sha256((folder / file).read_bytes()) for file in FILES},
    )
    (folder / MANIFEST).write_text(_text(asdict(manifest)), encoding="utf-8")
    return Bundle.load(folder)


def content_digest(folder: Path) -> str:
    """Eight hex digits of the files that the predictions depend on."""
    whole = hashlib.sha256()
    for name in MODEL_FILES:
        whole.update(_sha256((folder / name).read_bytes()).encode())
    return whole.hexdigest()[:8]


def _checked(folder: Path, name: str, manifest: Manifest) -> bytes:
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise BundleError(f"{folder}: {name} cannot be read") from error
    if _sha256(content) != manifest.hashes.get(name):
        raise BundleError(f"{folder}: {name} was changed after the bundle was written")
    return content


def _read_linear(path: Path) -> tuple[LinearHead, DoubleArray | None]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            head = LinearHead(*(stored[field.name] for field in fields(LinearHead)))
            return head, stored.get(SHIFT)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BundleError(f"{path}: {error}") from error


def _write_linear(path: Path, predictor: Predictor) -> None:
    arrays: dict[str, Any] = dict(vars(predictor.linear))
    if predictor.shift is not None:
        arrays[SHIFT] = predictor.shift
    np.savez(path, **arrays)


def _json(content: bytes, path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(content)
    except ValueError as error:
        raise BundleError(f"{path} is not JSON: {error}") from error
    if not isinstance(stored, dict):
        raise BundleError(f"{path} holds no object")
    return stored


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
