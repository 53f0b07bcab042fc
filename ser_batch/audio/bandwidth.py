"""Up to which frequency speech reaches: what microphone, line and codec left of it."""

from __future__ import annotations

import numpy as np
import scipy

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.audio.intervals import lengths

WINDOW_S = 0.032
MOST_FRAMES = 1000
"""Frames that a channel's spectrum is taken from, spread over all its speech."""
DEPTH_DB = -40.0
"""dB under the spectrum's peak to which speech is said to reach: full-band speech then comes to
7.6 kHz at 16 kHz, G.711 to 3.6 kHz, whatever the rate of the file."""
SMOOTHING_BINS = 5


def bandwidth_hz(spectrum: FloatArray, noise: FloatArray) -> FloatArray:
    """Highest frequency to which speech reaches.

    Args:
        spectrum: mean power of the speech, shape (..., n_bins)
        noise: mean power of what is not speech, shape (n_bins,)

    Returns:
        Hz, shape (...); NaN where there is nothing over the noise
    """
    smooth = scipy.ndimage.uniform_filter1d(
        np.maximum(spectrum - noise, 0), SMOOTHING_BINS, axis=-1
    )
    peak = smooth.max(axis=-1, keepdims=True)
    reached = smooth >= peak * 10 ** (DEPTH_DB / 10)
    highest = reached.shape[-1] - 1 - np.argmax(reached[..., ::-1], axis=-1)
    return np.where(peak[..., 0] > 0, highest / WINDOW_S, np.nan).astype(np.float32)


def mean_spectra(signal: FloatArray, sample_rate: int, times: DoubleArray) -> FloatArray:
    """Mean power spectrum of each interval.

    Args:
        signal: mono samples, shape (n_samples,)
        sample_rate: Hz
        times: start and end in seconds, shape (n, 2)

    Returns:
        shape (n, n_bins); zeros for an interval shorter than a window
    """
    n_window = round(WINDOW_S * sample_rate)
    window = scipy.signal.get_window("hann", n_window).astype(np.float32)
    spectra = np.zeros((len(times), n_window // 2 + 1), np.float32)
    for number, (start, stop) in enumerate(np.rint(times * sample_rate).astype(np.int64).tolist()):
        piece = signal[start:stop]
        frames = piece[: len(piece) // n_window * n_window].reshape(-1, n_window)
        if len(frames):
            spectrum = scipy.fft.rfft(frames * window, axis=1)
            spectra[number] = np.mean(spectrum.real**2 + spectrum.imag**2, axis=0)
    return spectra


def mean_spectrum(signal: FloatArray, sample_rate: int, times: DoubleArray) -> FloatArray:
    """Mean power spectrum over all intervals, shape (n_bins,).

    Long ones are thinned out: a few seconds of each suffice.
    """
    total_s = lengths(times).sum()
    most_s = MOST_FRAMES * WINDOW_S
    if total_s > most_s:
        kept_s = np.maximum(lengths(times) * most_s / total_s, WINDOW_S)
        times = np.stack([times[:, 0], np.minimum(times[:, 0] + kept_s, times[:, 1])], axis=1)
    spectra = mean_spectra(signal, sample_rate, times)
    weights = lengths(times)
    total = np.maximum(weights.sum(), np.finfo(np.float64).tiny)
    return np.asarray(weights @ spectra / total, np.float32)
