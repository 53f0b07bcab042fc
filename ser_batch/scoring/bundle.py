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
from ser_batch.scoring.calibration import BinaryCalibration, Calibration
from ser_batch.scoring.linear import LinearHead
from ser_batch.scoring.outliers import Outliers
from ser_batch.scoring.predictor import DissatisfactionHead, Predictor, Trees
from ser_batch.scoring.reasons import reasons

FORMAT_VERSION = 2
MANIFEST = "bundle.json"
TREES, HEAD_TREES = "trees.txt", "dissatisfaction_trees.txt"
LINEAR, OUTLIERS = "linear.npz", "outliers.npz"
HEAD = "dissatisfaction_"
"""Before the name of an array in `linear.npz`: it is the dissatisfaction head's."""
SHIFT = "shift"
CALIBRATION = "calibration.json"
EVALUATION = "evaluation.json"
CARD = "CARD.md"
MODEL_FILES = (TREES, HEAD_TREES, LINEAR, OUTLIERS, CALIBRATION)
"""What the predictions depend on: these make the model's id."""
FILES = (*MODEL_FILES, EVALUATION, CARD)

BUNDLED = "cremad-emodb-telephone"
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
            stored = _arrays(folder / LINEAR)
            head_trees = contents[HEAD_TREES].decode()
            predictor = Predictor(
                feature_names=manifest.feature_names,
                classes=manifest.classes,
                linear=_linear(stored),
                trees=Trees(contents[TREES].decode()),
                calibration=Calibration(calibration["temperature"]),
                head=DissatisfactionHead(
                    _linear(stored, HEAD),
                    Trees(head_trees) if head_trees else None,
                    BinaryCalibration(**calibration["dissatisfaction"]),
                ),
                outliers=_outliers(_arrays(folder / OUTLIERS)),
                shift=stored.get(SHIFT),
            )
        except (KeyError, TypeError, UnicodeDecodeError) as error:
            raise BundleError(f"{folder}: {error}") from error
        return cls(folder, manifest, predictor)

    @property
    def model_id(self) -> str:
        """Name and content digest, `cremad-emodb-telephone-3f2a91c0`."""
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

    def dissatisfaction(self, features: FloatArray, names: Sequence[str]) -> DoubleArray:
        """Calibrated probability that listeners perceive anger or frustration, shape (n,)."""
        return self.predictor.dissatisfaction(features, names)

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
    _write_arrays(folder, predictor)
    head = predictor.head
    (folder / TREES).write_text(predictor.trees.text, encoding="utf-8")
    (folder / HEAD_TREES).write_text(head.trees.text if head.trees else "", encoding="utf-8")
    calibration = {
        **predictor.calibration.as_dict(),
        "dissatisfaction": head.calibration.as_dict(),
    }
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


def _arrays(path: Path) -> dict[str, DoubleArray]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name].astype(np.float64) for name in stored}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BundleError(f"{path}: {error}") from error


def _linear(stored: Mapping[str, DoubleArray], prefix: str = "") -> LinearHead:
    return LinearHead(*(stored[f"{prefix}{field.name}"] for field in fields(LinearHead)))


def _outliers(stored: Mapping[str, DoubleArray]) -> Outliers:
    rest, limit = float(stored["rest"]), float(stored["limit"])
    return Outliers(stored["axes"], stored["centre"], stored["variance"], rest, limit)


def _write_arrays(folder: Path, predictor: Predictor) -> None:
    """The numbers of the linear heads and of the distance, in single precision."""
    arrays = {**vars(predictor.linear)}
    arrays |= {f"{HEAD}{name}": values for name, values in vars(predictor.head.linear).items()}
    if predictor.shift is not None:
        arrays[SHIFT] = predictor.shift
    for name, content in ((LINEAR, arrays), (OUTLIERS, vars(predictor.outliers))):
        single = {key: np.asarray(values, np.float32) for key, values in content.items()}
        np.savez(folder / name, **single)  # type: ignore[arg-type]


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
