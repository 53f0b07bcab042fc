"""Spectral measures of a segment frame by frame, as networks over sequences read them."""

from __future__ import annotations

import numpy as np

from ser_batch.arrays import FloatArray
from ser_batch.features import spectrum
from ser_batch.features.frames import frame_index, take_frames
from ser_batch.features.parameters import Parameters

PARAMETERS = Parameters()
N_MFCC = PARAMETERS.n_mfcc
SCALARS = ("rolloff85", "centroid", "bandwidth", "zcr", "level")
"""Measures of one number a frame, after the MFCC."""

N_MEASURES = N_MFCC + len(SCALARS)
LEAST_FRAMES = 20
QUIETEST = 1e-4
"""Peak of digital silence: it is not amplified further."""
LOWEST_DB = -60.0
"""Of the level, re the loudest frame of the segment."""


def sequence(signal: FloatArray) -> FloatArray:
    """MFCC, rolloff, centroid, bandwidth, zero crossings and RMS level of each frame.

    The segment is measured at one peak level, and its level re its loudest frame: how loud a line
    is says nothing of a caller.

    Args:
        signal: one segment at `PARAMETERS.sample_rate`, shape (n_samples,)

    Returns:
        shape (n_frames, N_MEASURES), float32, finite; a segment of fewer frames than
        `LEAST_FRAMES` is repeated until it has as many
    """
    whole = np.asarray(signal, np.float32)
    if len(whole) < PARAMETERS.frame_length:
        whole = np.pad(whole, (0, PARAMETERS.frame_length - len(whole)))
    whole = whole / max(float(np.abs(whole).max()), QUIETEST)
    span = np.array([[0.0, len(whole) / PARAMETERS.sample_rate]])
    starts = frame_index(len(whole), span, PARAMETERS).starts
    frames = take_frames(whole, starts, PARAMETERS.frame_length)
    power = spectrum.power_spectrum(frames, PARAMETERS)
    shape = spectrum.moments_and_rolloff(power[:, PARAMETERS.band], PARAMETERS)
    level = spectrum.level_db(frames)
    measured = {
        **shape,
        "zcr": spectrum.zero_crossing_rate(frames),
        "level": np.maximum(level - level.max(), np.float32(LOWEST_DB)),
    }
    cepstrum = spectrum.cepstrum(spectrum.mel_decibels(power, PARAMETERS), PARAMETERS)
    rows = np.column_stack([cepstrum, *(measured[name] for name in SCALARS)])
    repeats = -(-LEAST_FRAMES // len(rows))
    return np.asarray(np.tile(rows, (repeats, 1)), np.float32)
