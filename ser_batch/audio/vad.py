"""Voice activity: the probability of speech in each 32 ms of each channel.

Silero's network (`silero.py`) behind an energy gate: the inside of long quiet intervals is not
run, and the network's memory stands still meanwhile. All channels go side by side.

The network loses shouted and quiet speech where a channel is quieter than what it was trained on,
and the longer it runs: each channel is brought to one level, and runs in overlapping windows that
begin without memory, of which the higher probability counts.
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

LEVEL_DB = -12.0
"""dB re full scale, to which the loud part of a channel is brought before the network."""
MAX_GAIN_DB = 20.0
"""dB; a channel is raised or lowered by no more: one without speech stays quiet."""
LOUD_SHARE = 0.05
"""Share of a channel's frames above the gate that is surely among its loud part."""
LOUD_RANGE_DB = 20.0
"""dB below those that frames may lie and still count."""
WINDOW_HOP_FRAMES = 250
"""Frames (8 s) from one window to the next; each window is twice as long."""


@dataclass(frozen=True)
class _Channel:
    """The frames of one signal that are run.

    Attributes:
        windows: context and frame, shape (n_frames, n_context + n_frame), a view of the signal
        active: numbers of the frames to run, shape (n_active,)
        gain: factor that brings the channel to `LEVEL_DB`
        probability: the result, shape (n_frames,)
    """

    windows: FloatArray
    active: IntArray
    gain: np.float32
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
        frames = windows[:, network.n_context :]
        power = np.einsum("ij,ij->i", frames, frames) / network.n_frame
        active = _active_frames(power, settings.gate_db)
        gain = level_gain(power, settings.gate_db)
        channels.append(_Channel(windows, active, gain, np.zeros(len(windows), np.float32)))
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


def level_gain(power: FloatArray, gate_db: float) -> np.float32:
    """Factor that brings the loud part of a channel to `LEVEL_DB`, within `MAX_GAIN_DB`.

    Args:
        power: mean square of each frame, shape (n_frames,)
        gate_db: level of frames that do not count, dB re full scale

    Returns:
        1 for a channel without a frame above the gate
    """
    sounding = power[power >= 10 ** (gate_db / 10)]
    if not len(sounding):
        return np.float32(1)
    loud = sounding >= np.quantile(sounding, 1 - LOUD_SHARE) * 10 ** (-LOUD_RANGE_DB / 10)
    level_db = 10 * np.log10(np.mean(sounding[loud], dtype=np.float64))
    gain_db = np.clip(LEVEL_DB - level_db, -MAX_GAIN_DB, MAX_GAIN_DB)
    return np.float32(10 ** (gain_db / 20))


def _active_frames(power: FloatArray, gate_db: float) -> IntArray:
    """Numbers of the frames that are run: all but the inside of long intervals below the gate."""
    active = np.ones(len(power), np.bool_)
    tail, lead, least = (round(seconds / FRAME_S) for seconds in (TAIL_S, LEAD_S, QUIET_S))
    for start, stop in runs(power < 10 ** (gate_db / 10)):
        if stop - start >= least:
            active[start + tail : stop - lead] = False
    return np.flatnonzero(active)


def _run(channels: list[_Channel], network: Silero) -> None:
    """Fill in the probabilities, the longest channel first so that the others fall away.

    Each channel is two sequences, whose memories are emptied in turns.
    """
    channels = sorted(channels, key=lambda channel: -len(channel.active))
    hidden, cell = np.zeros((2, len(channels), 2, N_HIDDEN), np.float32)
    first = 0
    while channels := [channel for channel in channels if len(channel.active) > first]:
        hidden, cell = hidden[: len(channels)], cell[: len(channels)]
        window, inside = divmod(first, WINDOW_HOP_FRAMES)
        if inside == 0:
            hidden[:, window % 2] = cell[:, window % 2] = 0
        n_steps = max(BLOCK_FRAMES // len(channels), 1)
        step = slice(first, min(first + n_steps, (window + 1) * WINDOW_HOP_FRAMES))
        frames = np.zeros(
            (step.stop - first, len(channels), network.n_context + network.n_frame), np.float32
        )
        for number, channel in enumerate(channels):
            active = channel.active[step]
            frames[: len(active), number] = channel.windows[active]
            frames[: len(active), number] *= channel.gain
        gates = network.encode(frames.reshape(-1, frames.shape[2])).reshape(*frames.shape[:2], -1)
        both = network.recur(
            gates.repeat(2, axis=1), hidden.reshape(-1, N_HIDDEN), cell.reshape(-1, N_HIDDEN)
        )
        probability = both.reshape(*frames.shape[:2], 2).max(axis=2)
        for number, channel in enumerate(channels):
            active = channel.active[step]
            channel.probability[active] = probability[: len(active), number]
        first = step.stop
