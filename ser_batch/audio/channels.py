"""The channels of a recording before anybody is known to speak, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ser_batch.arrays import FloatArray
from ser_batch.audio.decode import Audio, at_rate
from ser_batch.audio.levels import (
    LEAST_DB,
    LEVEL_FRAME_S,
    clipped_samples,
    decibel,
    frame_power,
    per_frame,
)
from ser_batch.config import AudioSettings, LineSettings

DUAL_MONO_WITHIN_DB = 6.0
"""dB; channels of one signal whose levels lie further apart are one side and its echo."""
DEAD_SHARE = 0.01
"""Share of a dead channel that may be louder: clicks."""


@dataclass(frozen=True)
class Line:
    """One channel.

    Attributes:
        signal: at the analysis rate, without DC, shape (n_samples,)
        sample_rate: the analysis rate, Hz
        power: one a 10 ms frame, shape (n_frames,)
        clipped: clipped share of each 10 ms frame, shape (n_frames,)
        dc_offset: mean of the samples before it was taken off, -1..1
        recorded: samples as they were recorded
        recorded_rate: Hz
    """

    signal: FloatArray
    sample_rate: int
    power: FloatArray
    clipped: FloatArray
    dc_offset: float
    recorded: FloatArray
    recorded_rate: int


def lines(audio: Audio, settings: AudioSettings) -> list[Line]:
    """The channels of a recording at the analysis rate; one if both carry the same signal."""
    resampled = at_rate(audio, settings.analysis_rate_hz)
    dual_mono = is_dual_mono(resampled.samples, settings.dual_mono_correlation)
    return [
        _line(audio.samples[number], audio.sample_rate, resampled.samples[number], resampled)
        for number in range(1 if dual_mono else len(audio.samples))
    ]


def is_dual_mono(samples: FloatArray, least_correlation: float) -> bool:
    """Whether two channels carry one signal at about one level.

    Args:
        samples: shape (n_channels, n_samples)
        least_correlation: 0..1
    """
    if len(samples) != 2:
        return False
    first, second = samples - samples.mean(axis=1, keepdims=True)
    powers = np.array([np.dot(first, first), np.dot(second, second)], np.float64)
    levels_db = decibel(powers / samples.shape[1])
    if levels_db.min() <= LEAST_DB or abs(levels_db[0] - levels_db[1]) > DUAL_MONO_WITHIN_DB:
        return False
    return bool(np.dot(first, second) >= least_correlation * np.sqrt(powers.prod()))


def is_dead(line: Line, settings: LineSettings) -> bool:
    """Whether a channel carries nothing but clicks."""
    return bool(np.mean(decibel(line.power) > settings.dead_db) <= DEAD_SHARE)


def _line(recorded: FloatArray, recorded_rate: int, raw: FloatArray, resampled: Audio) -> Line:
    """One channel, from its samples as recorded and at the analysis rate."""
    offset = float(raw.mean(dtype=np.float64))
    signal = raw - np.float32(offset)
    power = frame_power(signal, resampled.sample_rate)
    # Before resampling, which rounds off what was cut.
    counts = per_frame(clipped_samples(recorded), recorded_rate, len(power))
    return Line(
        signal=signal,
        sample_rate=resampled.sample_rate,
        power=power,
        clipped=counts / np.float32(recorded_rate * LEVEL_FRAME_S),
        dc_offset=offset,
        recorded=recorded,
        recorded_rate=recorded_rate,
    )
