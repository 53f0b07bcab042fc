"""Formant-like measures: peaks of the linear-prediction envelope, band by band."""

from __future__ import annotations

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.features.parameters import Parameters

PRE_EMPHASIS = 0.97
GRID_STEP_HZ = 25.0
FORMANT_BANDS_HZ = ((300.0, 950.0), (950.0, 2300.0), (2300.0, 3400.0))
"""Where the first three resonances are sought; a telephone line passes no more."""


def prediction(power: FloatArray, parameters: Parameters) -> tuple[DoubleArray, DoubleArray]:
    """Linear-prediction coefficients of each frame, by Levinson and Durbin's recursion.

    Args:
        power: power spectrum, shape (n_frames, n_fft // 2 + 1)
        parameters: order of the prediction

    Returns:
        coefficients, shape (n_frames, order + 1), the first being 1, and the share of the
        energy that is not predicted, shape (n_frames,)
    """
    angle = 2 * np.pi * np.arange(power.shape[1]) / parameters.n_fft
    emphasis = 1 + PRE_EMPHASIS**2 - 2 * PRE_EMPHASIS * np.cos(angle)
    order = parameters.lpc_order
    basis = emphasis[:, None] * np.cos(np.outer(angle, np.arange(order + 1)))
    correlation = (power @ basis.astype(np.float32)).astype(np.float64)
    # a white floor keeps the recursion stable on silence and pure tones
    correlation[:, 0] = correlation[:, 0] * 1.001 + 1e-12
    coefficients = np.zeros_like(correlation)
    coefficients[:, 0] = 1
    error = correlation[:, 0].copy()
    for step in range(1, order + 1):
        history = np.einsum("ij,ij->i", coefficients[:, :step], correlation[:, step:0:-1])
        reflection = -history / error
        reversed_part = coefficients[:, step - 1 :: -1] if step > 1 else coefficients[:, :1]
        coefficients[:, 1 : step + 1] += reflection[:, None] * reversed_part[:, :step]
        error *= np.maximum(1 - reflection**2, 1e-9)
    return coefficients, error / correlation[:, 0]


def formants(power: FloatArray, parameters: Parameters) -> dict[str, FloatArray]:
    """Frequency (Hz) and prominence (dB over its band's mean) of each band's highest peak.

    Returns:
        `formant1`.. and `prominence1`.. and `lpc_gain` (dB), each of shape (n_frames,)
    """
    coefficients, unexplained = prediction(power, parameters)
    grid_hz = np.arange(FORMANT_BANDS_HZ[0][0], FORMANT_BANDS_HZ[-1][1] + 1, GRID_STEP_HZ)
    angle = 2 * np.pi * grid_hz / parameters.sample_rate
    turns = np.outer(np.arange(parameters.lpc_order + 1), angle)
    small = coefficients.astype(np.float32)
    real = small @ np.cos(turns).astype(np.float32)
    imaginary = small @ np.sin(turns).astype(np.float32)
    envelope_db = -10 * np.log10(real**2 + imaginary**2 + np.float32(1e-9))
    measures = {"lpc_gain": (-10 * np.log10(unexplained + 1e-9)).astype(np.float32)}
    for number, (low_hz, high_hz) in enumerate(FORMANT_BANDS_HZ, start=1):
        inside = slice(*np.searchsorted(grid_hz, (low_hz, high_hz + GRID_STEP_HZ / 2)))
        band_db, band_hz = envelope_db[:, inside], grid_hz[inside]
        peak = band_db.argmax(axis=1)
        measures[f"formant{number}"] = band_hz[peak].astype(np.float32)
        measures[f"prominence{number}"] = band_db.max(axis=1) - band_db.mean(axis=1)
    return measures
