"""Made speech in six languages, many voices and moods, as material that belongs to nobody."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import numpy as np
import soxr

from ser_batch.arrays import FloatArray
from ser_batch.lab.distill.material import RATE_HZ
from ser_batch.lab.synthetic.scripts import AGENT_ANSWERS
from ser_batch.lab.synthetic.voices import MANNERS, Accent, Voice, speak

_ENGLISH = tuple(line for lines in AGENT_ANSWERS.values() for line in lines)
_FILE = files("ser_batch.lab.distill") / "sentences.toml"
_OTHERS: dict[Any, list[str]] = tomllib.loads(_FILE.read_text("utf-8"))

LINES: dict[Accent, tuple[str, ...]] = {
    "en-GB": _ENGLISH,
    "en-US": _ENGLISH,
    **{accent: tuple(lines) for accent, lines in _OTHERS.items()},
}
"""What is said, by the engine's voice."""

TITLE, LICENCE = "made speech (py-nanotts, SVOX Pico)", "Apache-2.0"
"""What a card says of it."""


def made_speech(minutes: float, seed: int) -> Iterator[tuple[str, FloatArray]]:
    """Sentences of ever new voices, until there are so many minutes.

    Args:
        minutes: of speech
        seed: of voices, moods and the order of sentences

    Yields:
        name of the voice, and samples at `RATE_HZ`

    Raises:
        DependencyError: if the speech engine is not installed
    """
    rng = np.random.default_rng(seed)
    accents, moods = list(LINES), list(MANNERS)
    left_s = 60 * minutes
    number = 0
    while left_s > 0:
        accent = accents[number % len(accents)]
        tract = float(rng.uniform(0.84, 1.18))
        pitch = float(rng.uniform(0.55, 1.1) if tract < 1 else rng.uniform(0.85, 1.5))
        voice = Voice(accent, pitch=pitch, tract=tract, speed=float(rng.uniform(0.85, 1.25)))
        for line in rng.choice(LINES[accent], 3, replace=False):
            mood, strength = moods[int(rng.integers(len(moods)))], float(rng.uniform(0.3, 1))
            said = speak(str(line), voice, emotion=mood, intensity=strength, rng=rng)
            samples = soxr.resample(said.samples, said.rate_hz, RATE_HZ)
            left_s -= len(samples) / RATE_HZ
            yield f"{accent} {number}", samples
        number += 1
