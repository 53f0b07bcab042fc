"""Descriptors of a frame's spectrum, with librosa's filters and definitions."""

from __future__ import annotations

import numpy as np
import scipy

from ser_batch.arrays import FloatArray, IntArray
from ser_batch.features.parameters import Parameters

FLOOR = 1e-10
"""Power below which a bin counts as empty, about -100 dB re full scale."""

ROLLOFF_SHARES = (0.25, 0.50, 0.75, 0.85)
CONTRAST_EDGES_HZ = (250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)


def power_spectrum(frames: FloatArray, parameters: Parameters) -> FloatArray:
    """Power of each bin, scaled so that a full-scale sine reads about 1 in its bin.

    Args:
        frames: shape (n_frames, frame_length)
        parameters: window and transform

    Returns:
        shape (n_frames, n_fft // 2 + 1), float32
    """
    window = parameters.window * np.float32(2.0 / parameters.window.sum())
    spectrum = scipy.fft.rfft(frames * window, n=parameters.n_fft, axis=-1)
    parts = spectrum.view(np.float32)  # real and imaginary in turn
    parts *= parts
    power: FloatArray = parts[:, ::2] + parts[:, 1::2]
    return power


def level_db(frames: FloatArray) -> FloatArray:
    """Level of each frame, dB re full scale, shape (n_frames,)."""
    energy = np.einsum("ij,ij->i", frames, frames) / np.float32(frames.shape[1])
    return decibels(energy)


def zero_crossing_rate(frames: FloatArray) -> FloatArray:
    """Changes of sign a sample, shape (n_frames,)."""
    changes = np.count_nonzero(np.diff(np.signbit(frames), axis=1), axis=1)
    share: FloatArray = changes.astype(np.float32) / np.float32(frames.shape[1])
    return share


def decibels(power: FloatArray) -> FloatArray:
    """10 log10, floored at -100 dB."""
    level: FloatArray = np.float32(10.0) * np.log10(np.maximum(power, np.float32(FLOOR)))
    return level


def mel_decibels(power: FloatArray, parameters: Parameters) -> FloatArray:
    """Log-mel spectrum, shape (n_frames, n_mels), dB."""
    return decibels(power @ parameters.mel)


def cepstrum(log_mel: FloatArray, parameters: Parameters) -> FloatArray:
    """MFCC 1 to `n_mfcc`, as librosa's (orthonormal DCT-II of the log-mel spectrum)."""
    coefficients: FloatArray = scipy.fft.dct(log_mel, type=2, norm="ortho", axis=-1)
    return coefficients[:, 1 : parameters.n_mfcc + 1]


def loudness(mel: FloatArray) -> FloatArray:
    """Sum of the mel bands' power to 0.3, a compressed loudness, shape (n_frames,).

    Args:
        mel: power of the bands, shape (n_frames, n_mels)

    Source: Stevens' power law, as in Eyben et al. (2016), "The Geneva minimalistic acoustic
    parameter set".
    """
    total: FloatArray = np.sum(mel ** np.float32(0.3), axis=1)
    return total


def shape_descriptors(
    power: FloatArray, log_power: FloatArray, parameters: Parameters
) -> dict[str, FloatArray]:
    """Centroid, bandwidth, skewness, kurtosis, rolloff, flatness, entropy, slopes, ratios.

    Args:
        power: bins of the band, shape (n_frames, n_band_bins)
        log_power: the same in dB
        parameters: the band

    Returns:
        descriptors of shape (n_frames,) by name; frequencies in Hz, slopes in dB per kHz
    """
    return {
        **moments_and_rolloff(power, parameters),
        **_peakiness(power, log_power),
        **_tilt(power, log_power, parameters),
    }


def moments_and_rolloff(power: FloatArray, parameters: Parameters) -> dict[str, FloatArray]:
    """The first of `shape_descriptors`: centroid, bandwidth, skewness, kurtosis, rolloff."""
    magnitude = np.sqrt(power)
    return {**_moments(magnitude, parameters), **_rolloff(magnitude, parameters)}


def _moments(magnitude: FloatArray, parameters: Parameters) -> dict[str, FloatArray]:
    magnitude = magnitude + np.float32(1e-7)
    centre_hz = (parameters.low_hz + parameters.high_hz) / 2
    kilohertz = (parameters.band_hz - centre_hz) / 1000
    raw = (magnitude @ (kilohertz[:, None] ** np.arange(5)).astype(np.float32)).astype(np.float64)
    m1, m2, m3, m4 = (raw[:, 1:] / raw[:, :1]).T
    variance = np.maximum(m2 - m1**2, 1e-6)
    third = m3 - 3 * m1 * m2 + 2 * m1**3
    fourth = m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4
    return {
        "centroid": (m1 * 1000 + centre_hz).astype(np.float32),
        "bandwidth": (np.sqrt(variance) * 1000).astype(np.float32),
        "skewness": (third / variance**1.5).astype(np.float32),
        "kurtosis": (fourth / variance**2).astype(np.float32),
    }


