"""Synthetic speakers and their emotional manner, by NanoTTS (SVOX Pico).

The speech is made, not recorded: nobody's voice is in it. Manners are exaggerated on purpose, so
that a demo shows what the pipeline does; they are no evidence of how well it works on real people.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal

import numpy as np
from scipy.fft import next_fast_len
from scipy.signal import oaconvolve

from ser_batch.arrays import FloatArray
from ser_batch.errors import DependencyError
from ser_batch.lab.synthetic.activity import active_level_db
from ser_batch.lab.synthetic.prosody import reintone
from ser_batch.lab.synthetic.scenes import NOMINAL_LEVEL_DB, Utterance

ENGINE_RATE_HZ = 16_000
EFFORT_PIVOT_HZ = 650.0
BRIGHTENING_HZ = (200, 300, 400, 500, 700, 1000, 1250, 4000)
BRIGHTENING_DB = (-5.0, -5.0, 1.0, 3.0, 2.0, 3.0, 8.0, 6.5)
"""What the engine's mean spectrum lacks beside read speech over a telephone."""

_M_PERTURB = -6
"""Option of glibc's `mallopt`: new blocks are filled with the complement of a byte."""


Accent = Literal["en-GB", "en-US", "de-DE", "es-ES", "fr-FR", "it-IT"]


@dataclass(frozen=True)
class Voice:
    """A speaker: the engine's voice, its register and the size of the vocal tract.

    Attributes:
        accent: the engine's voice
        pitch: factor on its pitch
        tract: factor on its formants; below 1 sounds larger and more male
        speed: factor on its rate of speech
    """

    accent: Accent
    pitch: float = 1.0
    tract: float = 1.0
    speed: float = 1.0


@dataclass(frozen=True)
class Manner:
    """How something is said.

    Attributes:
        speed: factor on the rate of speech
        pitch: factor on the pitch
        span: factor on the pitch's movement around its median
        rough: random change of each period's length and strength, as a share of it
        breath_db: level of breath noise under the voice
        contrast: exponent on the syllables' loudness; above 1 stresses more
        open: factor on the formants, as an open mouth raises them
        effort_db: as raising the voice does, so much more above 650 Hz and less below
        gain_db: louder or softer
    """

    speed: float
    pitch: float
    span: float
    rough: float
    breath_db: float
    contrast: float
    open: float
    effort_db: float
    gain_db: float

    def at(self, intensity: float) -> Manner:
        """The manner on the way from neutral (0) to this one (1)."""
        neutral = MANNERS["neutral"]
        return Manner(
            **{
                field.name: (1 - intensity) * getattr(neutral, field.name)
                + intensity * getattr(self, field.name)
                for field in fields(self)
            }
        )


MANNERS: dict[str, Manner] = {
    "neutral": Manner(
        speed=1.12, pitch=1.0, span=1.5, rough=0.02, breath_db=-24, contrast=1.4, open=1.04,
        effort_db=2.5, gain_db=0,
    ),
    "calm": Manner(
        speed=1.0, pitch=0.97, span=1.2, rough=0.02, breath_db=-24, contrast=1.3, open=1.02,
        effort_db=1.0, gain_db=-1,
    ),
    "anger": Manner(
        speed=1.22, pitch=1.4, span=2.2, rough=0.03, breath_db=-28, contrast=1.5, open=1.24,
        effort_db=18, gain_db=7,
    ),
    "sadness": Manner(
        speed=0.78, pitch=0.88, span=0.4, rough=0.035, breath_db=-15, contrast=1.2, open=1.0,
        effort_db=1.0, gain_db=-5,
    ),
    "happiness": Manner(
        speed=1.15, pitch=1.55, span=1.8, rough=0.005, breath_db=-23, contrast=1.6, open=1.05,
        effort_db=3.5, gain_db=2,
    ),
}  # fmt: skip
"""By emotion of the vocabulary. Anger is set so that the bundled model detects it; the
engine's other moods are faint to a model trained on people."""


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
        text: in the language of the voice
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
    # playing the samples at another rate moves the formants, but also rate and pitch: taken back
    size = voice.tract * manner.open
    samples = _engine_speech(
        text,
        accent=voice.accent,
        speed=voice.speed * manner.speed / size,
        pitch=voice.pitch * manner.pitch / size,
    )
    rate_hz = round(ENGINE_RATE_HZ * size)
    samples = reintone(samples, rate_hz=rate_hz, span=manner.span, rough=manner.rough, rng=rng)
    samples = _stressed(samples, rate_hz=rate_hz, contrast=manner.contrast)
    samples = _coloured(samples, rate_hz=rate_hz, effort_db=manner.effort_db)
    samples = _breathed(samples, rate_hz=rate_hz, breath_db=manner.breath_db, rng=rng)
    level_db = active_level_db(samples, rate_hz=rate_hz)
    gain = 10 ** ((NOMINAL_LEVEL_DB + manner.gain_db - level_db) / 20)
    return Utterance((samples * gain).astype(np.float32), rate_hz, emotion, intensity, text)


def _envelope(samples: FloatArray, *, rate_hz: int) -> FloatArray:
    """Amplitude of each syllable, 1 at the loudest, shape (n_samples,)."""
    smooth = np.hanning(round(0.06 * rate_hz))
    power = oaconvolve(np.square(samples), smooth / smooth.sum(), mode="same")
    amplitude = np.sqrt(np.maximum(power, 1e-10))
    return np.asarray(amplitude / amplitude.max(), dtype=np.float32)


def _stressed(samples: FloatArray, *, rate_hz: int, contrast: float) -> FloatArray:
    """Loud syllables louder against soft ones: the envelope to the power of `contrast`."""
    stress: FloatArray = _envelope(samples, rate_hz=rate_hz) ** np.float32(contrast - 1.0)
    return samples * stress


def _breathed(
    samples: FloatArray, *, rate_hz: int, breath_db: float, rng: np.random.Generator
) -> FloatArray:
    """Noise under the voice that follows its loudness."""
    noise = rng.standard_normal(len(samples))
    level = 10 ** (breath_db / 20) * np.sqrt(np.mean(np.square(samples)))
    envelope = _envelope(samples, rate_hz=rate_hz)
    noise *= envelope * level / np.sqrt(np.mean(np.square(noise * envelope)))
    return (samples + noise).astype(np.float32)


def _coloured(samples: FloatArray, *, rate_hz: int, effort_db: float) -> FloatArray:
    """The engine's dull spectrum made a person's, at a vocal effort."""
    size = next_fast_len(len(samples), real=True)
    hz = np.maximum(np.fft.rfftfreq(size, 1 / rate_hz), 50.0)
    gain_db = np.interp(np.log(hz), np.log(BRIGHTENING_HZ), BRIGHTENING_DB)
    gain_db += effort_db * np.tanh(1.5 * np.log2(hz / EFFORT_PIVOT_HZ))
    spectrum = np.fft.rfft(samples, size) * 10 ** (gain_db / 20)
    return np.fft.irfft(spectrum, size)[: len(samples)].astype(np.float32)


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
