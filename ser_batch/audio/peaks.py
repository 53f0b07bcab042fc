"""The strongest spectral peaks of a channel over time; tones and music are detected from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from ser_batch.arrays import FloatArray

WINDOW_S, HOP_S = 0.032, 0.016
BLOCK_FRAMES = 1024
LEAST_HZ = 150.0
"""Hz; below, hum."""
PEAK_BINS = 3
"""Bins on each side of a peak that hold its power under a Hann window."""


@dataclass(frozen=True)
class Peaks:
    """The two highest peaks of each 16 ms of a signal.

    Attributes:
        hz: frequencies, the higher peak's first, shape (n_frames, 2)
        share: of the frame's power in each, shape (n_frames, 2)
        level_db: of the frame, dB re full scale, shape (n_frames,)
    """

    hz: FloatArray
    share: FloatArray
    level_db: FloatArray


def spectral_peaks(signal: FloatArray, sample_rate: int) -> Peaks:
    """The two highest peaks of each frame; frame k is centred on k hops."""
    n_window, hop = round(WINDOW_S * sample_rate), round(HOP_S * sample_rate)
    padded = np.pad(signal, n_window // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_window)[::hop]
    window = scipy.signal.get_window("hann", n_window).astype(np.float32)
    hz = np.empty((len(frames), 2), np.float32)
    share, level_db = np.empty_like(hz), np.empty(len(frames), np.float32)
    for first in range(0, len(frames), BLOCK_FRAMES):
        block = slice(first, first + BLOCK_FRAMES)
        spectrum = scipy.fft.rfft(frames[block] * window, axis=1)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        power[:, : round(LEAST_HZ * WINDOW_S)] = 0
        total = power.sum(axis=1) + np.float32(1e-20)
        level_db[block] = 10 * np.log10(2 * total / (n_window * np.sum(window**2)))
        for place in range(2):
            bins, held = _take_peak(power)
            hz[block, place] = bins / WINDOW_S
            share[block, place] = held / total
    return Peaks(hz, share, level_db)


def _take_peak(power: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The highest peak of each frame, in bins and power; it is taken out of `power`.

    Its place between bins is the top of the parabola through three logarithms.
    """
    rows = np.arange(len(power))[:, None]
    top = np.clip(power.argmax(axis=1), PEAK_BINS, power.shape[1] - 1 - PEAK_BINS)
    columns = top[:, None] + np.arange(-PEAK_BINS, PEAK_BINS + 1)
    around = power[rows, columns]
    power[rows, columns] = 0
    left, middle, right = np.log(around[:, PEAK_BINS - 1 : PEAK_BINS + 2].T + 1e-30)
    curvature = np.minimum(left - 2 * middle + right, -1e-6)
    return top + np.clip((left - right) / (2 * curvature), -0.5, 0.5), around.sum(axis=1)
