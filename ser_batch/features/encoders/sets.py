"""Named feature sets of a speech model's states, one row of numbers a segment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.config import digest
from ser_batch.features.encoders.encoder import Encoder, make_encoder
from ser_batch.features.encoders.mel import FRAMES_PER_SECOND, levelled, log_mel
from ser_batch.features.encoders.weights import WEIGHTS, Weights, load
from ser_batch.features.kinds import Feature, FeatureKind, Measure

DEFINITION = 1
"""Raised when the same weights would give other numbers."""

STATISTICS = ("mean", "std")


@dataclass(frozen=True)
class EmbeddingSet:
    """Mean and standard deviation of an encoder's states over a segment's own frames.

    Attributes:
        name: `whisper_base_l2`: the weights and the blocks
        sample_rate: Hz of the signals it takes
        names: of the features, in the order of the columns
        kinds: what they measure, in the same order
        digest: hash of the definition and of the weights
        weights: of the encoder
        after_blocks: the blocks whose states are described
        int8: whether matrices are in eight bits
    """

    name: str
    sample_rate: int
    names: tuple[str, ...] = field(repr=False)
    kinds: tuple[FeatureKind, ...] = field(repr=False)
    digest: str
    weights: Weights = field(repr=False)
    after_blocks: tuple[int, ...]
    int8: bool

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
            shape (n_segments, len(names)), float32; a segment's row depends on nothing around it,
            nor on its level

        Raises:
            MissingWeightsError: if the weights were not fetched
        """
        encoder = _encoder(self.weights, self.after_blocks, self.int8)
        return pooled_rows(signal, segments, self.sample_rate, encoder)


def pooled_rows(
    signal: FloatArray,
    segments: DoubleArray,
    sample_rate: int,
    encoder: Encoder,
    n_mels: int | None = None,
) -> FloatArray:
    """Mean and standard deviation of each segment's states, block after block.

    Args:
        signal: mono samples in [-1, 1], shape (n_samples,)
        segments: start and end in seconds, shape (n_segments, 2)
        sample_rate: Hz
        encoder: whose states
        n_mels: lowest bands that it reads; None: all

    Returns:
        shape (n_segments, 2 * n_blocks * width), float32
    """
    edges = np.asarray(segments, np.float64).reshape(-1, 2)
    width = encoder.positions.shape[1]
    rows = np.empty((len(edges), 2 * len(encoder.outputs) * width), np.float32)
    most_samples = encoder.most_frames * sample_rate // FRAMES_PER_SECOND
    for row, (start_s, end_s) in zip(rows, edges, strict=True):
        first, last = round(start_s * sample_rate), round(end_s * sample_rate)
        parts = [
            encoder.states(levelled(log_mel(part, sample_rate))[:, :n_mels])
            for part in _parts(signal[max(first, 0) : last], most_samples)
        ]
        states = [np.concatenate(of_block) for of_block in zip(*parts, strict=True)]
        row[:] = np.concatenate(
            [found for own in states for found in (own.mean(axis=0), own.std(axis=0))]
        )
    return rows


def state_features(after_blocks: Sequence[int], width: int) -> tuple[Feature, ...]:
    """The columns of `pooled_rows`."""
    prefixes = [f"l{block}_" for block in after_blocks] if len(after_blocks) > 1 else [""]
    return tuple(
        Feature(f"{prefix}{kind.statistic}_{number:04d}", kind)
        for prefix in prefixes
        for kind in (FeatureKind(Measure("state"), name) for name in STATISTICS)
        for number in range(width)
    )


def embedding_set(
    weights: Weights, after_blocks: Sequence[int], *, int8: bool = False, wide: bool = False
) -> EmbeddingSet:
    """The set of the states after some blocks.

    Args:
        weights: of the encoder
        after_blocks: which, counted from 1
        int8: matrices in eight bits: over twice as fast, states within a few percent
        wide: take 16 kHz instead of 8 kHz
    """
    blocks = [f"l{block}" for block in after_blocks]
    name = "_".join(
        [weights.name, *blocks, *(["int8"] if int8 else []), *(["wide"] if wide else [])]
    )
    sample_rate = 16000 if wide else 8000
    names, kinds = zip(*state_features(after_blocks, weights.width), strict=True)
    definition = [DEFINITION, name, sample_rate, names, weights.sha256]
    return EmbeddingSet(
        name, sample_rate, names, kinds, digest(definition), weights, tuple(after_blocks), int8
    )


def _parts(signal: FloatArray, most_samples: int) -> list[FloatArray]:
    """A segment in equal parts that have positions; nearly always itself."""
    return np.array_split(signal, max(math.ceil(len(signal) / most_samples), 1))


@cache
def _encoder(weights: Weights, after_blocks: tuple[int, ...], int8: bool) -> Encoder:
    return make_encoder(
        load(weights), n_heads=weights.n_heads, after_blocks=after_blocks, int8=int8
    )


AFTER_BLOCKS = ((1,), (2,), (3,), (4,), (2, 3))
"""The states that are described: the middle ones carry emotion, the last ones words."""

EMBEDDING_SETS: dict[str, EmbeddingSet] = {
    entry.name: entry
    for weights in WEIGHTS.values()
    for after_blocks in AFTER_BLOCKS
    for int8, wide in ((False, False), (True, False), (False, True))
    for entry in (embedding_set(weights, after_blocks, int8=int8, wide=wide),)
}
"""Each in single precision, in eight bits, and for wide band, by name."""

RECOMMENDED = "whisper_base_l2_l3_int8"
"""The set that the bundled model of embeddings reads."""
