"""Sounds that are no near speech: what a model should not answer about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import scipy

from ser_batch.arrays import FloatArray
from ser_batch.audio.channel_simulator import in_room, over_noise
from ser_batch.audio.line_signals import hold_music, keys, line_noise, tone
from ser_batch.audio.telephone import TELEPHONE_RATE_HZ as RATE_HZ

SOUND_S = 5.0
LEVEL_DB = -20.0
SILENCE_DB = -60.0
"""Level of a line on which nobody speaks, dB re full scale."""
FAR_T60_S = (0.8, 1.6)
FAR_DIRECT_DB = -6.0
"""Speech far from the microphone: reverberation time, and direct sound over the reverberation."""
FAR_SNR_DB = 5.0


def synthetic_sounds(n_each: int) -> Iterator[tuple[str, FloatArray]]:
    """Music, tones, keys, noise and silence of a line, 5 s each, at 8 kHz.

    Args:
        n_each: of each kind
    """
    for kind, make in SYNTHETIC.items():
        for seed in range(n_each):
            yield kind, make(np.random.default_rng(seed))


def far(signal: FloatArray, sample_rate: int, rng: np.random.Generator) -> FloatArray:
    """Speech from the other end of a reverberant room, over the noise of the room.

    Args:
        signal: mono samples, shape (n_samples,)
        sample_rate: Hz
        rng: draws the room and the noise

    Returns:
        shape (n_samples,), float32
    """
    t60_s = rng.uniform(*FAR_T60_S)
    received = in_room(signal, sample_rate, t60_s=t60_s, direct_db=FAR_DIRECT_DB, rng=rng)
    noise = line_noise(len(received), rate_hz=sample_rate, rng=rng)
    return over_noise(received, noise, FAR_SNR_DB)


def _at_level(wave: FloatArray, level_db: float = LEVEL_DB) -> FloatArray:
    return np.asarray(wave * 10 ** (level_db / 20), np.float32)


def _music(rng: np.random.Generator) -> FloatArray:
    return _at_level(hold_music(SOUND_S, rate_hz=RATE_HZ, rng=rng))


def _tones(rng: np.random.Generator) -> FloatArray:
    """One to three sines that hold, rise or fall."""
    hz = tuple(rng.uniform(300, 1500, rng.integers(1, 4)).tolist())
    if rng.random() < 0.5:
        return _at_level(tone(hz, SOUND_S, rate_hz=RATE_HZ))
    times_s = np.arange(round(SOUND_S * RATE_HZ)) / RATE_HZ
    swept = scipy.signal.chirp(times_s, hz[0], SOUND_S, rng.uniform(300, 3000))
    return _at_level(np.asarray(swept * np.sqrt(2), np.float32))


def _keys(rng: np.random.Generator) -> FloatArray:
    digits = "".join(str(digit) for digit in rng.integers(0, 10, round(SOUND_S / 0.2)))
    return _at_level(keys(digits, rate_hz=RATE_HZ))


def _hiss(rng: np.random.Generator) -> FloatArray:
    return _at_level(line_noise(round(SOUND_S * RATE_HZ), rate_hz=RATE_HZ, rng=rng))


def _silence(rng: np.random.Generator) -> FloatArray:
    wave = line_noise(round(SOUND_S * RATE_HZ), rate_hz=RATE_HZ, rng=rng)
    return _at_level(wave, SILENCE_DB)


SYNTHETIC: Mapping[str, Callable[[np.random.Generator], FloatArray]] = {
    "music": _music,
    "tones": _tones,
    "keys": _keys,
    "hiss": _hiss,
    "silence": _silence,
}
