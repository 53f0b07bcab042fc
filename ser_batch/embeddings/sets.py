"""Named feature sets of a speech model's states, one row of numbers a segment."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.config import digest
from ser_batch.embeddings.encoder import Encoder, encoder_from
from ser_batch.embeddings.mel import FRAMES_PER_SECOND, log_mel
from ser_batch.embeddings.weights import WEIGHTS, Weights, load

DEFINITION = 1
"""Raised when the same weights would give other numbers."""

STATISTICS = ("mean", "std")
CHUNK_FRAMES = 1600
"""Log-mel frames that go through the encoder together: enough to keep the core busy."""


@dataclass(frozen=True)
class EmbeddingSet:
    """Mean and standard deviation of an encoder block's states over a segment's own frames.

    Attributes:
        name: `whisper_base_l2`: the weights and the block
        sample_rate: Hz of the signals it takes
        names: of the features, in the order of the columns
        digest: hash of the definition and of the weights
        weights: of the encoder
        n_blocks: blocks that are run
    """

    name: str
    sample_rate: int
    names: tuple[str, ...] = field(repr=False)
    digest: str
    weights: Weights = field(repr=False)
    n_blocks: int = field(repr=False)

    def require(self) -> None:
        """Make sure that segments can be described, before any work.

        Raises:
            MissingWeightsError: if the weights were not fetched
            WeightsError: if they are not the published ones
        """
        load(self.weights)

    def extract(self, signal: FloatArray, segments: DoubleArray) -> FloatArray:
        """Features of a channel's segments.

        Args:
            signal: mono samples in [-1, 1] at `sample_rate`, shape (n_samples,)
            segments: start and end in seconds, shape (n_segments, 2)

        Returns:
            shape (n_segments, len(names)), float32; a segment's row does not depend on others

        Raises:
            MissingWeightsError: if the weights were not fetched
        """
        edges = np.asarray(segments, np.float64).reshape(-1, 2)
        encoder = _encoder(self.weights, self.n_blocks)
        most_samples = encoder.most_frames * self.sample_rate // FRAMES_PER_SECOND
        spectra, owners = [], []
        for number, (start_s, end_s) in enumerate(edges):
            first, last = round(start_s * self.sample_rate), round(end_s * self.sample_rate)
            for part in _parts(signal[max(first, 0) : last], most_samples):
                spectra.append(log_mel(part, self.sample_rate))
                owners.append(number)
        rows = _Statistics(len(edges), len(self.names) // len(STATISTICS))
        for chunk in _chunks([len(frames) for frames in spectra]):
            states = encoder.states([spectra[i] for i in chunk])
            for i, own in zip(chunk, states, strict=True):
                rows.add(owners[i], own)
        return rows.values()


class _Statistics:
    """Mean and standard deviation of segments that arrive in parts."""

    def __init__(self, n_segments: int, width: int) -> None:
        self._count = np.zeros((n_segments, 1))
        self._sum = np.zeros((n_segments, width))
        self._power = np.zeros((n_segments, width))

    def add(self, segment: int, states: FloatArray) -> None:
        """Take in a part, shape (n_frames, width)."""
        double = states.astype(np.float64)
        self._count[segment] += len(double)
        self._sum[segment] += double.sum(axis=0)
        self._power[segment] += np.einsum("ij,ij->j", double, double)

    def values(self) -> FloatArray:
        """Shape (n_segments, 2 * width): means, then deviations."""
        mean = self._sum / self._count
        variance = np.maximum(self._power / self._count - mean**2, 0)
        return np.concatenate([mean, np.sqrt(variance)], axis=1).astype(np.float32)


def _parts(signal: FloatArray, most_samples: int) -> list[FloatArray]:
    """A segment in equal parts that have positions; nearly always itself."""
    return np.array_split(signal, max(math.ceil(len(signal) / most_samples), 1))


def _chunks(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Segments that go through the encoder together, about CHUNK_FRAMES in all."""
    chunk: list[int] = []
    total = 0
    for number, length in enumerate(lengths):
        if chunk and total + length > CHUNK_FRAMES:
            yield chunk
            chunk, total = [], 0
        chunk.append(number)
        total += length
    if chunk:
        yield chunk


@cache
def _encoder(weights: Weights, n_blocks: int) -> Encoder:
    return encoder_from(load(weights), weights.n_heads, n_blocks)


def embedding_set(weights: Weights, n_blocks: int, *, wide: bool) -> EmbeddingSet:
    """The set of the states after some blocks; `wide` takes 16 kHz instead of 8 kHz."""
    name = f"{weights.name}_l{n_blocks}" + ("_wide" if wide else "")
    sample_rate = 16000 if wide else 8000
    names = tuple(f"{what}_{i:04d}" for what in STATISTICS for i in range(weights.width))
    definition = [DEFINITION, name, sample_rate, names, weights.sha256, n_blocks, "float32"]
    return EmbeddingSet(name, sample_rate, names, digest(definition), weights, n_blocks)


EMBEDDING_SETS: dict[str, EmbeddingSet] = {
    entry.name: entry
    for weights in WEIGHTS.values()
    for n_blocks in range(1, weights.n_blocks + 1)
    for wide in (False, True)
    for entry in (embedding_set(weights, n_blocks, wide=wide),)
}
"""Every block that is kept, of every model, telephone band and wide band."""
