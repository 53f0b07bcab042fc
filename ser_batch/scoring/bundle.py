"""A model as a folder of text and numbers: checked whenever it is read."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from ser_batch.arrays import DoubleArray
from ser_batch.errors import BundleError
from ser_batch.features.sets import get_feature_set
from ser_batch.resources import ENCODERS, add_encoders, bundled_models
from ser_batch.scoring.calibration import BinaryCalibration, Calibration
from ser_batch.scoring.linear import LinearHead
from ser_batch.scoring.manifest import (
    ARRAYS,
    CALIBRATION,
    DIMENSION,
    FILES,
    HEAD,
    HEAD_TREES,
    LINEAR,
    OUTLIERS,
    SHIFT,
    TREES,
    Manifest,
    json_object,
    read_evaluation,
    read_manifest,
    sha256,
)
from ser_batch.scoring.outliers import Outliers
from ser_batch.scoring.predictor import DissatisfactionHead, Predictor, Trees
from ser_batch.store.content import read_bytes

BUNDLED = "cremad-emodb-telephone"


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
        if (encoders := folder.parent / ENCODERS).is_dir():
            add_encoders(encoders)
        contents = {name: _checked(folder, name, manifest) for name in FILES}
        feature_set = get_feature_set(manifest.feature_set)
        if feature_set.digest != manifest.feature_set_digest:
            raise BundleError(
                f"{folder}: made with another definition of {manifest.feature_set} "
                f"({manifest.feature_set_digest}, this program has {feature_set.digest})"
            )
        calibration = json_object(contents[CALIBRATION], folder / CALIBRATION)
        try:
            stored = _arrays(folder / LINEAR)
            kinds = dict(zip(feature_set.names, feature_set.kinds, strict=True))
            predictor = Predictor(
                feature_names=manifest.feature_names,
                kinds=tuple(kinds[name] for name in manifest.feature_names),
                classes=manifest.classes,
                linear=_linear(stored),
                trees=_trees(contents[TREES]),
                calibration=Calibration(calibration["temperature"]),
                head=DissatisfactionHead(
                    _linear(stored, HEAD),
                    _trees(contents[HEAD_TREES]),
                    BinaryCalibration(**calibration["dissatisfaction"]),
                ),
                outliers=_outliers(_arrays(folder / OUTLIERS)),
                shift=stored.get(SHIFT),
                dimension_head=_linear(stored, DIMENSION) if f"{DIMENSION}bias" in stored else None,
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
        return read_evaluation(self.folder)


def default_bundle_path() -> Path:
    """Folder of the model that comes with the program."""
    return bundled_models() / BUNDLED


def _checked(folder: Path, name: str, manifest: Manifest) -> bytes:
    try:
        content = read_bytes(folder / name)
    except OSError as error:
        raise BundleError(f"{folder}: {name} cannot be read") from error
    if sha256(content) != manifest.hashes.get(name):
        raise BundleError(f"{folder}: {name} was changed after the bundle was written")
    return content


def _arrays(path: Path) -> dict[str, DoubleArray]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name].astype(np.float64) for name in stored}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BundleError(f"{path}: {error}") from error


def _trees(content: bytes) -> Trees | None:
    return Trees(content.decode()) if content else None


def _linear(stored: Mapping[str, DoubleArray], prefix: str = "") -> LinearHead:
    names = (ARRAYS.get(field.name, field.name) for field in fields(LinearHead))
    return LinearHead(*(stored[f"{prefix}{name}"] for name in names))


def _outliers(stored: Mapping[str, DoubleArray]) -> Outliers:
    numbers = {
        name: float(stored[name]) for name in ("rest", "limit", "leading_limit") if name in stored
    }
    return Outliers(stored["axes"], stored["centre"], stored["variance"], **numbers)
