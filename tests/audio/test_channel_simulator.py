from __future__ import annotations

import numpy as np
import pytest

from ser_batch.audio.channel_simulator import (
    ChannelRanges,
    at_level,
    in_room,
    over_noise,
    random_response,
    simulate_channel,
)

RATE_HZ = 16000
QUIET = ChannelRanges(
    band_share=1,
    response_share=0,
    noise_share=0,
    surroundings_share=0,
    mobile_share=0,
    loss_share=0,
)


@pytest.mark.parametrize("seconds", [0.64, 1.8, 5.0])
def test_a_channel_keeps_the_length_and_little_beyond_its_band(seconds):
    noise = np.random.default_rng(1).standard_normal(round(seconds * RATE_HZ)).astype(np.float32)
    received = simulate_channel(0.1 * noise, RATE_HZ, QUIET, np.random.default_rng(2))
    assert len(received) == round(seconds * 8000)
    power = np.abs(np.fft.rfft(received)) ** 2
    hz = np.fft.rfftfreq(len(received), 1 / 8000)
    assert power[hz < 60].mean() < 0.05 * power[(hz > 500) & (hz < 3000)].mean()


def test_channels_differ_and_are_drawn_from_the_seed():
    noise = np.random.default_rng(1).standard_normal(RATE_HZ).astype(np.float32) * 0.1
    copies = [
        simulate_channel(noise, RATE_HZ, ChannelRanges(), np.random.default_rng(s))
        for s in (1, 1, 2)
    ]
    assert np.array_equal(copies[0], copies[1])
    assert not np.array_equal(copies[0], copies[2])


@pytest.mark.parametrize("snr_db", [0.0, 12.0, 30.0])
def test_noise_lies_as_far_below_the_signal_as_was_asked(snr_db):
    rng = np.random.default_rng(3)
    signal, noise = (rng.standard_normal(8000).astype(np.float32) for _ in range(2))
    added = over_noise(0.2 * signal, noise, snr_db) - 0.2 * signal
    assert 10 * np.log10(np.mean((0.2 * signal) ** 2) / np.mean(added**2)) == pytest.approx(
        snr_db, abs=1e-3
    )
    silent = np.zeros(8000, np.float32)
    assert over_noise(silent, noise, snr_db) is silent
    assert over_noise(signal, silent, snr_db) is signal


def test_a_signal_is_brought_to_a_level_and_silence_stays_silence():
    noise = np.random.default_rng(3).standard_normal(8000).astype(np.float32)
    assert 10 * np.log10(np.mean(at_level(noise, -26.0) ** 2)) == pytest.approx(-26, abs=0.01)
    assert not at_level(np.zeros(100, np.float32), -26.0).any()
    assert not at_level(np.zeros(0, np.float32), -26.0).size


def test_a_room_decays_by_60_db_in_its_time_and_keeps_the_direct_sound():
    click = np.zeros(16000, np.float32)
    click[0] = 1.0
    rng = np.random.default_rng(0)
    received = in_room(click, 8000, t60_s=1.0, direct_db=-6.0, rng=rng)
    assert received[0] == 1.0
    tail = received[1:8000] ** 2
    assert 10 * np.log10(1 / tail.sum()) == pytest.approx(-6.0, abs=0.5)
    early, late = tail[:800].mean(), tail[4000:4800].mean()  # half a second apart
    assert 10 * np.log10(early / late) == pytest.approx(30, abs=1.5)
    assert np.abs(received[8000:]).max() < 1e-9


def test_a_microphone_without_tilt_and_bumps_changes_nothing():
    hz, rng = np.fft.rfftfreq(1000, 1 / 8000), np.random.default_rng(0)
    flat = random_response(hz, tilt_db=0.0, bump_db=0.0, rng=rng)
    np.testing.assert_allclose(flat, 1.0)
    tilted = random_response(hz, tilt_db=2.0, bump_db=0.0, rng=rng)
    octaves = np.log2(tilted[[250, 500]] / tilted[[125, 250]])  # 1 to 2 and 2 to 4 kHz
    assert octaves[0] == pytest.approx(octaves[1])
