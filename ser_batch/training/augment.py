"""Copies of a clip at other speeds and over other channels, which are no emotion."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import soxr

from ser_batch.arrays import FloatArray
from ser_batch.audio.channel_simulator import random_response
from ser_batch.audio.denoise import denoised, pays
from ser_batch.audio.levels import LEVEL_FRAME_S
from ser_batch.audio.line_signals import line_noise
from ser_batch.audio.telephone import TELEPHONE_RATE_HZ, Codec, lose_packets, telephone
from ser_batch.config import DenoiseSettings
from ser_batch.training.classic import CLASSIC, gated

CODECS: dict[Codec, float] = {"mulaw": 0.4, "alaw": 0.4, "gsm": 0.2}
"""How often a copy is coded so."""

PAUSE_S = 0.6
"""Of noise alone before and after a copy: there the noise reduction measures the noise."""


@dataclass(frozen=True)
class Augmentation:
    """How far copies of a clip may differ from it.

    Attributes:
        copies: copies of each clip, in training folds only; 0: none
        speed: largest relative change of speed, and of pitch with it
        tilt_db: standard deviation of the slope of the frequency response, dB per octave
        bump_db: standard deviation of the response at each corner frequency, dB
        level_db: range of the level, dB re full scale
        snr_db: range of the level over line noise, dB
        lossy: share of the copies that lose packets
        lost_packets: range of the share of packets that these lose
        denoise: noise reduction of the copies: a night's, so that a model is trained on what it
            will be given
        classic: share of the copies that are changed in one of four ways before they are sent:
            pitch, speed without pitch, value of the samples, or white noise
        gated: share of the copies whose quiet passages are cut out
    """

    copies: int = 0
    speed: float = 0.08
    tilt_db: float = 2.0
    bump_db: float = 2.0
    level_db: tuple[float, float] = (-36.0, -18.0)
    snr_db: tuple[float, float] = (15.0, 38.0)
    lossy: float = 0.25
    lost_packets: tuple[float, float] = (0.005, 0.05)
    denoise: DenoiseSettings = field(default_factory=DenoiseSettings)
    classic: float = 0.0
    gated: float = 0.0


def telephone_copy(
    signal: FloatArray, sample_rate: int, augmentation: Augmentation, rng: np.random.Generator
) -> FloatArray:
    """The clip said a little faster or slower into another microphone, over another line.

    Args:
        signal: mono samples, shape (n_samples,)
        sample_rate: Hz
        augmentation: how far it may differ
        rng: draws the differences

    Returns:
        8000 Hz, shape (about n_samples * 8000 / sample_rate,)
    """
    signal = _varied(signal, sample_rate, augmentation, rng)
    speed = 1 + rng.uniform(-augmentation.speed, augmentation.speed)
    said = soxr.resample(signal, sample_rate, sample_rate / speed)
    received = with_response(said, sample_rate, augmentation, rng)
    codec = list(CODECS)[int(rng.choice(len(CODECS), p=list(CODECS.values())))]
    arrived = telephone(
        received, sample_rate, codec=codec, level_db=float(rng.uniform(*augmentation.level_db))
    )
    if rng.random() < augmentation.lossy:
        arrived = lose_packets(arrived, share=rng.uniform(*augmentation.lost_packets), rng=rng)
    return _over_noise(arrived, float(rng.uniform(*augmentation.snr_db)), augmentation, rng)


def _varied(
    signal: FloatArray, sample_rate: int, augmentation: Augmentation, rng: np.random.Generator
) -> FloatArray:
    """The clip in one of the classic ways, or gated, where the copies' shares ask for it."""
    # nothing is drawn for a share of 0: copies of models that have none stay as they were
    if augmentation.classic and rng.random() < augmentation.classic:
        way = CLASSIC[int(rng.integers(len(CLASSIC)))]
        signal = way(signal, sample_rate, rng)
    if augmentation.gated and rng.random() < augmentation.gated:
        signal = gated(signal, sample_rate)
    return signal


def _over_noise(
    speech: FloatArray, snr_db: float, augmentation: Augmentation, rng: np.random.Generator
) -> FloatArray:
    """Speech over line noise, denoised where a night would denoise it."""
    pause = round(PAUSE_S * TELEPHONE_RATE_HZ)
    padded = np.pad(speech, pause)
    level = float(np.sqrt(np.mean(np.square(speech)))) if len(speech) else 0.0
    noise = line_noise(len(padded), rate_hz=TELEPHONE_RATE_HZ, rng=rng)
    noisy = (padded + noise * level * 10 ** (-snr_db / 20)).astype(np.float32)
    if pays(snr_db, augmentation.denoise):
        frame = round(LEVEL_FRAME_S * TELEPHONE_RATE_HZ)
        is_speech = np.zeros(len(noisy) // frame, bool)
        is_speech[pause // frame : (len(noisy) - pause) // frame] = True
        noisy = denoised(noisy, TELEPHONE_RATE_HZ, is_speech, augmentation.denoise)
    return np.asarray(noisy[pause : len(noisy) - pause], np.float32)


def with_response(
    signal: FloatArray, sample_rate: int, augmentation: Augmentation, rng: np.random.Generator
) -> FloatArray:
    """The signal through a random, smooth frequency response."""
    hz = np.fft.rfftfreq(len(signal), 1 / sample_rate)
    tilt_db, bump_db = augmentation.tilt_db, augmentation.bump_db
    gain = random_response(hz, tilt_db=tilt_db, bump_db=bump_db, rng=rng)
    return np.fft.irfft(np.fft.rfft(signal) * gain, len(signal)).astype(np.float32)
