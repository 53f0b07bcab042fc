"""Tones and music are distinguished from speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ser_batch.arrays import FloatArray
from ser_batch.audio import line_signals as signals
from ser_batch.audio.decode import at_rate, read_audio
from ser_batch.audio.intervals import lengths
from ser_batch.audio.sounds import find_sounds
from ser_batch.audio.telephone import telephone
from ser_batch.config import AudioSettings, LineSettings
from tests.audio.signals import noise, silence, tone, voice

SETTINGS = LineSettings()
LOUD = np.float32(10 ** (-20 / 20))


def placed(wave: FloatArray, *, noise_db: float = -60) -> FloatArray:
    """A sound between two seconds of line noise on each side."""
    quiet = silence(2)
    whole = np.concatenate([quiet, wave, quiet])
    return whole + noise(len(whole) / 8000, noise_db)


@pytest.mark.parametrize(
    ("frequencies_hz", "duration_s"),
    [((425.0,), 1.0), ((440.0, 480.0), 2.0), ((400.0, 450.0), 0.4), ((350.0, 440.0), 2.0)],
    ids=["europe", "north america", "britain", "dial tone"],
)
@pytest.mark.parametrize("noise_db", [-60, -42])
def test_the_networks_tones_are_ring(
    frequencies_hz: tuple[float, ...], duration_s: float, noise_db: float
) -> None:
    burst = signals.tone(frequencies_hz, duration_s, rate_hz=8000) * LOUD
    found = find_sounds(placed(burst, noise_db=noise_db), 8000, SETTINGS)
    np.testing.assert_allclose(found.ring, [[2, 2 + duration_s]], atol=0.05)
    assert len(found.music) == len(found.keys) == 0


def test_waiting_takes_the_pauses_between_rings_in() -> None:
    ring = np.concatenate([tone(1, 425), silence(4), tone(1, 425), silence(4), tone(1, 425)])
    found = find_sounds(placed(ring), 8000, SETTINGS)
    assert len(found.ring) == 3
    np.testing.assert_allclose(found.waiting, [[2, 13]], atol=0.05)


@pytest.mark.parametrize("noise_db", [-60, -45])
def test_every_key_is_detected(noise_db: float) -> None:
    pressed = signals.keys("1234567890*#", rate_hz=8000) * LOUD
    found = find_sounds(placed(pressed, noise_db=noise_db), 8000, SETTINGS)
    assert len(found.keys) == 12
    assert len(found.beep) == len(found.ring) == len(found.music) == 0


@pytest.mark.parametrize("hz", [600.0, 1000.0, 1400.0, 2100.0])
def test_other_single_tones_are_beeps(hz: float) -> None:
    found = find_sounds(placed(tone(0.4, hz)), 8000, SETTINGS)
    np.testing.assert_allclose(found.beep, [[2, 2.4]], atol=0.04)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("noise_db", [-60, -35])
def test_hold_music_is_found_from_end_to_end(seed: int, noise_db: float) -> None:
    tune = signals.hold_music(12, rate_hz=8000, rng=np.random.default_rng(seed)) * LOUD
    line = placed(telephone(tune, 8000), noise_db=noise_db)
    found = find_sounds(line, 8000, SETTINGS)
    np.testing.assert_allclose(found.music, [[2, 14]], atol=0.3)


def test_voice_and_noise_are_neither_tone_nor_music() -> None:
    for signal in (placed(voice(20)), placed(voice(20), noise_db=-35), noise(20, -20)):
        assert len(find_sounds(signal, 8000, SETTINGS).all) == 0


@pytest.mark.parametrize("rate", [8000, 16000])
def test_short_signals_hold_nothing(rate: int) -> None:
    for n_samples in (1, 100, 600):
        assert len(find_sounds(noise(1, -20, rate=rate)[:n_samples], rate, SETTINGS).all) == 0


@pytest.mark.corpus
@pytest.mark.parametrize("folder", ["calls", "unlabelled/dialogues"])
def test_real_calls_have_no_tone_or_music_in_their_speech(corpus_dir: Path, folder: str) -> None:
    for path in sorted((corpus_dir / folder).iterdir())[:12]:
        audio = at_rate(read_audio(path, AudioSettings()), 8000)
        for channel in audio.samples:
            found = find_sounds(channel, 8000, SETTINGS)
            assert lengths(found.all).sum() < 0.5, path.name
