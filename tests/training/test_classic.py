"""The classic ways to vary a clip do what their names say."""

from __future__ import annotations

import numpy as np
import pytest

from ser_batch.training.augment import Augmentation, telephone_copy
from ser_batch.training.classic import CLASSIC, gated, noise, pitch, speed, value

pytestmark = pytest.mark.xdist_group("librosa")  # one process compiles its functions

RATE_HZ = 8000
TIME = np.arange(RATE_HZ) / RATE_HZ
TONE = (0.2 * np.sin(2 * np.pi * 400 * TIME)).astype(np.float32)


def peak_hz(signal):
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal))))
    return np.fft.rfftfreq(len(signal), 1 / RATE_HZ)[spectrum.argmax()]


@pytest.fixture
def high():
    """Draws the upper end of each range."""

    class High(np.random.Generator):
        def uniform(self, low, high):
            return high

    return High(np.random.PCG64(0))


def test_pitch_changes_and_length_stays(high):
    found = pitch(TONE, RATE_HZ, high)
    assert peak_hz(found) == pytest.approx(400 * 2 ** (2 / 12), rel=0.01)
    assert len(found) == pytest.approx(len(TONE), rel=0.01)


def test_speed_changes_and_pitch_stays(high):
    found = speed(TONE, RATE_HZ, high)
    assert peak_hz(found) == pytest.approx(400, rel=0.01)
    assert len(found) == pytest.approx(len(TONE) / 1.15, rel=0.01)


def test_value_is_clipped_at_full_scale(high):
    found = value(2 * TONE, RATE_HZ, high)
    assert np.abs(found).max() == 1
    assert (np.abs(found) == 1).mean() > 0.2


def test_noise_lies_as_far_below_as_drawn(high):
    added = noise(TONE, RATE_HZ, high) - TONE
    assert 20 * np.log10(TONE.std() / added.std()) == pytest.approx(30, abs=0.5)


def test_the_gate_cuts_out_pauses_and_nothing_else():
    pause = np.full(RATE_HZ, 1e-4, np.float32)
    found = gated(np.concatenate([TONE, pause, TONE]), RATE_HZ)
    assert len(found) / RATE_HZ == pytest.approx(2, abs=0.12)


@pytest.mark.parametrize("way", [*CLASSIC, lambda signal, rate, _rng: gated(signal, rate)])
@pytest.mark.parametrize("n_samples", [0, 1, 100])
def test_next_to_no_signal_is_no_error(way, n_samples):
    way(np.zeros(n_samples, np.float32), RATE_HZ, np.random.default_rng(0))


def test_copies_without_a_share_of_classic_ways_are_what_they_were():
    usual = telephone_copy(TONE, RATE_HZ, Augmentation(), np.random.default_rng(1))
    varied = telephone_copy(TONE, RATE_HZ, Augmentation(classic=1.0), np.random.default_rng(1))
    assert not np.array_equal(usual, varied)
    off = Augmentation(classic=0.0, gated=0.0)
    assert np.array_equal(usual, telephone_copy(TONE, RATE_HZ, off, np.random.default_rng(1)))
