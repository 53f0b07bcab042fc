"""How the bands of a segment's spectrum rise and fall: the modulation spectrum."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import scipy

from ser_batch.arrays import FloatArray, IntArray

MODULATION_EDGES_HZ = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
N_GROUPS = 8
"""Neighbouring mel bands whose modulation is measured together."""
LEAST_FRAMES = 8


def modulation_names() -> tuple[str, ...]:
    """Names of the values of `modulation`, in order."""
    spans = [f"{low:g}-{high:g}hz" for low, high in pairwise(MODULATION_EDGES_HZ)]
    return tuple(f"band{group}.{span}" for group in range(1, N_GROUPS + 1) for span in spans)


def modulation(log_mel: FloatArray, bounds: IntArray, frame_rate_hz: float) -> FloatArray:
    """Depth of each band group's modulation by rate, dB² per Hz as 10 log10.

    Args:
        log_mel: log-mel spectra, one segment after the other, shape (n_mels, n_frames), dB
        bounds: first frame of each segment and the end, shape (n_segments + 1,)
        frame_rate_hz: frames a second

    Returns:
        shape (n_segments, N_GROUPS * n_rates); -20 where the segment is too short to be measured

    Source: Wu, Falk and Chan (2011), "Automatic speech emotion recognition using modulation
    spectral features", on log-mel bands in place of their auditory filters.
    """
    groups = _groups(len(log_mel))
    n_rates = len(MODULATION_EDGES_HZ) - 1
    density = np.zeros((len(bounds) - 1, N_GROUPS, n_rates), np.float32)
    for number, (start, end) in enumerate(pairwise(bounds.tolist())):
        if end - start >= LEAST_FRAMES:
            window, spans = _analysis(end - start, frame_rate_hz)
            bands = log_mel[:, start:end]
            centred = bands - bands.mean(axis=1, keepdims=True)
            spectrum = scipy.fft.rfft(centred * window, axis=1)
            grouped = groups @ (spectrum.real**2 + spectrum.imag**2)
            sums = np.add.reduceat(grouped, spans.reshape(-1), axis=1)[:, ::2]
            density[number] = sums / np.diff(spans, axis=1)[:, 0].astype(np.float32)
    depth: FloatArray = 10 * np.log10(density + np.float32(1e-2))
    return depth.reshape(len(depth), -1)


@cache
def _groups(n_mels: int) -> FloatArray:
    """From bands to the means of neighbouring ones, shape (N_GROUPS, n_mels)."""
    groups = np.zeros((N_GROUPS, n_mels), np.float32)
    for group, bands in enumerate(np.array_split(np.arange(n_mels), N_GROUPS)):
        groups[group, bands] = 1 / len(bands)
    return groups


@cache
def _analysis(n_frames: int, frame_rate_hz: float) -> tuple[FloatArray, IntArray]:
    """Window of a segment, scaled to a density, and first and last bin of each span of rates."""
    window = np.hanning(n_frames + 2)[1:-1]
    window *= np.sqrt(2 / (frame_rate_hz * (window**2).sum()))
    edges = np.searchsorted(scipy.fft.rfftfreq(n_frames, 1 / frame_rate_hz), MODULATION_EDGES_HZ)
    spans = np.stack([edges[:-1], np.maximum(edges[1:], edges[:-1] + 1)], axis=1)
    return window.astype(np.float32), spans
