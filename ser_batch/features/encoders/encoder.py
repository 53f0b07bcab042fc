"""Whisper's encoder on onnxruntime, a segment at a time and as long as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ser_batch.arrays import FloatArray
from ser_batch.features.encoders.graph import POSITIONS, SPECTRUM, encoder_graph, state_name
from ser_batch.features.encoders.weights import Arrays


@dataclass(frozen=True)
class Encoder:
    """The convolutions and the first blocks.

    Attributes:
        session: of onnxruntime
        positions: shape (n_positions, width)
        outputs: states that it gives
    """

    session: Any
    positions: FloatArray
    outputs: tuple[str, ...]

    @property
    def most_frames(self) -> int:
        """Longest segment in log-mel frames: there are no more positions."""
        return 2 * len(self.positions)

    def states(self, spectrum: FloatArray) -> list[FloatArray]:
        """The states of a segment.

        One segment at a time keeps the core as busy as several, needs no padding, and in eight
        bits keeps the scale of one segment out of another's numbers.

        Args:
            spectrum: log-mel, shape (n_frames, 80), at most `most_frames`

        Returns:
            an array a wanted block, shape (ceil(n_frames / 2), width)
        """
        positions = self.positions[: (len(spectrum) + 1) // 2]
        feed = {SPECTRUM: spectrum, POSITIONS: positions}
        found: list[FloatArray] = self.session.run(self.outputs, feed)
        return found


def make_encoder(
    arrays: Arrays, *, n_heads: int, after_blocks: tuple[int, ...], int8: bool
) -> Encoder:
    """An encoder that gives the states after some of its blocks, on one thread.

    Args:
        arrays: as `weights.load` gives them
        n_heads: of the attention
        after_blocks: which states
        int8: matrices in eight bits instead of single precision
    """
    places = arrays["positions"].astype(np.float32)
    head_width = places.shape[1] // n_heads
    graph = encoder_graph(arrays, head_width=head_width, after_blocks=after_blocks, int8=int8)
    return encoder_of(graph, places, after_blocks)


def encoder_of(graph: bytes, places: FloatArray, after_blocks: tuple[int, ...]) -> Encoder:
    """The encoder of a graph that `encoder_graph` made.

    Args:
        graph: ONNX
        places: position of a state, as the encoder reads it, shape (n_positions, width)
        after_blocks: states that the graph gives and that are wanted
    """
    import onnxruntime  # noqa: PLC0415  (naming a feature set must not load it)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return Encoder(
        session=onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"]),
        positions=places,
        outputs=tuple(state_name(block) for block in after_blocks),
    )


def sinusoids(n_states: int, width: int) -> FloatArray:
    """Positions of states, as an encoder reads them, shape (n_states, width).

    Source: Vaswani et al. (2017), "Attention is all you need", as Radford et al. (2023) use it:
    sines first, then cosines, of wavelengths up to 10,000.
    """
    half = width // 2
    rates = np.exp(-np.log(10000.0) / (half - 1) * np.arange(half))
    angles = np.arange(n_states)[:, None] * rates
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)
