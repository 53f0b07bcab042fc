"""Encoders of our own: a folder with the ONNX file, what is said of it, and its feature set.

The ones that come along lie beside the bundled models; adapted ones lie under a root
(`resources.add_encoders`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.config import digest
from ser_batch.errors import EncoderError
from ser_batch.features.encoders.encoder import Encoder, encoder_of, sinusoids
from ser_batch.features.encoders.sets import pooled_rows, state_features
from ser_batch.features.kinds import FeatureKind
from ser_batch.resources import encoder_folders

FORMAT, NETWORK_FORMAT = 1, 2
"""Of an encoder's manifest: its blocks' states are read, or what a network ends in."""

DEFINITION = 1
"""Raised when the same encoder would give other numbers."""

RATE_HZ = 8000
HEAD_WIDTH = 64
N_POSITIONS = 1500
"""Half a minute; longer segments are described in parts."""

ENCODER_FILE, MANIFEST_FILE, CARD_FILE = "encoder.onnx", "encoder.json", "CARD.md"
DEFAULT_ENCODER = "encoder_v2"


@dataclass(frozen=True)
class LocalEncoder:
    """What is said of an encoder; its network is read when it is needed.

    Attributes:
        folder: where its files lie; its name is the encoder's
        sha256: of the ONNX file
        n_mels: lowest bands of the log-mel spectrum that it reads
        width: of its states
        after_blocks: the blocks whose states it gives
        manifest: everything that is said of it
    """

    folder: Path
    sha256: str
    n_mels: int
    width: int
    after_blocks: tuple[int, ...]
    manifest: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """Of the encoder and of its feature set."""
        return self.folder.name

    def graph(self) -> bytes:
        """The ONNX file.

        Raises:
            EncoderError: if it is not the one that was written
        """
        return checked_graph(self.folder, self.sha256)

    def load(self) -> Encoder:
        """The encoder on onnxruntime.

        Raises:
            EncoderError: if its file is not the one that was written
        """
        return encoder_of(self.graph(), sinusoids(N_POSITIONS, self.width), self.after_blocks)


@dataclass(frozen=True)
class LocalEncoderFeatureSet:
    """Mean and standard deviation of our encoder's states over a segment's own frames.

    Attributes:
        name: the encoder's
        sample_rate: Hz of the signals it takes
        names: of the features, in the order of the columns
        kinds: what they measure, in the same order
        digest: hash of the definition and of the encoder
        encoder: whose states they are
    """

    name: str
    sample_rate: int
    names: tuple[str, ...] = field(repr=False)
    kinds: tuple[FeatureKind, ...] = field(repr=False)
    digest: str
    encoder: LocalEncoder = field(repr=False)

    def require(self) -> None:
        """Make sure that segments can be described, before any work.

        Raises:
            EncoderError: if the encoder's file is not the one that was written
        """
        self.encoder.graph()

    def extract(self, signal: FloatArray, segments: DoubleArray) -> FloatArray:
        """Features of a channel's segments.

        Args:
            signal: mono samples in [-1, 1] at `sample_rate`, shape (n_samples,)
            segments: start and end in seconds, shape (n_segments, 2)

        Returns:
            shape (n_segments, len(names)), float32; a segment's row depends on nothing around it,
            nor on its level

        Raises:
            EncoderError: if the encoder's file is not the one that was written
        """
        loaded = _loaded(self.encoder.folder, self.encoder.sha256)
        return pooled_rows(signal, segments, self.sample_rate, loaded, self.encoder.n_mels)


@cache
def _loaded(folder: Path, _sha256: str) -> Encoder:
    return read_encoder(folder).load()


def checked_graph(folder: Path, sha256: str) -> bytes:
    """The ONNX file of an encoder.

    Raises:
        EncoderError: if it is not the one that was written
    """
    path = folder / ENCODER_FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EncoderError(f"{path} cannot be read: {error}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise EncoderError(
            f"{path} is not the file that was written: its SHA-256 is {found[:12]}…, "
            f"{MANIFEST_FILE} says {sha256[:12]}…"
        )
    return content


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """What is said of the encoder or network in a folder.

    Raises:
        EncoderError: if there is none, or its format is another
    """
    path = folder / MANIFEST_FILE
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["format"] not in (FORMAT, NETWORK_FORMAT):
            raise EncoderError(
                f"{path} has format {manifest['format']}, this program reads {NETWORK_FORMAT}"
            )
    except OSError as error:
        raise EncoderError(f"there is no encoder in {folder}: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise EncoderError(f"{path} cannot be read: {error!r}") from error
    found: Mapping[str, Any] = manifest
    return found


def read_encoder(folder: Path) -> LocalEncoder:
    """What is said of the encoder in a folder.

    Raises:
        EncoderError: if there is none, or its format is another
    """
    manifest = read_manifest(folder)
    if manifest["format"] != FORMAT:
        raise EncoderError(f"{folder} holds a network with its own head: it is no encoder to adapt")
    try:
        return LocalEncoder(
            folder=folder,
            sha256=str(manifest["sha256"]),
            n_mels=int(manifest["n_mels"]),
            width=int(manifest["width"]),
            after_blocks=tuple(int(block) for block in manifest["after_blocks"]),
            manifest=manifest,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise EncoderError(f"{folder / MANIFEST_FILE} cannot be read: {error!r}") from error


def encoder_folder(name: str) -> Path | None:
    """Where an encoder of this name lies; None if there is none."""
    places = (place / name for place in encoder_folders())
    return next((place for place in places if (place / MANIFEST_FILE).is_file()), None)


def find_encoder(name: str) -> LocalEncoder:
    """The encoder of a name.

    Raises:
        EncoderError: if there is none, or it cannot be read
    """
    folder = encoder_folder(name)
    if folder is None:
        raise EncoderError(f"there is no encoder {name!r}")
    return read_encoder(folder)


def own_set(name: str) -> LocalEncoderFeatureSet | None:
    """The feature set of an encoder's states; None if there is none of this name.

    Raises:
        EncoderError: if there is one that cannot be read
    """
    folder = encoder_folder(name)
    if folder is None or read_manifest(folder)["format"] != FORMAT:
        return None
    encoder = read_encoder(folder)
    names, kinds = zip(*state_features(encoder.after_blocks, encoder.width), strict=True)
    definition = [DEFINITION, RATE_HZ, names, encoder.sha256]
    return LocalEncoderFeatureSet(name, RATE_HZ, names, kinds, digest(definition), encoder)


def exposed_corpora(feature_set: str) -> frozenset[str]:
    """Sources of the audio that a feature set's encoders were trained on, without labels.

    The audio of the encoders that they began as counts.

    Figures on a corpus among them are of voices that the encoder knows.

    Args:
        feature_set: its name; of `A+B` both parts count

    Raises:
        EncoderError: if an encoder cannot be read
    """
    return frozenset(
        entry["source"]
        for manifest in _manifests(feature_set)
        for part in ("material", "inherited_material")
        for entry in manifest.get(part, ())
    )


def voted_corpora(feature_set: str) -> frozenset[str]:
    """Corpora whose labels a feature set's encoders were trained on.

    Figures on a corpus among them are too high, also where the model's own speakers are disjoint.

    Args:
        feature_set: its name; of `A+B` both parts count

    Raises:
        EncoderError: if an encoder cannot be read
    """
    return frozenset(
        name for manifest in _manifests(feature_set) for name in manifest.get("votes", ())
    )


def _manifests(feature_set: str) -> list[Mapping[str, Any]]:
    """What is said of each encoder of a feature set."""
    folders = [encoder_folder(part) for part in feature_set.split("+")]
    return [read_manifest(folder) for folder in folders if folder is not None]
