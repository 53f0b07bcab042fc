from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_batch.audio.telephone import compand, telephone


def tone(hz: float, rate: int = 16000) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(rate) / rate)).astype(np.float32)


def level_db(signal: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(signal[2000:6000] ** 2)) + 1e-9))


@pytest.mark.parametrize("codec", ["mulaw", "alaw"])
def test_only_the_band_gets_through(codec):
    inside = level_db(telephone(tone(1000), 16000, codec=codec))
    assert inside == pytest.approx(level_db(tone(1000)[::2]), abs=0.3)
    for outside_hz in (100, 3800):
        assert level_db(telephone(tone(outside_hz), 16000, codec=codec)) < inside - 15


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_what_arrives_has_8000_samples_a_second(rate):
    assert len(telephone(tone(500, rate), rate)) == pytest.approx(8000, abs=2)


def test_the_level_is_what_was_asked_for():
    arrived = telephone(tone(900), 16000, level_db=-26)
    assert level_db(arrived) == pytest.approx(-26, abs=0.3)


def test_silence_stays_silence():
    assert not telephone(np.zeros(16000, np.float32), 16000, level_db=-26).any()


@given(sample=st.floats(-1.25, 1.25, width=32), codec=st.sampled_from(["mulaw", "alaw"]))
def test_companding_errs_by_a_step_of_its_scale(sample, codec):
    heard = float(compand(np.array([sample], np.float32), codec)[0])
    clipped = max(-1.0, min(1.0, sample))
    assert abs(heard - clipped) <= 0.03 * abs(clipped) + 0.0006
