"""How the bands of a segment's spectrum rise and fall: the modulation spectrum."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import scipy

from ser_batch.arrays import FloatArray

MODULATION_EDGES_HZ = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
N_GROUPS = 8
"""Neighbouring mel bands whose modulation is measured together."""


def modulation_names() -> tuple[str, ...]:
    """Names of the values of `modulation`, in order."""
    spans = [f"{low:g}-{high:g}hz" for low, high in pairwise(MODULATION_EDGES_HZ)]
    return tuple(f"band{group}.{span}" for group in range(1, N_GROUPS + 1) for span in spans)


def modulation(log_mel: FloatArray, frame_rate_hz: float) -> FloatArray:
    """Depth of each band group's modulation by rate, dB² per Hz as 10 log10.

    Args:
        log_mel: one segment's log-mel spectrum, shape (n_mels, n_frames), dB
        frame_rate_hz: frames a second

    Returns:
        shape (N_GROUPS * n_rates,); -20 where the segment is too short to be measured

    Source: Wu, Falk and Chan (2011), "Automatic speech emotion recognition using modulation
    spectral features", on log-mel bands in place of their auditory filters.
    """
    n_frames = log_mel.shape[1]
    n_rates = len(MODULATION_EDGES_HZ) - 1
    if n_frames < 8:
        return np.full(N_GROUPS * n_rates, -20, np.float32)
    window = np.hanning(n_frames + 2)[1:-1].astype(np.float32)
    centred = log_mel - log_mel.mean(axis=1, keepdims=True)
    spectrum = scipy.fft.rfft(centred * window, axis=1)
    density = (spectrum.real**2 + spectrum.imag**2) * np.float32(
        2 / (frame_rate_hz * (window**2).sum())
    )
    rates_hz = scipy.fft.rfftfreq(n_frames, 1 / frame_rate_hz)
    grouped = np.stack([part.mean(axis=0) for part in np.array_split(density, N_GROUPS)])
    columns = []
    for low, high in pairwise(MODULATION_EDGES_HZ):
        first = int(np.searchsorted(rates_hz, low))
        last = max(int(np.searchsorted(rates_hz, high)), first + 1)
        columns.append(grouped[:, first:last].mean(axis=1))
    depth: FloatArray = 10 * np.log10(np.stack(columns, axis=1) + np.float32(1e-2))
    return depth.reshape(-1)
