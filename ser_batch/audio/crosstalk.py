"""Crosstalk: one side's voice, quieter, on the other side's channel.

The other channel then holds speech that nobody there spoke. Crosstalk, its delay and its level are
measured where only one side speaks; sound no louder than they predict is crosstalk, not a voice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray
from ser_batch.audio.intervals import from_mask, merge_gaps, min_duration
from ser_batch.audio.levels import LEVEL_FRAME_S
from ser_batch.config import LineSettings

QUIETER_DB = 6.0
"""dB by which the side channel must be quieter for a moment to count as crosstalk or noise only."""
BLOCK_S = 0.5
"""s; correlated at a time."""
MOST_LAG_S = 0.3
"""s; echo that comes later is not looked for."""
LEAST_S = 5.0
"""s; with less to measure on, no crosstalk is reported."""
MOST_BLOCKS = 400
"""Blocks are thinned out to this many: enough for any call."""
MARGIN_DB = 6.0
"""dB over the prediction that still are crosstalk."""
CLOSED_S, CROSSTALK_S = 0.06, 0.25
"""s; gap that does not end an interval of crosstalk, and the shortest interval."""


@dataclass(frozen=True)
class Crosstalk:
    """How one channel leaks into the other.

    Attributes:
        gain_db: level of the crosstalk over that of the voice itself, dB
        lag_s: by which it comes later, negative if earlier, s
        correlation: of the two, 0..1
    """

    gain_db: float
    lag_s: float
    correlation: float


def find_crosstalk(
    loud: FloatArray,
    side: FloatArray,
    *,
    powers: tuple[FloatArray, FloatArray],
    speech: BoolArray,
    sample_rate: int,
    settings: LineSettings,
) -> Crosstalk | None:
    """Whether a voice leaks into the other channel.

    Args:
        loud: the voice's own channel, shape (n_samples,)
        side: the other one, same shape
        powers: of both, one a 10 ms frame, shape (n_frames,) each
        speech: which frames are speech on the voice's channel, same shape
        sample_rate: Hz
        settings: least correlation

    Returns:
        None where the two do not correlate, or there is too little speech
    """
    alone = speech & (powers[1] < powers[0] * 10 ** (-QUIETER_DB / 10))
    starts = _blocks(alone, sample_rate)
    if len(starts) * BLOCK_S < LEAST_S:
        return None
    correlation, lag_s = _correlation(loud, side, starts, sample_rate)
    if correlation < settings.crosstalk_correlation:
        return None
    ratio = powers[1][alone] / np.maximum(powers[0][alone], np.finfo(np.float32).tiny)
    gain_db = 10 * np.log10(max(float(np.median(ratio)), 1e-12))
    return Crosstalk(gain_db=gain_db, lag_s=lag_s, correlation=correlation)


def crosstalk_intervals(crosstalk: Crosstalk, powers: tuple[FloatArray, FloatArray]) -> DoubleArray:
    """Where the side channel holds no more than crosstalk.

    Args:
        crosstalk: of the other voice into it
        powers: of the voice's channel and of the side channel, one a 10 ms frame each

    Returns:
        start and end in seconds, shape (n, 2)
    """
    shift = round(crosstalk.lag_s / LEVEL_FRAME_S)
    # An echo smears: the loudest of five frames around the lag predicts it.
    expected = np.max([_shifted(powers[0], shift + step) for step in range(-2, 3)], axis=0)
    leaked = powers[1] <= expected * 10 ** ((crosstalk.gain_db + MARGIN_DB) / 10)
    return min_duration(merge_gaps(from_mask(leaked, LEVEL_FRAME_S), CLOSED_S), CROSSTALK_S)


def _blocks(alone: BoolArray, sample_rate: int) -> list[int]:
    """First samples of blocks in which the one voice is alone for the most part."""
    n_frames = round(BLOCK_S / LEVEL_FRAME_S)
    n_blocks = len(alone) // n_frames
    share = alone[: n_blocks * n_frames].reshape(n_blocks, n_frames).mean(axis=1)
    numbers = np.flatnonzero(share >= 0.5)
    thinned = numbers[:: -(-len(numbers) // MOST_BLOCKS)] if len(numbers) else numbers
    return [round(number * BLOCK_S * sample_rate) for number in thinned.tolist()]


def _correlation(
    loud: FloatArray, side: FloatArray, starts: list[int], sample_rate: int
) -> tuple[float, float]:
    """Highest normalised cross-correlation over all blocks, and its lag in seconds."""
    n_block, most = round(BLOCK_S * sample_rate), round(MOST_LAG_S * sample_rate)
    cross = np.zeros(n_block + 1, np.complex128)
    energy = np.zeros(2)
    for start in starts:
        first, second = loud[start : start + n_block], side[start : start + n_block]
        cross += np.conj(scipy.fft.rfft(first, 2 * n_block)) * scipy.fft.rfft(second, 2 * n_block)
        energy += np.dot(first, first), np.dot(second, second)
    if not energy.all():
        return 0.0, 0.0
    shape = scipy.fft.irfft(cross) / np.sqrt(energy.prod())
    around = np.concatenate([shape[-most:], shape[: most + 1]])
    best = int(np.argmax(np.abs(around)))
    return float(np.abs(around[best])), (best - most) / sample_rate


def _shifted(power: FloatArray, n_frames: int) -> FloatArray:
    """Frame values that many frames later, zeros where there are none."""
    shifted = np.zeros_like(power)
    if n_frames >= 0:
        shifted[n_frames:] = power[: len(power) - n_frames]
    else:
        shifted[:n_frames] = power[-n_frames:]
    return shifted
