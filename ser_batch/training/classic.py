"""The usual four ways to vary a clip (pitch, speed, value, noise), and the envelope gate."""

from __future__ import annotations

from collections.abc import Callable

import librosa
import numpy as np
import scipy
import soxr

from ser_batch.arrays import FloatArray

SEMITONES = 2.0
MOST_SPEED_CHANGE = 0.15
GAIN_DB = (-6.0, 12.0)
SNR_DB = (10.0, 30.0)
WINDOW_S = 0.032
"""Of the transform in which a clip is stretched."""
ENVELOPE_S = 0.1
GATE_DB = -40.0
"""Re the peak: what is quieter is cut out."""


def pitch(signal: FloatArray, sample_rate: int, rng: np.random.Generator) -> FloatArray:
    """Up to `SEMITONES` higher or lower, as long as before."""
    factor = 2 ** (rng.uniform(-SEMITONES, SEMITONES) / 12)
    longer = stretched(signal, sample_rate, 1 / factor)
    return np.asarray(soxr.resample(longer, sample_rate * factor, sample_rate), np.float32)


def speed(signal: FloatArray, sample_rate: int, rng: np.random.Generator) -> FloatArray:
    """Up to `MOST_SPEED_CHANGE` faster or slower, at the same pitch."""
    return stretched(signal, sample_rate, 1 + rng.uniform(-MOST_SPEED_CHANGE, MOST_SPEED_CHANGE))


def value(signal: FloatArray, _sample_rate: int, rng: np.random.Generator) -> FloatArray:
    """Softer, or louder and clipped at full scale, as a recorder clips."""
    factor = np.float32(10 ** (rng.uniform(*GAIN_DB) / 20))
    return np.asarray(np.clip(signal * factor, -1, 1), np.float32)


def noise(signal: FloatArray, _sample_rate: int, rng: np.random.Generator) -> FloatArray:
    """Over white noise."""
    level = float(np.sqrt(np.mean(np.square(signal)))) if len(signal) else 0.0
    factor = level * 10 ** (-rng.uniform(*SNR_DB) / 20)
    return np.asarray(signal + factor * rng.standard_normal(len(signal)), np.float32)


CLASSIC: tuple[Callable[[FloatArray, int, np.random.Generator], FloatArray], ...] = (
    pitch,
    speed,
    value,
    noise,
)


def stretched(signal: FloatArray, sample_rate: int, rate: float) -> FloatArray:
    """The signal `rate` times as fast at the same pitch, by a phase vocoder."""
    n_fft = 2 ** round(np.log2(WINDOW_S * sample_rate))
    if len(signal) < n_fft:
        return signal
    spectrum = librosa.stft(signal, n_fft=n_fft)
    found = librosa.istft(
        librosa.phase_vocoder(spectrum, rate=rate), length=round(len(signal) / rate), n_fft=n_fft
    )
    return np.asarray(found, np.float32)


def gated(signal: FloatArray, sample_rate: int) -> FloatArray:
    """The signal without its quiet passages: where its envelope lies below `GATE_DB`."""
    size = max(round(ENVELOPE_S * sample_rate), 1)
    envelope = scipy.ndimage.maximum_filter1d(np.abs(signal), size)
    is_loud = envelope > envelope.max(initial=0) * 10 ** (GATE_DB / 20)
    return np.asarray(signal[is_loud], np.float32)
