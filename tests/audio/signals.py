"""Made signals with a known truth, for the tests of the audio room."""

from __future__ import annotations

import numpy as np

from ser_batch.arrays import FloatArray

RATE = 8000


def noise(duration_s: float, level_db: float, *, seed: int = 0, rate: int = RATE) -> FloatArray:
    """White noise of a level in dB re full scale."""
    samples = np.random.default_rng(seed).standard_normal(round(duration_s * rate))
    return (samples * 10 ** (level_db / 20)).astype(np.float32)


def tone(
    duration_s: float, frequency_hz: float, level_db: float = -20, *, rate: int = RATE
) -> FloatArray:
    """A sine of a level in dB re full scale."""
    time = np.arange(round(duration_s * rate)) / rate
    amplitude = np.sqrt(2) * 10 ** (level_db / 20)
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time)).astype(np.float32)


def voice(
    duration_s: float, level_db: float = -20, *, pitch_hz: float = 130, rate: int = RATE
) -> FloatArray:
    """Syllables of a quarter of a second: harmonics under formants that glide, a moving pitch."""
    time = np.arange(round(duration_s * rate)) / rate
    pitch = pitch_hz * (1 + 0.15 * np.sin(2 * np.pi * 1.1 * time) * np.sin(2 * np.pi * 2.7 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    vowels = np.array([[700, 1200, 2500], [300, 2200, 2900], [450, 900, 2300], [550, 1700, 2500]])
    beat = np.arange(0, duration_s + 0.25, 0.25)
    formants = [
        np.interp(time, beat, vowels[np.arange(len(beat)) % len(vowels), place])
        for place in range(3)
    ]
    samples = np.zeros_like(time)
    for number in range(1, int(3600 / pitch_hz)):
        frequency = number * pitch
        gain = sum(
            weight / (1 + ((frequency - formant) / width) ** 2)
            for formant, weight, width in zip(
                formants, (1.0, 0.5, 0.25), (90, 110, 150), strict=True
            )
        )
        samples += gain * np.sin(number * phase)
    samples *= 0.15 + np.abs(np.sin(np.pi * time / 0.25)) ** 0.6
    return (samples * 10 ** (level_db / 20) / np.sqrt(np.mean(samples**2))).astype(np.float32)


def silence(duration_s: float, *, rate: int = RATE) -> FloatArray:
    """Digital silence."""
    return np.zeros(round(duration_s * rate), np.float32)
