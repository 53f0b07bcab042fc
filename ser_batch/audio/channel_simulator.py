"""Random telephone channels: microphone, room, band, noise, level, coding, packet loss.

`simulate_channel` draws a whole channel. Training copies and benches, which put noise elsewhere,
are composed of its parts and of those in `telephone` and `line_signals`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

import numpy as np
import scipy.fft
import scipy.signal
import soxr
from numpy.typing import NDArray

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.audio.line_signals import line_noise
from ser_batch.audio.telephone import (
    TELEPHONE_RATE_HZ,
    Companding,
    compand,
    lose_packets,
    through_gsm,
)

CORNERS_HZ = (50.0, 100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 8000.0)
"""Where the random frequency response of a microphone is drawn; straight lines between, in dB."""

LOW_HZ = (150.0, 350.0)
HIGH_HZ = (3100.0, 3700.0)
EDGE_STEPS = 5
"""Edges of the band are drawn from a few of each, so that filters are designed once."""

COMPANDINGS: tuple[Companding, ...] = get_args(Companding)


@dataclass(frozen=True)
class ChannelRanges:
    """How telephone channels differ, each draw by itself.

    Attributes:
        band_share: share of copies that are cut to a telephone's band; others keep all below 4 kHz
        response_share: share recorded through another microphone
        tilt_db: standard deviation of its slope, dB an octave
        bump_db: standard deviation of its response at each corner frequency, dB
        level_db: range of the level, dB re full scale
        noise_share: share with noise of a line
        noise_snr_db: range of the level over it, dB
        surroundings_share: share with recorded surroundings or other voices
        surroundings_snr_db: range of the level over them, dB
        mobile_share: share that come from a mobile caller, coded twice
        loss_share: share that lose packets
        lost_packets: range of the share of packets that these lose
    """

    band_share: float = 0.75
    response_share: float = 0.6
    tilt_db: float = 2.0
    bump_db: float = 2.0
    level_db: tuple[float, float] = (-40.0, -14.0)
    noise_share: float = 0.6
    noise_snr_db: tuple[float, float] = (12.0, 45.0)
    surroundings_share: float = 0.3
    surroundings_snr_db: tuple[float, float] = (6.0, 30.0)
    mobile_share: float = 0.15
    loss_share: float = 0.2
    lost_packets: tuple[float, float] = (0.005, 0.06)


def simulate_channel(
    clean: FloatArray,
    sample_rate: int,
    ranges: ChannelRanges,
    rng: np.random.Generator,
    surroundings: Sequence[FloatArray] = (),
) -> FloatArray:
    """The clip as it arrives over a random telephone channel.

    Args:
        clean: mono samples, shape (n_samples,)
        sample_rate: Hz
        ranges: how channels differ
        rng: draws the channel
        surroundings: sounds and voices at 8 kHz that may lie behind it

    Returns:
        samples at 8000 Hz, shape (ceil(n_samples * 8000 / sample_rate),)
    """
    signal = np.asarray(soxr.resample(clean, sample_rate, TELEPHONE_RATE_HZ, "MQ"), np.float32)
    if len(surroundings) and rng.random() < ranges.surroundings_share:
        behind = _cut_out(surroundings[int(rng.integers(len(surroundings)))], len(signal), rng)
        signal = over_noise(signal, behind, rng.uniform(*ranges.surroundings_snr_db))
    signal = _filtered(signal, ranges, rng)
    if rng.random() < ranges.noise_share:
        noise = line_noise(len(signal), rate_hz=TELEPHONE_RATE_HZ, rng=rng)
        signal = over_noise(signal, noise, rng.uniform(*ranges.noise_snr_db))
    level = float(np.sqrt(np.mean(np.square(signal)))) if len(signal) else 0.0
    gain = 10 ** (rng.uniform(*ranges.level_db) / 20) / level if level > 0 else 1.0
    arrived = (signal * gain).astype(np.float32)
    if rng.random() < ranges.mobile_share:
        arrived = through_gsm(np.clip(arrived, -1, 1))
    arrived = _companded(arrived, COMPANDINGS[int(rng.integers(len(COMPANDINGS)))])
    if rng.random() < ranges.loss_share:
        arrived = lose_packets(arrived, share=rng.uniform(*ranges.lost_packets), rng=rng)
    return arrived


def random_response(
    hz: NDArray[np.floating[Any]], *, tilt_db: float, bump_db: float, rng: np.random.Generator
) -> DoubleArray:
    """The gain of a random microphone, smooth over frequency.

    Args:
        hz: frequencies, shape (n,)
        tilt_db: standard deviation of the slope, dB an octave
        bump_db: standard deviation at each of `CORNERS_HZ`, dB
        rng: draws the response

    Returns:
        factors on the magnitude, shape (n,)
    """
    corners = np.log2(np.array(CORNERS_HZ))
    response_db = rng.normal() * tilt_db * (corners - np.log2(1000.0))
    response_db += rng.normal(size=len(corners)) * bump_db
    gain_db = np.interp(np.log2(np.maximum(hz, CORNERS_HZ[0])), corners, response_db)
    return np.asarray(10 ** (gain_db / 20), np.float64)


def in_room(
    signal: FloatArray,
    sample_rate: int,
    *,
    t60_s: float,
    direct_db: float,
    rng: np.random.Generator,
) -> FloatArray:
    """A signal with the reverberation of a room: noise that decays exponentially.

    Args:
        signal: mono samples, shape (n_samples,)
        sample_rate: Hz
        t60_s: time in which the reverberation falls by 60 dB
        direct_db: level of the direct sound over the reverberation
        rng: draws the room

    Returns:
        shape (n_samples,), float32
    """
    times_s = np.arange(round(t60_s * sample_rate)) / sample_rate
    room = rng.standard_normal(len(times_s)) * 10 ** (-3 * times_s / t60_s)
    room *= 10 ** (-direct_db / 20) / np.sqrt(np.sum(np.square(room)))
    room[0] = 1.0
    return np.asarray(scipy.signal.fftconvolve(signal, room)[: len(signal)], np.float32)


def over_noise(signal: FloatArray, noise: FloatArray, snr_db: float) -> FloatArray:
    """A signal with noise behind it at a signal-to-noise ratio; itself where either is silent."""
    power, noise_power = float(np.mean(np.square(signal))), float(np.mean(np.square(noise)))
    if power <= 0 or noise_power <= 0:
        return signal
    gain = np.sqrt(power / noise_power * 10 ** (-snr_db / 10))
    return np.asarray(signal + noise * gain, np.float32)


def at_level(signal: FloatArray, level_db: float) -> FloatArray:
    """A signal at an RMS level, dB re full scale; silence stays silence."""
    power = float(np.mean(np.square(signal, dtype=np.float64))) if signal.size else 0.0
    gain = 10 ** ((level_db - 10 * float(np.log10(power))) / 20) if power > 0 else 1.0
    return (signal * gain).astype(np.float32)


def _filtered(signal: FloatArray, ranges: ChannelRanges, rng: np.random.Generator) -> FloatArray:
    """Through a random microphone and a random band, in one filter of linear phase."""
    n_fft = scipy.fft.next_fast_len(len(signal) + 400, real=True)
    hz = np.fft.rfftfreq(n_fft, 1 / TELEPHONE_RATE_HZ)
    gain = np.ones(len(hz))
    if rng.random() < ranges.response_share:
        gain = random_response(hz, tilt_db=ranges.tilt_db, bump_db=ranges.bump_db, rng=rng)
    if rng.random() < ranges.band_share:
        low, high = (int(rng.integers(EDGE_STEPS)) for _ in range(2))
        gain = gain * np.interp(hz, *_band_gain(low, high))
    spectrum = scipy.fft.rfft(signal, n_fft) * gain.astype(np.float32)
    return np.asarray(scipy.fft.irfft(spectrum, n_fft)[: len(signal)], np.float32)


@cache
def _band_gain(low: int, high: int) -> tuple[DoubleArray, DoubleArray]:
    """Frequencies, and the gain there, of a band pass of 24 dB an octave."""
    edges = [np.linspace(*LOW_HZ, EDGE_STEPS)[low], np.linspace(*HIGH_HZ, EDGE_STEPS)[high]]
    sos = scipy.signal.butter(4, edges, "bandpass", fs=TELEPHONE_RATE_HZ, output="sos")
    hz, response = scipy.signal.sosfreqz(sos, 1024, fs=TELEPHONE_RATE_HZ)
    return np.asarray(hz, np.float64), np.abs(response)


def _cut_out(sound: FloatArray, n_samples: int, rng: np.random.Generator) -> FloatArray:
    """A random piece of a sound, repeated where it is too short."""
    if len(sound) <= n_samples:
        sound = np.tile(sound, n_samples // max(len(sound), 1) + 2)
    start = int(rng.integers(len(sound) - n_samples))
    return np.asarray(sound[start : start + n_samples], np.float32)


def _companded(signal: FloatArray, codec: Companding) -> FloatArray:
    """As `compand`, from a table of the levels that sixteen bits distinguish."""
    numbers = np.rint(np.clip(signal, -1, 1) * 32767).astype(np.int32)
    return _table(codec)[numbers + 32767]


@cache
def _table(codec: Companding) -> FloatArray:
    levels = np.arange(-32767, 32768, dtype=np.float32) / np.float32(32767)
    return compand(levels.astype(np.float32), codec)
