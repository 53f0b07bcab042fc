"""Where a clean utterance holds speech: the truth of simulated calls, never a result."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ser_batch.arrays import BoolArray, FloatArray
from ser_batch.audio.intervals import runs

FRAME_S = 0.01
FLOOR_DB = -35.0
"""Level below the loudest 10 ms from which an utterance is silent."""
MIN_PAUSE_S = 0.2
"""A shorter silence is part of the speech."""


def speech_activity(samples: FloatArray, *, rate_hz: int) -> BoolArray:
    """Where a clean utterance is not silent.

    Args:
        samples: one voice with little noise, shape (n_samples,)
        rate_hz: sampling rate

    Returns:
        shape (n_samples,)
    """
    length = max(round(FRAME_S * rate_hz), 1)
    padded = np.pad(np.square(samples, dtype=np.float64), (length // 2, length - 1 - length // 2))
    power = sliding_window_view(padded, length).mean(axis=1)
    active: BoolArray = power > max(float(power.max()), 1e-12) * 10 ** (FLOOR_DB / 10)
    for start, end in runs(~active):
        inside = start > 0 and end < len(active)
        if inside and end - start < MIN_PAUSE_S * rate_hz:
            active[start:end] = True
    return active


def active_level_db(samples: FloatArray, *, rate_hz: int) -> float:
    """RMS of an utterance's active part, dB re full scale; -120 for silence."""
    return rms_db(samples[speech_activity(samples, rate_hz=rate_hz)], -120.0)


def rms_db(samples: FloatArray, empty_db: float) -> float:
    """RMS in dB re full scale, or `empty_db` where there is nothing."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if samples.size else 0.0
    return 10 * float(np.log10(power)) if power > 0 else empty_db
