"""Log-mel spectra as Whisper was trained on, from telephone or wide-band samples."""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy
from numpy.lib.stride_tricks import sliding_window_view

from ser_batch.arrays import FloatArray
from ser_batch.audio import filters

MODEL_RATE_HZ = 16000
WINDOW_S = 0.025
FRAMES_PER_SECOND = 100
N_MELS = 80
FLOOR = 1e-10
PEAK = 1.2
"""Where the loudest point of a levelled spectrum lies, on the encoder's scale."""

RANGE_DECADES = 8.0
"""What lies this many powers of ten below a segment's peak counts as that far below."""


def log_mel(signal: FloatArray, sample_rate: int) -> FloatArray:
    """Spectra of one segment, scaled as the encoder expects them.

    A telephone signal is not resampled: the spectrum that its copy at 16 kHz would have is the
    signal's own up to 4 kHz, and nothing above.

    Args:
        signal: mono samples in [-1, 1], shape (n_samples,)
        sample_rate: Hz, 8000 or 16000

    Returns:
        shape (max(n_samples // (sample_rate / 100), 1), 80), float32

    Source: Radford et al. (2023), "Robust speech recognition via large-scale weak supervision";
    the analysis of its published code, without padding to 30 s.
    """
    size, hop = int(WINDOW_S * sample_rate), sample_rate // FRAMES_PER_SECOND
    whole = np.asarray(signal, np.float32)
    if len(whole) <= size // 2:  # reflection needs something to reflect
        whole = np.pad(whole, (0, size // 2 + 1 - len(whole)))
    n_frames = max(len(whole) // hop, 1)
    reflected = np.pad(whole, size // 2, mode="reflect")
    frames = sliding_window_view(reflected, size)[::hop][:n_frames]
    spectra = scipy.fft.rfft(frames * _window(size), axis=1)
    power = np.square(spectra.real) + np.square(spectra.imag)
    levels = np.log10(np.maximum(power @ _filters(sample_rate), np.float32(FLOOR)))
    return np.asarray((np.maximum(levels, levels.max() - RANGE_DECADES) + 4) / 4, np.float32)


def levelled(spectrum: FloatArray) -> FloatArray:
    """The spectrum of the same sound at one level: how loud a line is says nothing of a caller."""
    return np.asarray(spectrum - spectrum.max() + np.float32(PEAK), np.float32)


@cache
def _window(size: int) -> FloatArray:
    """Periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)


@cache
def _filters(sample_rate: int) -> FloatArray:
    """Mel filters over the bins of a signal's own spectrum, shape (n_bins, 80).

    The same sound has half the samples at half the rate: a quarter of the power.
    """
    n_fft = int(WINDOW_S * MODEL_RATE_HZ)
    n_bins = int(WINDOW_S * sample_rate) // 2 + 1
    gain = (MODEL_RATE_HZ / sample_rate) ** 2
    return np.asarray(gain * filters.mel(MODEL_RATE_HZ, n_fft, N_MELS)[:n_bins], np.float32)


def log_mel_definition() -> dict[str, float | int | str]:
    """What the spectra are, for an encoder's manifest."""
    return {
        "window_s": WINDOW_S,
        "frames_per_second": FRAMES_PER_SECOND,
        "n_mels_to_8_khz": N_MELS,
        "scale": "slaney",
        "peak": PEAK,
        "range_decades": RANGE_DECADES,
    }
