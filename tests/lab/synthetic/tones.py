"""Voices made of tones: speech to a detector's ear, without a speech engine, in milliseconds.

For tests and benches that need exact truth about when somebody speaks, and nothing about words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from ser_batch.arrays import FloatArray
from ser_batch.lab.synthetic.dialogue import Mood, Part
from ser_batch.lab.synthetic.scenes import NOMINAL_LEVEL_DB, Utterance

VOWELS_HZ = (
    (730.0, 1090.0, 2440.0),
    (530.0, 1840.0, 2480.0),
    (390.0, 1990.0, 2550.0),
    (570.0, 840.0, 2410.0),
    (440.0, 1020.0, 2240.0),
)
"""First three formants. Source: G. Peterson and H. Barney, Control methods used in a study of
the vowels, JASA 24 (1952), men's means."""

FORMANT_WIDTHS_HZ = (80.0, 100.0, 140.0)
SYLLABLE_S = (0.14, 0.26)


def speech_like(
    duration_s: float,
    *,
    rate_hz: int,
    rng: np.random.Generator,
    f0_hz: float = 130.0,
    level_db: float = NOMINAL_LEVEL_DB,
) -> FloatArray:
    """Syllables without a pause: a hiss, then a vowel, at a falling pitch.

    Args:
        duration_s: seconds, filled from the first to the last sample
        rate_hz: sampling rate
        rng: draws vowels and lengths
        f0_hz: pitch
        level_db: RMS, dB re full scale

    Returns:
        shape (duration_s * rate_hz,), float32
    """
    n_samples = round(duration_s * rate_hz)
    parts: list[FloatArray] = []
    while sum(map(len, parts)) < n_samples:
        declination = 1.15 - 0.3 * sum(map(len, parts)) / n_samples
        parts.append(_syllable(f0_hz * declination, rate_hz=rate_hz, rng=rng))
    wave = np.concatenate(parts)[:n_samples]
    rms = np.sqrt(np.mean(np.square(wave))) if n_samples else 1.0
    return (wave * 10 ** (level_db / 20) / rms).astype(np.float32)


@dataclass(frozen=True)
class ToneSpeaker:
    """A speaker who says nothing in particular; louder and higher when angry.

    Attributes:
        f0_hz: pitch
        rng: draws syllables and how long a turn is
    """

    f0_hz: float
    rng: np.random.Generator

    def utter(self, part: Part, mood: Mood) -> Utterance:
        """One to four seconds of syllables."""
        angry = mood.intensity if mood.emotion == "anger" else 0.0
        samples = speech_like(
            float(self.rng.uniform(1.0, 4.0)),
            rate_hz=16_000,
            rng=self.rng,
            f0_hz=self.f0_hz * (1 + 0.4 * angry),
            level_db=NOMINAL_LEVEL_DB + 6 * angry,
        )
        return Utterance(samples, 16_000, mood.emotion, mood.intensity)


def _syllable(f0_hz: float, *, rate_hz: int, rng: np.random.Generator) -> FloatArray:
    """A short hiss and a vowel that rises and falls."""
    n_samples = round(rng.uniform(*SYLLABLE_S) * rate_hz)
    n_hiss = n_samples // 5
    # higher voices come from shorter vocal tracts
    size = (f0_hz / 120.0) ** 0.3
    # a pitch that holds still is music
    f0 = f0_hz * np.linspace(1.15, 0.85, n_samples) * (1 + 0.03 * rng.standard_normal())
    pulses = np.diff(np.floor(np.cumsum(f0) / rate_hz), prepend=0.0)
    wave = lfilter([1.0], [1.0, -0.9], pulses + 0.01 * rng.standard_normal(n_samples))
    for hz, width in zip(VOWELS_HZ[rng.integers(len(VOWELS_HZ))], FORMANT_WIDTHS_HZ, strict=True):
        radius = np.exp(-np.pi * width / rate_hz)
        turn = 2 * radius * np.cos(2 * np.pi * size * hz / rate_hz)
        wave = lfilter([1.0], [1.0, -turn, radius**2], wave)
    wave = wave / np.sqrt(np.mean(np.square(wave)))
    swell = 0.05 + 0.95 * np.sin(np.pi * (np.arange(n_samples) + 0.5) / n_samples) ** 0.7
    wave = wave * swell
    wave[:n_hiss] = 0.2 * wave[:n_hiss] + 0.15 * rng.standard_normal(n_hiss)
    return np.asarray(wave, dtype=np.float32)
