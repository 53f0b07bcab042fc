"""Noise reduction."""

from __future__ import annotations

import numpy as np
import pytest

from ser_batch.audio.denoise import denoised, pays
from ser_batch.config import DenoiseSettings
from tests.audio.signals import noise, silence, voice

SPEECH = np.zeros(1000, np.bool_)
SPEECH[300:700] = True
CLEAN = np.concatenate([silence(3), voice(4), silence(3)])
SETTINGS = DenoiseSettings()


def snr_db(signal: np.ndarray, clean: np.ndarray) -> float:
    return float(10 * np.log10(np.sum(clean**2) / np.sum((signal - clean) ** 2)))


@pytest.mark.parametrize("noise_db", [-40, -30, -20])
def test_noise_goes_down_and_speech_comes_nearer_to_itself(noise_db: float) -> None:
    noisy = CLEAN + noise(10, noise_db)
    result = denoised(noisy, 8000, SPEECH, SETTINGS)
    assert result.shape == noisy.shape
    spoken = slice(3 * 8000, 7 * 8000)
    assert snr_db(result[spoken], CLEAN[spoken]) > snr_db(noisy[spoken], CLEAN[spoken]) + 1.5
    left_db = 10 * np.log10(np.mean(result[:16000] ** 2))
    assert noise_db + SETTINGS.floor_db - 1 < left_db < noise_db - 10


def test_a_floor_of_nought_changes_nothing() -> None:
    noisy = CLEAN + noise(10, -30)
    result = denoised(noisy, 8000, SPEECH, DenoiseSettings(floor_db=0))
    np.testing.assert_allclose(result, noisy, atol=1e-6)


def test_long_signals_have_no_seams_between_blocks() -> None:
    noisy = np.tile(CLEAN, 8) + noise(80, -30)
    whole = denoised(noisy, 8000, np.tile(SPEECH, 8), SETTINGS)
    # another cut into blocks: the same signal, one period later
    later = denoised(np.concatenate([noisy[-80000:], noisy]), 8000, np.tile(SPEECH, 9), SETTINGS)
    np.testing.assert_allclose(later[160000:-80000], whole[80000:-80000], atol=0.02)


def test_without_pauses_nothing_is_done() -> None:
    noisy = noise(2, -30)
    assert denoised(noisy, 8000, np.ones(200, np.bool_), SETTINGS) is noisy


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("n_samples", [1, 127, 128, 129, 5000])
def test_any_length_comes_back_finite(rate: int, n_samples: int) -> None:
    signal = noise(1, -20, rate=rate)[:n_samples]
    speech = np.zeros(-(-n_samples * 100 // rate), np.bool_)
    result = denoised(signal, rate, speech, SETTINGS)
    assert result.shape == signal.shape
    assert np.isfinite(result).all()


def test_the_gate_opens_for_noisy_channels_only() -> None:
    gated = DenoiseSettings(mode="gated", snr_below_db=12)
    assert [pays(snr, gated) for snr in (5, 20, float("nan"))] == [True, False, False]
    assert pays(40, DenoiseSettings(mode="always"))
    assert not pays(-5, DenoiseSettings(mode="off"))
