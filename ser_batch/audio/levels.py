"""How loud, how noisy and how clipped a channel and its segments are.

Everything is measured on frames of 10 ms and summed over any interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray

LEVEL_FRAME_S = 0.01
"""s; one power each."""

LEAST_DB = -96.0
"""dB re full scale; digital silence counts as the step of 16 bits."""
SNR_RANGE_DB = (-20.0, 70.0)
"""dB; where speech and noise are too far apart to be measured exactly."""


@dataclass(frozen=True)
class ChannelLevel:
    """Loudness of one channel.

    Attributes:
        level_db: mean power of the speech, dB re full scale; NaN without speech
        noise_db: median power of what is neither speech nor tone nor music, dB re full scale
        snr_db: power of the speech less the noise, over the noise, dB; NaN without speech
    """

    level_db: float
    noise_db: float
    snr_db: float


def decibel(power: ArrayLike) -> FloatArray:
    """Power as dB re full scale, not below `LEAST_DB`."""
    least = 10 ** (LEAST_DB / 10)
    return np.asarray(10 * np.log10(np.maximum(power, least)), np.float32)


def frame_power(signal: FloatArray, sample_rate: int) -> FloatArray:
    """Mean square of each 10 ms.

    Args:
        signal: mono samples, shape (n_samples,)
        sample_rate: Hz

    Returns:
        shape (ceil(n_samples / frame),); the last frame is averaged over what it has
    """
    n_frame = round(sample_rate * LEVEL_FRAME_S)
    n_whole = len(signal) // n_frame
    frames = signal[: n_whole * n_frame].reshape(n_whole, n_frame)
    power = np.einsum("ij,ij->i", frames, frames) / n_frame
    rest = signal[n_whole * n_frame :]
    if len(rest):
        power = np.append(power, np.mean(np.square(rest)))
    return np.asarray(power, np.float32)


def sums(values: ArrayLike, intervals: DoubleArray) -> DoubleArray:
    """Sum of frame values over intervals of time.

    Args:
        values: one a 10 ms frame, shape (n_frames,)
        intervals: start and end in seconds, shape (n, 2)

    Returns:
        shape (n,)
    """
    running = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    edges = np.clip(np.rint(intervals / LEVEL_FRAME_S).astype(np.int64), 0, len(running) - 1)
    return np.asarray(running[edges[:, 1]] - running[edges[:, 0]], np.float64)


def channel_level(power: FloatArray, speech: BoolArray, quiet: BoolArray) -> ChannelLevel:
    """Level, noise floor and signal-to-noise ratio of a channel.

    Args:
        power: of each 10 ms frame, shape (n_frames,)
        speech: which frames are speech, same shape
        quiet: which are noise only, same shape; without any the quietest tenth is the noise
    """
    between = power[quiet]
    noise = np.median(between) if len(between) else np.quantile(power, 0.1)
    noise_db = float(decibel(noise))
    if not speech.any():
        return ChannelLevel(level_db=float("nan"), noise_db=noise_db, snr_db=float("nan"))
    level = np.mean(power[speech], dtype=np.float64)
    return ChannelLevel(
        level_db=float(decibel(level)), noise_db=noise_db, snr_db=float(snr_db(level, noise_db))
    )


def snr_db(power: ArrayLike, noise_db: float) -> FloatArray:
    """Signal-to-noise ratio of noisy speech.

    Args:
        power: of speech and noise together, any shape
        noise_db: noise floor, dB re full scale

    Returns:
        dB, within `SNR_RANGE_DB`
    """
    noise = 10 ** (noise_db / 10)
    least, most = (10 ** (limit / 10) for limit in SNR_RANGE_DB)
    ratio = np.clip((np.asarray(power, np.float64) - noise) / noise, least, most)
    return np.asarray(10 * np.log10(ratio), np.float32)


def clipped_samples(signal: FloatArray) -> BoolArray:
    """Which samples were cut off at a ceiling, wherever the ceiling lies.

    Speech thins out towards its peak. Where it was clipped, more samples lie in the last hundredth
    below the peak than in the nine before; then that hundredth is the ceiling. Loud speech in
    mu-law, whose highest steps are 3 % apart, does not pass for clipped that way.

    Args:
        signal: mono samples, shape (n_samples,)

    Returns:
        shape (n_samples,)
    """
    clipped = np.zeros(len(signal), np.bool_)
    for peak, above in ((signal.max(initial=0), np.greater), (signal.min(initial=0), np.less)):
        if abs(peak) < 0.01:
            continue
        at_peak = above(signal, 0.99 * peak)
        n_peak = np.count_nonzero(at_peak)
        if n_peak > np.count_nonzero(above(signal, 0.9 * peak)) - n_peak:
            clipped |= at_peak
    return clipped


def per_frame(samples: BoolArray, sample_rate: int, n_frames: int) -> FloatArray:
    """How many samples of each 10 ms frame are marked.

    Args:
        samples: shape (n_samples,), at any rate
        sample_rate: Hz
        n_frames: length of the result
    """
    frame = np.flatnonzero(samples) // (sample_rate * LEVEL_FRAME_S)
    counts = np.bincount(np.minimum(frame.astype(np.int64), n_frames - 1), minlength=n_frames)
    return counts.astype(np.float32)