def _rolloff(magnitude: FloatArray, parameters: Parameters) -> dict[str, FloatArray]:
    n_frames, n_bins = magnitude.shape
    # one sum over all frames, in which each share is looked up, is faster than a sum a frame
    cumulative = np.cumsum(magnitude, dtype=np.float64)
    ends = cumulative[n_bins - 1 :: n_bins]
    begins = np.append(0, ends[:-1])
    first_bins = n_bins * np.arange(n_frames)
    step_hz = parameters.sample_rate / parameters.n_fft
    found = {}
    for share in ROLLOFF_SHARES:
        below = np.searchsorted(cumulative, begins + share * (ends - begins)) - first_bins
        name = f"rolloff{round(100 * share)}"
        below = np.maximum(below, 0)  # of a silent frame
        found[name] = (parameters.band_hz[0] + step_hz * below).astype(np.float32)
    return found


def _peakiness(power: FloatArray, log_power: FloatArray) -> dict[str, FloatArray]:
    total = power.sum(axis=1) + np.float32(FLOOR * power.shape[1])
    # entropy of p = power / total, from sums that are there already
    ten_log = (power * log_power).sum(axis=1) / total
    to_nats = np.float32(np.log(10.0) / 10.0)
    entropy = np.log(total) - ten_log * to_nats
    flatness = log_power.mean(axis=1) - decibels(total / np.float32(power.shape[1]))
    return {"flatness": flatness, "entropy": entropy.astype(np.float32)}


def _tilt(
    power: FloatArray, log_power: FloatArray, parameters: Parameters
) -> dict[str, FloatArray]:
    kilohertz = parameters.band_hz / 1000
    low, split = np.searchsorted(kilohertz, (1.0, 2.0), side="right")
    ratio = decibels(power[:, :low].sum(axis=1)) - decibels(power[:, low:].sum(axis=1))
    return {
        "slope": log_power @ _regressor(kilohertz),
        "slope_low": log_power[:, :low] @ _regressor(kilohertz[:low]),
        "slope_high": log_power[:, low:] @ _regressor(kilohertz[low:]),
        "alpha_ratio": ratio,
        "hammarberg": log_power[:, :split].max(axis=1) - log_power[:, split:].max(axis=1),
    }


def _regressor(positions: np.ndarray) -> FloatArray:
    """Weights whose product with values at some positions is their regression slope."""
    centred = positions - positions.mean()
    weights: FloatArray = (centred / (centred**2).sum()).astype(np.float32)
    return weights


def n_contrasts(parameters: Parameters) -> int:
    """Octaves that begin inside the band."""
    return sum(edge_hz < parameters.high_hz for edge_hz in CONTRAST_EDGES_HZ)


def contrast(log_power: FloatArray, parameters: Parameters) -> FloatArray:
    """Peak to valley of each octave in dB, shape (n_frames, n_octaves).

    librosa's `spectral_contrast` with a quantile of one bin.
    """
    edges = np.searchsorted(parameters.band_hz, CONTRAST_EDGES_HZ[: n_contrasts(parameters)])
    spans = [log_power[:, a:b] for a, b in zip(edges, [*edges[1:], None], strict=True)]
    return np.stack([span.max(axis=1) - span.min(axis=1) for span in spans], axis=1)


def chroma(power: FloatArray, parameters: Parameters) -> FloatArray:
    """Share of power in each of the twelve pitch classes, shape (n_frames, 12)."""
    folded = power @ parameters.chroma
    shares: FloatArray = folded / (folded.sum(axis=1, keepdims=True) + np.float32(FLOOR))
    return shares


def onset_flux(log_mel: FloatArray, bounds: IntArray) -> FloatArray:
    """Mean rise of the log-mel bands since the frame before, dB, as librosa's `onset_strength`.

    Args:
        log_mel: shape (n_mels, n_frames)
        bounds: first frame of each segment and the end

    Returns:
        shape (n_frames,); the first frame of a segment reads 0
    """
    rise = np.zeros(log_mel.shape[1], np.float32)
    if log_mel.shape[1] > 1:
        rise[1:] = np.maximum(np.diff(log_mel, axis=1), 0).mean(axis=0)
        rise[bounds[:-1][bounds[:-1] < len(rise)]] = 0
    return rise
