"""Who says what the states of clean speech are: a large model, or the encoder itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from ser_batch.arrays import FloatArray
from ser_batch.config import nearest
from ser_batch.errors import UnknownFeatureSetError
from ser_batch.features.encoders.encoder import Encoder, make_encoder
from ser_batch.features.encoders.local import RATE_HZ as OWN_RATE_HZ
from ser_batch.features.encoders.local import LocalEncoder
from ser_batch.features.encoders.mel import levelled, log_mel
from ser_batch.features.encoders.sets import EMBEDDING_SETS
from ser_batch.features.encoders.weights import load
from ser_batch.lab.distill.material import RATE_HZ

DEFAULT_TEACHER = "whisper_base_l2_l3"
ITSELF = "self"


@dataclass(frozen=True)
class Teacher:
    """An encoder whose input is the clean clip.

    Attributes:
        name: feature set of its states, or `self`
        title: for people
        licence: SPDX identifier
        sha256: of its weights
        after_blocks: states that it gives
        sample_rate: Hz of its input
        n_mels: lowest bands that it reads; None: all
        arrays: of its weights, from which a student can be cut; None where it is the student
        encoder: on onnxruntime
    """

    name: str
    title: str
    licence: str
    sha256: str
    after_blocks: tuple[int, ...]
    sample_rate: int
    n_mels: int | None
    arrays: Mapping[str, NDArray[Any]] | None = field(repr=False)
    encoder: Encoder = field(repr=False)

    def states(self, clean: FloatArray) -> list[FloatArray]:
        """States of a clip at 16 kHz, one array a block."""
        received = clean
        if self.sample_rate != RATE_HZ:
            received = np.asarray(soxr.resample(clean, RATE_HZ, self.sample_rate), np.float32)
        spectrum = levelled(log_mel(received, self.sample_rate))
        return self.encoder.states(spectrum[:, : self.n_mels])

    def facts(self) -> dict[str, str]:
        """What a manifest says of it."""
        return {
            "name": self.name,
            "title": self.title,
            "licence": self.licence,
            "sha256": self.sha256,
        }


def large_teacher(name: str = DEFAULT_TEACHER) -> Teacher:
    """The teacher of a feature set of embeddings, in single precision.

    Raises:
        UnknownFeatureSetError: if there is none of this name
        MissingWeightsError: if its weights were not fetched
    """
    if name not in EMBEDDING_SETS:
        raise UnknownFeatureSetError(name, nearest(name, EMBEDDING_SETS))
    chosen = EMBEDDING_SETS[name]
    weights, arrays = chosen.weights, load(chosen.weights)
    encoder = make_encoder(
        arrays, n_heads=weights.n_heads, after_blocks=chosen.after_blocks, int8=False
    )
    return Teacher(
        name=name,
        title=weights.title,
        licence=weights.licence,
        sha256=weights.sha256,
        after_blocks=chosen.after_blocks,
        sample_rate=RATE_HZ,
        n_mels=None,
        arrays=arrays,
        encoder=encoder,
    )


def own_teacher(encoder: LocalEncoder) -> Teacher:
    """An encoder as its own teacher: what it says of the line as it is, it is to say of worse ones.

    Raises:
        EncoderError: if its file is not the one that was written
    """
    return Teacher(
        name=ITSELF,
        title=f"the encoder {encoder.name} itself",
        licence=str(encoder.manifest["teacher"]["licence"]),
        sha256=encoder.sha256,
        after_blocks=encoder.after_blocks,
        sample_rate=OWN_RATE_HZ,
        n_mels=encoder.n_mels,
        arrays=None,
        encoder=encoder.load(),
    )
