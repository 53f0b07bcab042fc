"""Synthetic speakers and their emotional manner, by NanoTTS (SVOX Pico).

The speech is made, not recorded: nobody's voice is in it. Manners are exaggerated on purpose, so
that a demo shows what the pipeline does; they are no evidence of how well it hears real people.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal

import numpy as np

from ser_batch.arrays import FloatArray
from ser_batch.errors import DependencyError
from ser_batch.synthetic.activity import active_level_db
from ser_batch.synthetic.prosody import reintone
from ser_batch.synthetic.scenes import NOMINAL_LEVEL_DB, Utterance

ENGINE_RATE_HZ = 16_000
_M_PERTURB = -6
"""Option of glibc's `mallopt`: new blocks are filled with the complement of a byte."""


@dataclass(frozen=True)
class Voice:
    """A speaker: the engine's voice, its register and the size of the vocal tract.

    Attributes:
        accent: the engine's voice
        pitch: factor on its pitch
        tract: factor on its formants; below 1 sounds larger and more male
        speed: factor on its rate of speech
    """

    accent: Literal["en-GB", "en-US"]
    pitch: float = 1.0
    tract: float = 1.0
    speed: float = 1.0


@dataclass(frozen=True)
class Manner:
    """How something is said, beside the speaker's neutral way.

    Attributes:
        speed: factor on the rate of speech
        pitch: factor on the pitch
        span: factor on the pitch's movement around its median
        jitter: random change of each period, as a share of it
        gain_db: louder or softer
        tilt_db: brighter (positive) or duller, dB an octave
    """

    speed: float = 1.0
    pitch: float = 1.0
    span: float = 1.0
    jitter: float = 0.0
    gain_db: float = 0.0
    tilt_db: float = 0.0

    def at(self, intensity: float) -> Manner:
        """This manner, so far from the neutral one: 0 neutral, 1 as it is."""
        neutral = Manner()
        return Manner(
            **{
                field.name: (1 - intensity) * getattr(neutral, field.name)
                + intensity * getattr(self, field.name)
                for field in fields(self)
            }
        )


MANNERS: dict[str, Manner] = {
    "neutral": Manner(),
    "calm": Manner(speed=0.94, pitch=0.95, span=0.8, gain_db=-1.0, tilt_db=-0.5),
    "anger": Manner(speed=1.12, pitch=1.5, span=1.8, jitter=0.02, gain_db=7.0, tilt_db=3.0),
    "sadness": Manner(speed=0.78, pitch=0.9, span=0.45, gain_db=-5.0, tilt_db=-3.0),
    "happiness": Manner(speed=1.06, pitch=1.25, span=1.5, gain_db=2.0, tilt_db=0.5),
}
"""By emotion of the vocabulary; angry is louder, faster, higher, livelier, brighter, rougher."""


def speak(
    text: str,
    voice: Voice,
    *,
    emotion: str = "neutral",
    intensity: float = 1.0,
    rng: np.random.Generator,
) -> Utterance:
    """A sentence as a speaker says it in a mood.

    Args:
        text: English
        voice: who says it
        emotion: one of `MANNERS`
        intensity: 0 neutral to 1 full
        rng: draws the voice's roughness

    Returns:
        at `NOMINAL_LEVEL_DB` plus the manner's gain

    Raises:
        DependencyError: if the speech engine is not installed
    """
    manner = MANNERS[emotion].at(intensity)
    samples = _engine_speech(
        text,
        accent=voice.accent,
        # resampling by `tract` speeds up and raises as well: taken back here
        speed=voice.speed * manner.speed / voice.tract,
        pitch=voice.pitch * manner.pitch / voice.tract,
    )
    samples = reintone(
        samples, rate_hz=ENGINE_RATE_HZ, span=manner.span, jitter=manner.jitter, rng=rng
    )
    rate_hz = round(ENGINE_RATE_HZ * voice.tract)
    samples = _tilted(samples, rate_hz=rate_hz, tilt_db=manner.tilt_db)
    level_db = active_level_db(samples, rate_hz=rate_hz)
    gain = 10 ** ((NOMINAL_LEVEL_DB + manner.gain_db - level_db) / 20)
    return Utterance((samples * gain).astype(np.float32), rate_hz, emotion, intensity, text)


def _tilted(samples: FloatArray, *, rate_hz: int, tilt_db: float) -> FloatArray:
    """The spectrum turned around 1 kHz by `tilt_db` an octave, between 200 and 4000 Hz."""
    hz = np.clip(np.fft.rfftfreq(len(samples), 1 / rate_hz), 200, 4000)
    gain = 10 ** (tilt_db * np.log2(hz / 1000) / 20)
    return np.fft.irfft(np.fft.rfft(samples) * gain, len(samples)).astype(np.float32)


def _engine_speech(text: str, *, accent: str, speed: float, pitch: float) -> FloatArray:
    """What the engine makes of a text: 16 kHz, full scale 1."""
    engine, libc = _engine(), _c_library()
    with _zeroed_memory(libc):
        pcm = engine.speak(text, voice=accent, speed=speed, pitch=pitch)
    return (np.frombuffer(pcm, dtype="<i2") / 32768).astype(np.float32)


@cache
def _engine() -> Any:
    """The speech engine.

    Raises:
        DependencyError: if it is not installed
    """
    try:
        from py_nanotts import NanoTTS  # noqa: PLC0415  an extra, wanted by the demo only
    except ImportError as error:
        raise DependencyError(
            "the demo's speech engine is not installed: pip install 'ser-batch[demo]'"
        ) from error
    return NanoTTS()


@cache
def _c_library() -> Any:
    """The process's C library, None where it has no `mallopt` (musl, macOS)."""
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") else None


@contextmanager
def _zeroed_memory(libc: Any) -> Iterator[None]:
    """New blocks of memory hold zeros meanwhile.

    The engine reads parts of its working memory before it writes them, so that on reused memory
    the same text comes out differently each time.
    """
    if libc is None:
        yield
        return
    libc.mallopt(_M_PERTURB, 0xFF)
    try:
        yield
    finally:
        libc.mallopt(_M_PERTURB, 0)
