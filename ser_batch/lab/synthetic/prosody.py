"""Intonation of a clean synthetic voice: find its pitch, widen, flatten or roughen it.

Source: E. Moulines and F. Charpentier, Pitch-synchronous waveform processing techniques for
text-to-speech synthesis using diphones, Speech Communication 9 (1990): TD-PSOLA.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import medfilt

from ser_batch.arrays import DoubleArray, FloatArray, IntArray

F0_RANGE_HZ = (60.0, 500.0)
HOP_S = 0.005
UNVOICED_STEP_S = 0.008
"""Distance of the grains where there is no pitch."""


def pitch_track(samples: FloatArray, *, rate_hz: int) -> DoubleArray:
    """Fundamental frequency every `HOP_S`, by autocorrelation of 40 ms windows.

    Good for a synthetic voice without noise; real recordings need more.

    Args:
        samples: mono, shape (n_samples,)
        rate_hz: sampling rate

    Returns:
        Hz, 0 where unvoiced, shape (n_frames,); frame 0 is centred on sample 0

    Source: P. Boersma, Accurate short-term analysis of the fundamental frequency, IFA
    Proceedings 17 (1993): division by the window's own autocorrelation.
    """
    length, hop = round(0.04 * rate_hz), round(HOP_S * rate_hz)
    padded = np.pad(samples.astype(np.float64), length // 2)
    window = np.hanning(length)
    frames = sliding_window_view(padded, length)[::hop] * window
    low, high = (round(rate_hz / hz) for hz in reversed(F0_RANGE_HZ))
    lags = np.arange(low, high)
    own = _autocorrelation(window[None], high)[0]
    correlation = _autocorrelation(frames, high)
    energy = correlation[:, 0]
    strength = correlation[:, lags] / np.maximum(energy[:, None], 1e-9) * (own[0] / own[lags])
    # a small price on long lags keeps the octave below from winning by a hair
    best = np.argmax(strength - 0.03 * np.log2(lags / low), axis=1)
    voiced = (strength[np.arange(len(best)), best] > 0.55) & (energy > 1e-4 * energy.max())
    return medfilt(np.where(voiced, rate_hz / lags[best], 0.0), 5)


def reintone(
    samples: FloatArray,
    *,
    rate_hz: int,
    span: float,
    rough: float,
    rng: np.random.Generator,
) -> FloatArray:
    """The same words with a wider or flatter melody, or a rougher voice.

    Args:
        samples: mono, shape (n_samples,)
        rate_hz: sampling rate
        span: factor on the distance of log pitch from its median; 1 leaves it, 0 is monotone
        rough: random change of each period's length and strength, as a share of it
        rng: draws the roughness

    Returns:
        shape (n_samples,), float32
    """
    if span == 1.0 and rough == 0.0:
        return samples
    track = pitch_track(samples, rate_hz=rate_hz)
    if not np.any(track > 0):
        return samples
    median_hz = float(np.median(track[track > 0]))
    marks = _pitch_marks(samples, track, rate_hz=rate_hz)
    periods = np.diff(marks)
    centres = marks[1:-1]
    f0 = _value_at(track, centres, rate_hz=rate_hz)
    ratio = np.where(f0 > 0, (np.maximum(f0, 1.0) / median_hz) ** (span - 1.0), 1.0)
    ratio = np.clip(ratio, 0.5, 2.0)
    placed, grain = _new_marks(centres, periods[1:], ratio, rough=rough, rng=rng)
    strength = 1.0 + 3.0 * rough * np.clip(rng.standard_normal(len(placed)), -2, 2)
    return _overlap_add(
        samples, placed, centres[grain], periods[grain], periods[grain + 1], strength=strength
    )


def _autocorrelation(frames: DoubleArray, n_lags: int) -> DoubleArray:
    """Of each row, by Fourier transform, right at the first lags; shape (n_rows, n_lags)."""
    size = next_fast_len(frames.shape[1] + n_lags, real=True)
    power = np.abs(rfft(frames, size, axis=1)) ** 2
    correlation: DoubleArray = irfft(power, size, axis=1)[:, :n_lags]
    return correlation


def _value_at(track: DoubleArray, samples: IntArray, *, rate_hz: int) -> DoubleArray:
    """The track's value at sample positions."""
    frames = np.round(samples / (HOP_S * rate_hz)).astype(np.int64)
    values: DoubleArray = track[np.minimum(frames, len(track) - 1)]
    return values


def _pitch_marks(samples: FloatArray, track: DoubleArray, *, rate_hz: int) -> IntArray:
    """Sample positions one period apart at the wave's peaks, evenly spaced where unvoiced."""
    upright = samples if samples.max() >= -samples.min() else -samples
    period_at = np.where(
        track > 0, rate_hz / np.maximum(track, F0_RANGE_HZ[0]), UNVOICED_STEP_S * rate_hz
    )
    hop = round(HOP_S * rate_hz)
    marks = [0]
    while True:
        frame = min(round(marks[-1] / hop), len(track) - 1)
        period = period_at[frame]
        guess = marks[-1] + round(period)
        if guess >= len(samples):
            break
        if track[min(round(guess / hop), len(track) - 1)] > 0:
            reach = max(round(0.15 * period), 1)
            guess += int(np.argmax(upright[guess - reach : guess + reach + 1])) - reach
        marks.append(guess)
    return np.array([*marks, len(samples)], dtype=np.int64)


def _new_marks(
    centres: IntArray,
    periods: IntArray,
    ratio: DoubleArray,
    *,
    rough: float,
    rng: np.random.Generator,
) -> tuple[IntArray, IntArray]:
    """Where grains go so that the pitch is `ratio` times what it was, and which grain it is."""
    noise = rng.standard_normal(4 * len(centres))
    placed: list[int] = []
    grain: list[int] = []
    position, index = float(centres[0]), 0
    while position < centres[-1]:
        while index + 1 < len(centres) and (
            abs(centres[index + 1] - position) <= abs(centres[index] - position)
        ):
            index += 1
        placed.append(round(position))
        grain.append(index)
        wobble = 1.0 + rough * float(np.clip(noise[len(placed) % len(noise)], -2, 2))
        position += max(periods[index] / ratio[index] * wobble, 8.0)
    return np.array(placed, dtype=np.int64), np.array(grain, dtype=np.int64)


def _overlap_add(
    samples: FloatArray,
    placed: IntArray,
    centres: IntArray,
    left: IntArray,
    right: IntArray,
    *,
    strength: DoubleArray,
) -> FloatArray:
    """Grains of one period to either side, faded in and out, set at their new places."""
    out = np.zeros(len(samples), dtype=np.float32)
    for target, centre, before, after, gain in zip(
        placed, centres, left, right, strength, strict=True
    ):
        before_, after_ = min(before, target), min(after, len(samples) - target)
        rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(before) / before)
        fall = 0.5 + 0.5 * np.cos(np.pi * np.arange(after) / after)
        piece = gain * samples[centre - before : centre + after] * np.concatenate([rise, fall])
        out[target - before_ : target + after_] += piece[before - before_ : before + after_]
    return out
