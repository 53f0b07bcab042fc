"""What is wrong with a channel."""

from __future__ import annotations

import numpy as np
import pytest

from ser_batch.arrays import FloatArray
from ser_batch.audio import line_signals as signals
from ser_batch.audio.analysis import LineDiagnosis, analyse_calls
from ser_batch.audio.decode import Audio
from ser_batch.audio.telephone import telephone
from ser_batch.config import Settings
from tests.audio.signals import noise, silence, tone, voice


def diagnosed(*channels: FloatArray, rate: int = 8000) -> list[LineDiagnosis]:
    (analysis,) = analyse_calls([Audio(np.stack(channels), rate, "WAV", "PCM_16")], Settings())
    return [channel.line for channel in analysis.channels]


def speaking(duration_s: float = 8, *, rate: int = 8000) -> FloatArray:
    parts = [silence(1, rate=rate), voice(duration_s - 2, rate=rate), silence(1, rate=rate)]
    return np.concatenate(parts) + noise(duration_s, -65, rate=rate)


def test_a_channel_with_only_clicks_is_dead() -> None:
    clicks = silence(8)
    clicks[::30000] = 0.5
    for channel in (silence(8), clicks, noise(8, -70)):
        assert [line.is_dead for line in diagnosed(speaking(), channel)] == [False, True]


def test_a_quiet_line_is_not_dead() -> None:
    assert [line.is_dead for line in diagnosed(speaking() * np.float32(0.03))] == [False]


def test_sounds_are_counted_by_kind() -> None:
    rng = np.random.default_rng(2)
    music = signals.hold_music(8, rate_hz=8000, rng=rng) * np.float32(0.1)
    parts = [tone(1, 425), silence(4), tone(1, 425), silence(2)]
    parts += [signals.keys("12", rate_hz=8000) * np.float32(0.1), silence(2), music, silence(1)]
    parts += [tone(0.4, 1400), silence(1)]
    whole = np.concatenate(parts)
    (line,) = diagnosed(whole + noise(len(whole) / 8000, -60))
    assert line.ring_s == pytest.approx(2, abs=0.1)
    assert line.keys_s == pytest.approx(0.24, abs=0.12)
    assert line.music_s == pytest.approx(8, abs=0.3)
    assert line.beep_s == pytest.approx(0.4, abs=0.05)


def wideband(rate: int) -> FloatArray:
    """A voice up to 3.6 kHz, and while it sounds noise of a flat spectrum 16 dB below it."""
    clean = speaking(rate=rate)
    return clean + noise(8, -36, rate=rate, seed=3) * (clean**2 > 1e-4)


@pytest.mark.parametrize("rate", [16000, 48000])
def test_a_narrow_band_is_seen_through_any_sampling_rate(rate: int) -> None:
    wide = wideband(rate)
    narrow = telephone(wide, rate)
    blown_up = np.interp(np.arange(len(wide)) / rate, np.arange(len(narrow)) / 8000, narrow).astype(
        np.float32
    )
    spectrum = np.fft.rfft(blown_up)
    spectrum[int(4000 * len(blown_up) / rate) :] = 0
    blown_up = np.fft.irfft(spectrum, len(blown_up)).astype(np.float32)
    (full,), (telephoned,) = diagnosed(wide, rate=rate), diagnosed(blown_up, rate=rate)
    assert full.bandwidth_hz > 5500
    assert 3000 < telephoned.bandwidth_hz < 3950
