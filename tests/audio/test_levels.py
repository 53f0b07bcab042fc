"""Level, noise floor, signal-to-noise ratio and clipping."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_batch.audio.intervals import to_mask
from ser_batch.audio.levels import (
    channel_level,
    clipped_samples,
    decibel,
    frame_power,
    per_frame,
    sums,
)
from ser_batch.audio.telephone import compand
from tests.audio.signals import noise, silence, tone, voice

SPEECH = np.zeros(1000, np.bool_)
SPEECH[300:700] = True
EVERYWHERE = np.ones(1000, np.bool_)


def spoken(level_db: float, noise_db: float) -> np.ndarray:
    voiced = np.concatenate([silence(3), voice(4, level_db), silence(3)])
    return voiced + noise(10, noise_db)


@pytest.mark.parametrize(("level_db", "noise_db"), [(-20, -50), (-30, -40), (-12, -32)])
def test_level_and_noise_are_those_the_signal_was_made_with(
    level_db: float, noise_db: float
) -> None:
    level = channel_level(frame_power(spoken(level_db, noise_db), 8000), SPEECH, ~SPEECH)
    together = 10 * np.log10(10 ** (level_db / 10) + 10 ** (noise_db / 10))
    assert level.level_db == pytest.approx(together, abs=0.2)
    assert level.noise_db == pytest.approx(noise_db, abs=0.5)
    assert level.snr_db == pytest.approx(level_db - noise_db, abs=0.7)


@given(gain_db=st.floats(-20, 6))
def test_gain_moves_the_levels_and_not_their_ratio(gain_db: float) -> None:
    signal = spoken(-20, -45)
    before = channel_level(frame_power(signal, 8000), SPEECH, ~SPEECH)
    after = channel_level(
        frame_power(signal * np.float32(10 ** (gain_db / 20)), 8000), SPEECH, ~SPEECH
    )
    assert after.level_db - before.level_db == pytest.approx(gain_db, abs=0.01)
    assert after.snr_db == pytest.approx(before.snr_db, abs=0.01)


def test_a_channel_without_speech_has_a_noise_floor_and_no_level() -> None:
    level = channel_level(frame_power(noise(10, -40), 8000), ~EVERYWHERE, EVERYWHERE)
    assert level.noise_db == pytest.approx(-40, abs=0.5)
    assert np.isnan([level.level_db, level.snr_db]).all()


def test_digital_silence_is_finite() -> None:
    assert decibel(frame_power(silence(1), 8000)).tolist() == [-96] * 100


def test_the_last_frame_is_averaged_over_what_it_has() -> None:
    power = frame_power(np.full(8000 + 20, 0.5, np.float32), 8000)
    assert len(power) == 101
    np.testing.assert_allclose(power, 0.25)


def test_sums_over_intervals_are_sums_over_their_frames() -> None:
    values = np.arange(500.0)
    intervals = np.array([[0, 0.1], [1, 1.5], [4.5, 9]])
    assert sums(values, intervals).tolist() == [
        values[:10].sum(),
        values[100:150].sum(),
        values[450:].sum(),
    ]
    assert np.flatnonzero(to_mask(intervals[:2], 500, 0.01)).tolist() == [
        *range(10),
        *range(100, 150),
    ]


@pytest.mark.parametrize("ceiling", [1.0, 0.3])
def test_clipped_speech_is_found_at_whatever_level_it_was_cut(ceiling: float) -> None:
    loud = voice(5, -8)
    cut = np.clip(loud, -0.5, 0.5) * np.float32(ceiling / 0.5)
    truth = np.abs(loud) >= 0.5
    found = clipped_samples(cut)
    assert found[truth].mean() > 0.99
    assert found[~truth].mean() < 0.005


@pytest.mark.parametrize("codec", ["mulaw", "alaw"])
def test_loud_speech_that_was_not_cut_is_not_called_clipped(codec: str) -> None:
    signal = voice(5, -14)
    signal *= np.float32(0.97) / np.abs(signal).max()
    assert clipped_samples(compand(signal, codec)).mean() < 1e-4
    assert clipped_samples(signal).mean() < 1e-4


def test_clipped_samples_are_counted_in_their_frame_at_any_rate() -> None:
    marked = np.zeros(44100, np.bool_)
    marked[[0, 440, 441, 44099]] = True
    counts = per_frame(marked, 44100, 100)
    assert (counts[0], counts[1], counts[99], counts.sum()) == (2, 1, 1, 4)


def test_silence_and_tones_do_not_clip() -> None:
    assert not clipped_samples(silence(1)).any()
    assert clipped_samples(tone(1, 437, -20)).mean() < 0.12  # a sine dwells at its peak
