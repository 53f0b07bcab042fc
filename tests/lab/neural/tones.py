"""A small corpus that can be learnt: high, shrill tones that listeners call angry, and low ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from ser_batch.corpora.base import Clip

SPEAKERS = ("a", "b", "c", "d")


def write_tones(folder: Path, *, n_clips: int = 3) -> list[Clip]:
    """Clips of four speakers and two emotions, between 0.5 and 1 s long."""
    rng, clips = np.random.default_rng(0), []
    for speaker in SPEAKERS:
        for emotion, f0_hz, tilt in (("anger", 320, 0.6), ("neutral", 110, 2.0)):
            for number in range(n_clips):
                time = np.arange(int(8000 * rng.uniform(0.5, 1.0))) / 8000
                f0 = f0_hz * rng.uniform(0.9, 1.1)
                tone = sum(np.sin(2 * np.pi * f0 * k * time) / k**tilt for k in range(1, 10))
                path = folder / f"{speaker}_{emotion}_{number}.wav"
                noise = 0.01 * rng.standard_normal(len(time))
                soundfile.write(path, 0.05 * (np.asarray(tone) + noise), 8000)
                other = (("anger", 3.0), ("neutral", 1.0)) if emotion == "anger" else ()
                clips.append(
                    Clip(
                        path, "tones", f"tones:{speaker}", "unknown", emotion, None, "en",
                        "CC0-1.0", votes=other or (("neutral", 4.0),),
                    )
                )  # fmt: skip
    return clips
