"""A made-up corpus, named as EmoDB names its clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile


def made_corpus(folder: Path, *, n_speakers: int = 3, seed: int = 0) -> Path:
    """Tones that are named as EmoDB names its clips, anger loud and high."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    time = np.arange(16000) / 16000
    for speaker in ("03", "08", "09", "10")[:n_speakers]:
        for letter, f0_hz in (("W", 300), ("N", 120)):
            for version in "abcd":
                f0 = f0_hz * (1 + 0.05 * rng.normal())
                tone = sum(np.sin(2 * np.pi * f0 * k * time) / k for k in range(1, 10))
                noisy = 0.05 * tone + 0.01 * rng.normal(size=16000)
                soundfile.write(folder / f"{speaker}a01{letter}{version}.wav", noisy, 16000)
    return folder
