"""A corpus as telephone channels, one a speaker, and what lies over them: babble, sounds, hiss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile

from ser_batch.arrays import DoubleArray, FloatArray, IntArray
from ser_batch.audio.channel_simulator import at_level
from ser_batch.audio.telephone import TELEPHONE_RATE_HZ as RATE_HZ
from ser_batch.audio.telephone import compand, telephone
from ser_batch.corpora.base import Clip
from ser_batch.errors import CorpusError
from ser_batch.training.describe import speech_span, telephone_signal

Noise = Literal["babble", "esc10", "white"]

SPEECH_DB, PAUSE_S = -26.0, 1.0
"""dB re full scale of each clip, and s between two."""
N_SOUNDS = 12
"""Environmental sounds, one after the other, that make up a noise."""
BABBLERS = 6


@dataclass(frozen=True)
class Channel:
    """All clips of one speaker.

    Attributes:
        speaker: who
        signal: clean, at 8 kHz, shape (n_samples,)
        spans: of the clips, seconds, shape (n_clips, 2)
        clips: their numbers in the corpus
    """

    speaker: str
    signal: FloatArray
    spans: DoubleArray
    clips: IntArray


def speaker_channels(clips: Sequence[Clip]) -> list[Channel]:
    """One telephone channel a speaker, each clip at the same level."""
    pause = np.zeros(round(PAUSE_S * RATE_HZ), np.float32)
    channels = []
    for speaker in sorted({clip.speaker for clip in clips}):
        numbers = [number for number, clip in enumerate(clips) if clip.speaker == speaker]
        parts, spans, length = [pause], [], len(pause)
        for number in numbers:
            signal = telephone_signal(clips[number], RATE_HZ)
            span = speech_span(signal, RATE_HZ)[0]
            spoken = signal[round(span[0] * RATE_HZ) : round(span[1] * RATE_HZ)]
            spans.append((length / RATE_HZ, (length + len(spoken)) / RATE_HZ))
            parts += [at_level(spoken, SPEECH_DB), pause]
            length += len(spoken) + len(pause)
        channels.append(Channel(speaker, np.concatenate(parts), np.array(spans), np.array(numbers)))
    return channels


def noisy(
    channel: Channel, channels: Sequence[Channel], noise: Noise, snr_db: float, folder: Path
) -> FloatArray:
    """A channel under noise, companded as a line does it; the same noise every time."""
    n_samples = len(channel.signal)
    rng = np.random.default_rng([len(channel.clips), n_samples])
    if noise == "white":
        sound = rng.standard_normal(n_samples).astype(np.float32)
    elif noise == "babble":
        others = [other.signal for other in channels if other.speaker != channel.speaker]
        chosen = rng.choice(len(others), min(BABBLERS, len(others)), replace=False)
        sound = np.sum([_from_anywhere(others[k], n_samples, rng) for k in chosen], axis=0)
    else:
        sound = _from_anywhere(_environment(folder, rng), n_samples, rng)
    return compand(channel.signal + at_level(sound, SPEECH_DB - snr_db), "mulaw")


def check_noise(folder: Path) -> None:
    """Make sure that there are environmental sounds, before any work.

    Raises:
        CorpusError: naming the folder
    """
    n_found = len(list(folder.glob("*.flac")))
    if n_found < N_SOUNDS:
        raise CorpusError(f"{folder} holds {n_found} FLAC files of noise, {N_SOUNDS} are needed")


def _environment(folder: Path, rng: np.random.Generator) -> FloatArray:
    """A few environmental sounds, one after the other, through the telephone."""
    paths = sorted(folder.glob("*.flac"))
    parts = []
    for k in rng.choice(len(paths), N_SOUNDS, replace=False):
        samples, rate = soundfile.read(paths[k], dtype="float32", always_2d=True)
        parts.append(at_level(telephone(samples.mean(axis=1), rate), SPEECH_DB))
    return np.concatenate(parts)


def _from_anywhere(sound: FloatArray, n_samples: int, rng: np.random.Generator) -> FloatArray:
    """A sound from some point on, over and over."""
    return np.resize(np.roll(sound, -int(rng.integers(len(sound)))), n_samples)
