"""The whole pass over a call."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ser_batch.arrays import FloatArray
from ser_batch.audio.analysis import analyse_calls
from ser_batch.audio.channels import is_dual_mono
from ser_batch.audio.decode import Audio, read_audio
from ser_batch.config import Settings
from tests.audio.signals import noise, silence, tone, voice

SETTINGS = Settings()


def call(*channels: FloatArray, rate: int = 8000) -> Audio:
    return Audio(np.stack(channels), rate, "WAV", "PCM_16")


def agent(rate: int = 8000) -> FloatArray:
    """Speaks from 1 to 4 s and from 9 to 11 s of 14 s."""
    parts = [silence(1), voice(3), silence(5), voice(2), silence(3)]
    return np.concatenate(parts) + noise(14, -60)


def customer() -> FloatArray:
    """Speaks from 5 to 10 s of 14 s."""
    parts = [silence(5), voice(5, -26, pitch_hz=110), silence(4)]
    return np.concatenate(parts) + noise(14, -55, seed=1)


def test_each_side_has_its_segments_levels_and_overlap() -> None:
    (analysis,) = analyse_calls([call(agent(), customer())], SETTINGS)
    first, second = analysis.channels
    assert analysis.duration_s == 14
    np.testing.assert_allclose(first.segments, [[1, 4], [9, 11]], atol=0.1)
    np.testing.assert_allclose(second.segments, [[5, 10]], atol=0.25)
    np.testing.assert_allclose(first.measures["overlap_ratio"], [0, 0.5], atol=0.12)
    np.testing.assert_allclose(second.measures["overlap_ratio"], [0.2], atol=0.05)
    np.testing.assert_allclose(first.measures["level_db"], [-20, -20], atol=1)
    np.testing.assert_allclose(second.measures["level_db"], [-26], atol=1)
    np.testing.assert_allclose(first.measures["snr_db"], [40, 40], atol=1.5)
    assert first.measures["speech_ratio"].min() > 0.9
    assert first.speech_s == pytest.approx(5, abs=0.2)
    assert second.noise_db == pytest.approx(-55, abs=1)
    assert not analysis.dual_mono


def test_calls_of_one_batch_do_not_touch_each_other() -> None:
    calls = [call(agent(), customer()), call(noise(3, -30)), call(customer()[: 8 * 8000])]
    alone = [analyse_calls([audio], SETTINGS)[0] for audio in calls]
    for one, other in zip(alone, analyse_calls(calls, SETTINGS), strict=True):
        for ours, theirs in zip(one.channels, other.channels, strict=True):
            np.testing.assert_array_equal(ours.segments, theirs.segments)


def test_the_same_signal_on_both_channels_is_one_channel() -> None:
    both = agent() + customer()
    softer = both * np.float32(0.7) + noise(14, -75, seed=5)
    (analysis,) = analyse_calls([call(both, softer)], SETTINGS)
    assert analysis.dual_mono
    assert len(analysis.channels) == 1


def test_two_sides_dead_channels_and_echoes_are_not_dual_mono() -> None:
    for first, second in [
        (agent(), customer()),
        (agent(), silence(14)),
        (agent(), agent() * np.float32(0.05)),
        (silence(14), silence(14)),
        (silence(14) + np.float32(0.3), silence(14) + np.float32(0.3)),
    ]:
        assert not is_dual_mono(np.stack([first, second]), 0.995)


def test_a_constant_offset_is_measured_and_taken_off() -> None:
    (analysis,) = analyse_calls([call(agent() + np.float32(0.1))], SETTINGS)
    (channel,) = analysis.channels
    assert channel.dc_offset == pytest.approx(0.1, abs=1e-3)
    assert channel.signal.mean() == pytest.approx(0, abs=1e-4)
    np.testing.assert_allclose(channel.segments, [[1, 4], [9, 11]], atol=0.1)


def test_clipping_is_measured_before_resampling() -> None:
    loud = np.clip(voice(3, -8, rate=16000), -0.5, 0.5)
    truth = np.mean(np.abs(loud) == 0.5)
    (analysis,) = analyse_calls([call(loud, rate=16000)], SETTINGS)
    (channel,) = analysis.channels
    assert truth > 0.01
    assert channel.clipping_ratio == pytest.approx(truth, rel=0.05)
    assert channel.measures["clipping_ratio"][0] == pytest.approx(truth, rel=0.1)


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
def test_times_do_not_depend_on_the_recordings_rate(rate: int) -> None:
    signal = np.concatenate([silence(2, rate=rate), voice(3, rate=rate), silence(2, rate=rate)])
    (analysis,) = analyse_calls(
        [call(signal + noise(7, -60, rate=rate)[: len(signal)], rate=rate)], SETTINGS
    )
    np.testing.assert_allclose(analysis.channels[0].segments, [[2, 5]], atol=0.1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "signal",
    [
        silence(10),
        np.ones(80000, np.float32),
        np.full(80000, -0.4, np.float32),
        noise(10, -10).clip(-1, 1),
        np.sign(tone(10, 300)),
        tone(10, 440),
        silence(0.25),
    ],
    ids=["silence", "rail", "offset", "noise", "square", "tone", "short"],
)
def test_lines_without_speech_are_finite_or_plainly_nothing(signal: FloatArray) -> None:
    for audio in (call(signal), call(signal, silence(len(signal) / 8000))):
        (analysis,) = analyse_calls([audio], SETTINGS)
        for channel in analysis.channels:
            assert np.isfinite(channel.signal).all()
            assert np.isfinite([channel.noise_db, channel.clipping_ratio, channel.dc_offset]).all()
            assert np.isnan(channel.snr_db) == np.isnan(channel.level_db) == (channel.speech_s == 0)
            assert all(len(values) == len(channel.segments) for values in channel.measures.values())


def test_only_noisy_channels_that_will_be_scored_are_denoised() -> None:
    noisy = customer() + noise(14, -32, seed=7)
    (analysis,) = analyse_calls([call(agent(), noisy)], SETTINGS)
    assert [channel.denoised for channel in analysis.channels] == [False, True]
    (spared,) = analyse_calls([call(agent(), noisy)], SETTINGS, denoise_channels=[{0}])
    assert [channel.denoised for channel in spared.channels] == [False, False]


@pytest.mark.corpus
def test_the_example_call_has_two_sides_that_take_turns(corpus_dir: Path) -> None:
    audio = read_audio(corpus_dir / "calls" / "auto_repairs_40.wav", SETTINGS.audio)
    (analysis,) = analyse_calls([audio], SETTINGS)
    agent_side, caller = analysis.channels
    assert 80 < agent_side.speech_s < 110
    assert 80 < caller.speech_s < 110
    assert caller.measures["overlap_ratio"].mean() < 0.15
    for channel in analysis.channels:
        assert channel.snr_db > 40
        assert np.diff(channel.segments, axis=1).max() <= SETTINGS.segments.max_segment_s


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["Sample1.mp3", "Sample2.mp3"])
def test_stereo_files_of_one_signal_are_found_out(corpus_dir: Path, name: str) -> None:
    (analysis,) = analyse_calls([read_audio(corpus_dir / "calls" / name, SETTINGS.audio)], SETTINGS)
    assert analysis.dual_mono
    assert len(analysis.channels) == 1
    assert len(analysis.channels[0].segments) >= 8
