"""Voice activity: the published network's answers, for all channels at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ser_batch.arrays import FloatArray
from ser_batch.audio.decode import at_rate, read_audio
from ser_batch.audio.vad import FRAME_S, MAX_GAIN_DB, level_gain, speech_probability
from ser_batch.config import AudioSettings, VadSettings
from ser_batch.lab.bench.vad import in_windows
from tests.audio.signals import noise, silence, voice

OPEN_GATE = VadSettings(gate_db=-120)


def phrase(rate: int = 8000, *, pitch_hz: float = 130) -> FloatArray:
    """Six seconds: noise, two seconds of voice in noise, noise."""
    spoken = np.concatenate(
        [silence(2, rate=rate), voice(2, pitch_hz=pitch_hz, rate=rate), silence(2, rate=rate)]
    )
    return spoken + noise(6, -60, rate=rate)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_probabilities_are_those_of_the_published_network_in_windows(rate: int) -> None:
    long = np.concatenate([phrase(rate), noise(4, -50, rate=rate), phrase(rate), phrase(rate)])
    signals = [long, phrase(rate, pitch_hz=110)[: 3 * rate + 17], noise(1, -20, rate=rate)]
    for ours, signal in zip(speech_probability(signals, rate, OPEN_GATE), signals, strict=True):
        np.testing.assert_allclose(ours, in_windows(signal, rate, OPEN_GATE), atol=1e-4)


def test_the_level_of_a_channel_does_not_change_what_is_found() -> None:
    quiet, loud = (phrase() * np.float32(gain) for gain in (0.3, 2.0))
    gate = VadSettings(gate_db=-90)
    found, same = speech_probability([quiet, loud], 8000, gate)
    np.testing.assert_allclose(found, same, atol=1e-3)


def test_a_channel_of_noise_alone_is_raised_by_no_more_than_the_limit() -> None:
    power = np.square(noise(2, -50)).reshape(-1, 250).mean(axis=1)
    assert 20 * np.log10(level_gain(power, gate_db=-65)) == pytest.approx(MAX_GAIN_DB)
    assert level_gain(power, gate_db=-20) == 1


def test_speech_after_a_long_wait_is_found_as_at_the_start() -> None:
    waiting = noise(60, -45)
    signal = np.concatenate([phrase(), waiting, phrase()])
    (probability,) = speech_probability([signal], 8000, VadSettings())
    n = round(6 / FRAME_S)
    first, last = probability[:n] >= 0.5, probability[-n:] >= 0.5
    assert last.sum() >= 0.95 * first.sum() > 0


def test_voice_is_speech_and_the_line_is_not() -> None:
    (probability,) = speech_probability([phrase()], 8000, VadSettings())
    time = np.arange(len(probability)) * FRAME_S
    assert probability[(time > 2.2) & (time < 3.8)].min() > 0.5
    assert probability[(time < 1.9) | (time > 4.3)].max() < 0.3


def test_a_channel_does_not_depend_on_its_neighbours() -> None:
    alone = speech_probability([phrase()], 8000, VadSettings())[0]
    crowd = [noise(9, -30), phrase(), silence(3), phrase(pitch_hz=110)[:20000]]
    together = speech_probability(crowd, 8000, VadSettings())[1]
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_long_silence_is_not_run_and_speech_after_it_is_found() -> None:
    signal = np.concatenate([phrase(), silence(60), phrase()])
    gated = speech_probability([signal], 8000, VadSettings())[0]
    full = speech_probability([signal], 8000, OPEN_GATE)[0]
    time = np.arange(len(gated)) * FRAME_S
    assert not gated[(time > 7) & (time < 65)].any()
    assert np.mean((gated >= 0.5) == (full >= 0.5)) > 0.98


@pytest.mark.parametrize("n_samples", [0, 1, 255, 256, 257])
def test_the_last_frame_may_be_short(n_samples: int) -> None:
    (probability,) = speech_probability([phrase()[:n_samples]], 8000, VadSettings())
    assert len(probability) == -(-n_samples // 256)
    assert np.isfinite(probability).all()


def test_no_channels_give_no_probabilities() -> None:
    assert speech_probability([], 8000, VadSettings()) == []


@pytest.mark.corpus
@pytest.mark.parametrize("rate", [8000, 16000])
def test_the_gate_changes_the_answer_on_real_calls_in_few_frames(
    corpus_dir: Path, rate: int
) -> None:
    audio = read_audio(corpus_dir / "calls" / "auto_repairs_40.wav", AudioSettings())
    signals = [channel[: rate * 90] for channel in at_rate(audio, rate).samples]
    for ours, signal in zip(speech_probability(signals, rate, VadSettings()), signals, strict=True):
        published = in_windows(signal, rate, VadSettings())
        assert np.mean((ours >= 0.5) == (published >= 0.5)) >= 0.98
