"""The first blocks of Whisper's encoder in numpy, over segments as long as they are.

Frames of all segments lie one after the other in one matrix, so that nothing is padded: only the
convolutions and the attention look at where a segment begins and ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ser_batch.arrays import FloatArray, IntArray

KERNEL = 3
EPSILON = 1e-5
GELU_BLOCK = 1 << 15
"""Values that are worked on at once: what fits the core's own cache."""


@dataclass(frozen=True)
class Block:
    """One transformer block; matrices are (inputs, outputs).

    Attributes:
        attention_norm, feed_norm: gain and offset, shape (2, width)
        query_key_value, mix, widen, narrow: matrix and offset
    """

    attention_norm: FloatArray
    query_key_value: tuple[FloatArray, FloatArray]
    mix: tuple[FloatArray, FloatArray]
    feed_norm: FloatArray
    widen: tuple[FloatArray, FloatArray]
    narrow: tuple[FloatArray, FloatArray]


@dataclass(frozen=True)
class Encoder:
    """Convolutions, positions and some transformer blocks.

    Attributes:
        n_heads: of the attention
        convolutions: matrix of shape (3 * inputs, outputs) and offset; the second halves the rate
        positions: shape (n_positions, width)
        blocks: the first ones
    """

    n_heads: int
    convolutions: tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
    positions: FloatArray
    blocks: tuple[Block, ...]

    @property
    def most_frames(self) -> int:
        """Longest segment in log-mel frames: there are no more positions."""
        return 2 * len(self.positions)

    def states(self, spectra: Sequence[FloatArray]) -> list[FloatArray]:
        """The last block's output for each segment.

        Args:
            spectra: log-mel of each segment, shape (n_frames, 80), at most `most_frames`

        Returns:
            a matrix a segment, shape (ceil(n_frames / 2), width); other segments do not matter
        """
        bounds = _bounds([len(frames) for frames in spectra])
        hidden, bounds = _convolved(np.concatenate(spectra), bounds, self.convolutions[0], stride=1)
        hidden, bounds = _convolved(hidden, bounds, self.convolutions[1], stride=2)
        for start, end in pairwise(bounds):
            hidden[start:end] += self.positions[: end - start]
        for block in self.blocks:
            hidden += self._attended(_normalised(hidden, block.attention_norm), bounds, block)
            fed = _linear(_normalised(hidden, block.feed_norm), block.widen)
            gelu(fed)
            hidden += _linear(fed, block.narrow)
        return [hidden[start:end] for start, end in pairwise(bounds)]

    def _attended(self, hidden: FloatArray, bounds: IntArray, block: Block) -> FloatArray:
        """Multi-head attention inside each segment."""
        n_frames, width = hidden.shape
        shape = (n_frames, 3, self.n_heads, width // self.n_heads)
        joined = _linear(hidden, block.query_key_value).reshape(shape)
        joined[:, 0] *= np.float32(shape[-1] ** -0.5)
        mixed = np.empty((n_frames, self.n_heads, shape[-1]), np.float32)
        for start, end in pairwise(bounds):
            query, key, value = joined[start:end].transpose(1, 2, 0, 3)
            weights = query @ key.transpose(0, 2, 1)
            weights -= weights.max(axis=-1, keepdims=True)
            np.exp(weights, out=weights)
            attended = weights @ value
            attended /= weights.sum(axis=-1, keepdims=True)
            mixed[start:end] = attended.transpose(1, 0, 2)
        return _linear(mixed.reshape(n_frames, width), block.mix)


def encoder_from(arrays: Mapping[str, FloatArray], n_heads: int, n_blocks: int) -> Encoder:
    """An encoder from arrays under the names of `weights.py`, matrices as (outputs, inputs)."""

    def linear(name: str) -> tuple[FloatArray, FloatArray]:
        matrix = arrays[f"{name}.weight"].astype(np.float32)
        return np.ascontiguousarray(matrix.T), arrays[f"{name}.bias"].astype(np.float32)

    def convolution(name: str) -> tuple[FloatArray, FloatArray]:
        kernel = arrays[f"{name}.weight"].astype(np.float32).transpose(2, 1, 0)
        flat = np.ascontiguousarray(kernel.reshape(-1, kernel.shape[-1]))
        return flat, arrays[f"{name}.bias"].astype(np.float32)

    def norm(name: str) -> FloatArray:
        both = [arrays[f"{name}.weight"], arrays[f"{name}.bias"]]
        return np.stack(both).astype(np.float32)

    def block(at: str) -> Block:
        return Block(
            attention_norm=norm(f"{at}.attention_norm"),
            query_key_value=linear(f"{at}.query_key_value"),
            mix=linear(f"{at}.mix"),
            feed_norm=norm(f"{at}.feed_norm"),
            widen=linear(f"{at}.widen"),
            narrow=linear(f"{at}.narrow"),
        )

    return Encoder(
        n_heads=n_heads,
        convolutions=(convolution("conv1"), convolution("conv2")),
        positions=arrays["positions"].astype(np.float32),
        blocks=tuple(block(f"blocks.{number}") for number in range(n_blocks)),
    )


def gelu(values: FloatArray) -> None:
    """Gaussian error linear unit, in place; contiguous values.

    Source: Abramowitz and Stegun (1964), 7.1.26, for the error function: off by at most 1.5e-7.
    """
    flat = values.reshape(-1)
    for start in range(0, len(flat), GELU_BLOCK):
        part = flat[start : start + GELU_BLOCK]
        size = np.abs(part)
        t = 1 / (1 + np.float32(0.3275911 / np.sqrt(2)) * size)
        tail = np.float32(1.061405429) * t
        for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
            tail += np.float32(coefficient)
            tail *= t
        tail *= np.exp(np.float32(-0.5) * size * size)  # the complementary error function
        tail *= np.float32(0.5) * size
        np.maximum(part, 0, out=part)
        part -= tail


def _linear(hidden: FloatArray, layer: tuple[FloatArray, FloatArray]) -> FloatArray:
    matrix, offset = layer
    result: FloatArray = hidden @ matrix
    result += offset
    return result


def _normalised(hidden: FloatArray, norm: FloatArray) -> FloatArray:
    """Layer normalisation of each frame."""
    centred = hidden - hidden.mean(axis=1, keepdims=True)
    power = np.einsum("ij,ij->i", centred, centred) / np.float32(hidden.shape[1])
    centred /= np.sqrt(power + np.float32(EPSILON))[:, None]
    centred *= norm[0]
    centred += norm[1]
    return np.asarray(centred, np.float32)


def _convolved(
    frames: FloatArray, bounds: IntArray, layer: tuple[FloatArray, FloatArray], *, stride: int
) -> tuple[FloatArray, IntArray]:
    """A convolution over three frames and its activation; silence lies around each segment."""
    lengths = np.diff(bounds)
    first = bounds[:-1] + np.arange(len(lengths))  # a row of zeros stands before each segment
    padded = np.zeros((len(frames) + len(lengths) + 1, frames.shape[1]), np.float32)
    padded[np.arange(len(frames)) + np.repeat(np.arange(1, len(lengths) + 1), lengths)] = frames
    kept = (lengths + stride - 1) // stride
    ends = _bounds(kept)
    within = np.arange(ends[-1]) - np.repeat(ends[:-1], kept)
    centres = np.repeat(first, kept) + stride * within
    windows = padded[centres[:, None] + np.arange(KERNEL)].reshape(len(centres), -1)
    result = _linear(windows, layer)
    gelu(result)
    return result, ends


def _bounds(lengths: Sequence[int] | IntArray) -> IntArray:
    """Where each segment begins in the matrix, and its end: shape (n_segments + 1,)."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
