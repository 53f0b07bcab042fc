"""Voice activity: the probability of speech in each 32 ms of each channel.

Silero's network (`silero.py`) behind an energy gate: the inside of long quiet intervals is not
run, and the network's memory stands still meanwhile. All channels go side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from ser_batch.arrays import FloatArray, IntArray
from ser_batch.audio.intervals import runs
from ser_batch.audio.silero import N_HIDDEN, Silero, silero
from ser_batch.config import VadSettings

FRAME_S = 0.032
"""s; one probability each."""

TAIL_S = 0.512
"""s; frames after speech that the network still reads, so that it detects the end."""
LEAD_S = 0.256
"""s; frames before the next sound that the network reads first, as context."""
QUIET_S = 1.0
"""s; shorter quiet is run as a whole."""
BLOCK_FRAMES = 512
"""Frames encoded at a time: their intermediate results fit the processor's cache."""


@dataclass(frozen=True)
class _Channel:
    """The frames of one signal that are run.

    Attributes:
        windows: context and frame, shape (n_frames, n_context + n_frame), a view of the signal
        active: numbers of the frames to run, shape (n_active,)
        probability: the result, shape (n_frames,)
    """

    windows: FloatArray
    active: IntArray
    probability: FloatArray


def speech_probability(
    signals: Sequence[FloatArray], sample_rate: int, settings: VadSettings
) -> list[FloatArray]:
    """Probability of speech in each frame of each signal.

    Args:
        signals: mono samples in [-1, 1], each (n_samples,), of any lengths
        sample_rate: Hz, 8000 or 16000
        settings: level of the energy gate

    Returns:
        for each signal, shape (ceil(n_samples / frame),), 0..1; 0 where the gate kept it unheard
    """
    network = silero(cast(Literal[8000, 16000], sample_rate))
    channels = []
    for signal in signals:
        windows = _windows(signal, network)
        active = _active_frames(windows[:, network.n_context :], settings.gate_db)
        channels.append(_Channel(windows, active, np.zeros(len(windows), np.float32)))
    _run(channels, network)
    return [channel.probability for channel in channels]


def _windows(signal: FloatArray, network: Silero) -> FloatArray:
    """Each frame with its context, the signal's ends padded with zeros: a view of one copy."""
    n_frames = -(-len(signal) // network.n_frame)
    n_window = network.n_context + network.n_frame
    padded = np.zeros(network.n_context + n_frames * network.n_frame, np.float32)
    padded[network.n_context : network.n_context + len(signal)] = signal
    if n_frames == 0:
        return np.empty((0, n_window), np.float32)
    return np.lib.stride_tricks.sliding_window_view(padded, n_window)[:: network.n_frame]


def _active_frames(frames: FloatArray, gate_db: float) -> IntArray:
    """Numbers of the frames that are run: all but the inside of long intervals below the gate."""
    power = np.einsum("ij,ij->i", frames, frames) / frames.shape[1]
    active = np.ones(len(frames), np.bool_)
    tail, lead, least = (round(seconds / FRAME_S) for seconds in (TAIL_S, LEAD_S, QUIET_S))
    for start, stop in runs(power < 10 ** (gate_db / 10)):
        if stop - start >= least:
            active[start + tail : stop - lead] = False
    return np.flatnonzero(active)


def _run(channels: list[_Channel], network: Silero) -> None:
    """Fill in the probabilities, the longest channel first so that the others fall away."""
    channels = sorted(channels, key=lambda channel: -len(channel.active))
    hidden, cell = np.zeros((2, len(channels), N_HIDDEN), np.float32)
    first = 0
    while channels := [channel for channel in channels if len(channel.active) > first]:
        hidden, cell = hidden[: len(channels)], cell[: len(channels)]
        step = slice(first, first + max(BLOCK_FRAMES // len(channels), 1))
        frames = np.zeros(
            (step.stop - first, len(channels), network.n_context + network.n_frame), np.float32
        )
        for number, channel in enumerate(channels):
            active = channel.active[step]
            frames[: len(active), number] = channel.windows[active]
        gates = network.encode(frames.reshape(-1, frames.shape[2]))
        probability = network.recur(gates.reshape(*frames.shape[:2], -1), hidden, cell)
        for number, channel in enumerate(channels):
            active = channel.active[step]
            channel.probability[active] = probability[: len(active), number]
        first = step.stop
