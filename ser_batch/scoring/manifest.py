"""What a bundle says of itself: its files' names, its manifest, and how that is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ser_batch.emotions import EMOTIONS
from ser_batch.errors import BundleError
from ser_batch.store.content import read_bytes, read_text

FORMAT_VERSION = 2
MANIFEST = "bundle.json"
TREES, HEAD_TREES = "trees.txt", "dissatisfaction_trees.txt"
LINEAR, OUTLIERS = "linear.npz", "outliers.npz"
HEAD = "dissatisfaction_"
"""Before the name of an array in `linear.npz`: it is the dissatisfaction head's."""
DIMENSION = "dimension_"
"""Before an array's name: it is of the head for arousal and valence, which few models have."""
SHIFT = "shift"
ARRAYS = {"feature_weights": "emphasis"}
"""Arrays of a linear head whose name in `linear.npz`, which is hashed, is an older one."""
CALIBRATION = "calibration.json"
EVALUATION = "evaluation.json"
CARD = "CARD.md"
MODEL_FILES = (TREES, HEAD_TREES, LINEAR, OUTLIERS, CALIBRATION)
"""What the predictions depend on: these make the model's id."""
FILES = (*MODEL_FILES, EVALUATION, CARD)

FITTED_TO = "fitted_to"
"""In an evaluation: the recordings that a model was aligned or calibrated to after its training."""


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


def read_manifest(folder: Path) -> Manifest:
    """What a bundle says of itself; its other files are not opened.

    Raises:
        BundleError: if there is no manifest, or one that this program cannot read
    """
    path = folder / MANIFEST
    try:
        stored = json_object(read_bytes(path), path)
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


def read_evaluation(folder: Path) -> dict[str, Any]:
    """The figures of a bundle's evaluation.

    Raises:
        BundleError: if they cannot be read
    """
    path = folder / EVALUATION
    try:
        return json_object(read_bytes(path), path)
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from error


def read_card(folder: Path) -> str:
    """A bundle's model card, Markdown.

    Raises:
        BundleError: if it cannot be read
    """
    try:
        return read_text(folder / CARD)
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{folder / CARD} cannot be read: {error}") from error


def json_object(content: bytes, path: Path) -> dict[str, Any]:
    """A file's JSON object.

    Raises:
        BundleError: if it holds none
    """
    try:
        stored = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is not JSON: {error}") from error
    if not isinstance(stored, dict):
        raise BundleError(f"{path} holds no object")
    return stored


def sha256(content: bytes) -> str:
    """Hex digest of a file, as the manifest holds it."""
    return hashlib.sha256(content).hexdigest()
