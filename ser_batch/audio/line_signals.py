"""What a telephone line carries besides speech: ring-back, hold music, keys, beeps and noise."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.fft import next_fast_len

from ser_batch.arrays import FloatArray
from ser_batch.audio.telephone import BAND_HZ
from ser_batch.audio.tones import DTMF_HIGH_HZ, DTMF_LOW_HZ

RingStyle = Literal["eu", "us"]

RING_HZ: dict[RingStyle, tuple[float, ...]] = {"eu": (425.0,), "us": (440.0, 480.0)}
"""Source: ITU-T E.180, ring-back tones of most of Europe and of North America."""

RING_CADENCE_S: dict[RingStyle, tuple[float, float]] = {"eu": (1.0, 4.0), "us": (2.0, 4.0)}
"""Seconds on and off of one ring."""

KEY_HZ: dict[str, tuple[float, float]] = {
    key: (low, high)
    for low, row in zip(DTMF_LOW_HZ.tolist(), ("123A", "456B", "789C", "*0#D"), strict=True)
    for high, key in zip(DTMF_HIGH_HZ.tolist(), row, strict=True)
}
"""The two tones of each key. Source: ITU-T Q.23."""

_CHORDS = ((0, 4, 7, 12), (9, 12, 16, 21), (5, 9, 12, 17), (7, 11, 14, 19))
"""Semitones above the key note: I vi IV V, broken into four notes each."""


def tone(frequencies_hz: tuple[float, ...], duration_s: float, *, rate_hz: int) -> FloatArray:
    """Sum of sines with 5 ms ramps, at an RMS of one.

    Returns:
        shape (duration_s * rate_hz,), float32
    """
    time_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    wave = sum((np.sin(2 * np.pi * hz * time_s) for hz in frequencies_hz), np.zeros(len(time_s)))
    return _with_rms_one(wave * _ramps(len(time_s), round(0.005 * rate_hz)))


def keys(digits: str, *, rate_hz: int, on_s: float = 0.12, off_s: float = 0.08) -> FloatArray:
    """Keys pressed one after the other (DTMF), each at an RMS of one.

    Args:
        digits: of `0123456789*#ABCD`
        rate_hz: sampling rate
        on_s: seconds of each key
        off_s: seconds between keys

    Returns:
        shape (n_samples,), float32
    """
    gap = np.zeros(round(off_s * rate_hz), dtype=np.float32)
    parts = [part for d in digits for part in (tone(KEY_HZ[d], on_s, rate_hz=rate_hz), gap)]
    return np.concatenate(parts[:-1])


def hold_music(duration_s: float, *, rate_hz: int, rng: np.random.Generator) -> FloatArray:
    """A plucked tune in broken chords, without a rest, at an RMS of one.

    Args:
        duration_s: seconds
        rate_hz: sampling rate
        rng: chooses key, tempo and order of the notes

    Returns:
        shape (duration_s * rate_hz,), float32
    """
    n_samples = round(duration_s * rate_hz)
    key_hz = 261.63 * 2 ** (rng.integers(-3, 6) / 12)
    note_s = float(rng.uniform(0.18, 0.3))
    pattern = rng.permutation(4)
    wave = np.zeros(n_samples + 2 * rate_hz)
    for number in range(int(duration_s / note_s) + 1):
        chord = _CHORDS[(number // 8) % len(_CHORDS)]
        semitones = chord[pattern[number % 4]] + (12 if number % 8 == 6 else 0)
        note = _pluck(key_hz * 2 ** (semitones / 12), rate_hz=rate_hz)
        start = round(number * note_s * rate_hz)
        wave[start : start + len(note)] += note[: len(wave) - start]
    return _with_rms_one(wave[:n_samples] * _ramps(n_samples, round(0.02 * rate_hz)))


def line_noise(n_samples: int, *, rate_hz: int, rng: np.random.Generator) -> FloatArray:
    """Steady noise in telephone band, falling 3 dB an octave, at an RMS of one.

    Returns:
        shape (n_samples,), float32
    """
    size = next_fast_len(n_samples, real=True)
    spectrum = np.fft.rfft(rng.standard_normal(size))
    hz = np.fft.rfftfreq(size, 1 / rate_hz)
    in_band = (hz >= BAND_HZ[0]) & (hz <= BAND_HZ[1])
    shaped = np.where(in_band, spectrum / np.sqrt(np.maximum(hz, 1.0)), 0.0)
    return _with_rms_one(np.fft.irfft(shaped, size)[:n_samples])


def _pluck(hz: float, *, rate_hz: int) -> FloatArray:
    """One decaying note of four harmonics."""
    time_s = np.arange(round(0.9 * rate_hz)) / rate_hz
    harmonics = [
        np.sin(2 * np.pi * hz * k * time_s) * np.exp(-3 * k * time_s) / k for k in (1, 2, 3, 4)
    ]
    wave: FloatArray = np.sum(harmonics, axis=0).astype(np.float32)
    return wave * _ramps(len(wave), round(0.004 * rate_hz))


def _ramps(n_samples: int, n_ramp: int) -> FloatArray:
    """One, with a linear rise and fall at the ends, so that nothing clicks."""
    position = np.arange(n_samples)
    nearest_end = np.minimum(position, position[::-1]) + 1
    return np.minimum(nearest_end / max(n_ramp, 1), 1.0).astype(np.float32)


def _with_rms_one(wave: np.ndarray) -> FloatArray:
    """The wave at an RMS of one; silence stays silence."""
    rms = float(np.sqrt(np.mean(np.square(wave)))) if wave.size else 0.0
    return (wave / rms if rms > 0 else wave).astype(np.float32)
