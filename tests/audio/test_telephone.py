from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_batch.audio.telephone import compand, lose_packets, telephone, through_gsm


def tone(hz: float, rate: int = 16000) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(rate) / rate)).astype(np.float32)


def level_db(signal: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(signal[2000:6000] ** 2)) + 1e-9))


@pytest.mark.parametrize("codec", ["mulaw", "alaw", "gsm"])
def test_only_the_band_gets_through(codec):
    inside = level_db(telephone(tone(1000), 16000, codec=codec))
    assert inside == pytest.approx(level_db(tone(1000)[::2]), abs=0.8)
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
    received = float(compand(np.array([sample], np.float32), codec)[0])
    clipped = max(-1.0, min(1.0, sample))
    assert abs(received - clipped) <= 0.03 * abs(clipped) + 0.0006


@pytest.mark.parametrize("n_samples", [0, 1, 159, 8000])
def test_mobile_coding_keeps_the_length_and_changes_the_samples(n_samples):
    said = tone(700, 8000)[:n_samples]
    received = through_gsm(said)
    assert received.shape == said.shape
    if n_samples == 8000:
        assert 0.9 < np.corrcoef(said, received)[0, 1] < 0.9999


@pytest.mark.parametrize("burst", [1.0, 3.0])
def test_the_share_of_packets_that_was_asked_for_is_lost_in_bursts(burst):
    said = np.random.default_rng(0).normal(size=4000 * 160).astype(np.float32)
    received = lose_packets(said, share=0.1, burst=burst, rng=np.random.default_rng(1))
    assert received.shape == said.shape
    lost = (received != said).reshape(-1, 160).any(axis=1)
    assert lost.mean() == pytest.approx(0.1, abs=0.02)
    starts = lost & ~np.concatenate([[False], lost[:-1]])
    assert lost.sum() / starts.sum() == pytest.approx(burst, rel=0.25)


def test_a_lost_packet_is_the_last_one_that_arrived_but_quieter():
    said = np.random.default_rng(0).normal(size=200 * 160).astype(np.float32)
    received = lose_packets(said, share=0.1, rng=np.random.default_rng(2)).reshape(-1, 160)
    packets = said.reshape(-1, 160)
    first = next(i for i in range(1, 200) if (received[i] != packets[i]).any())
    np.testing.assert_allclose(received[first], 0.75 * packets[first - 1], rtol=1e-6)


def test_where_nothing_is_lost_nothing_changes():
    said = tone(700, 8000)
    np.testing.assert_array_equal(lose_packets(said, share=0.0, rng=np.random.default_rng(0)), said)
