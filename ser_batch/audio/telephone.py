"""What a telephone line leaves of a signal: its band, its rate, its coding, its packets."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import Literal

import numpy as np
import scipy
import soundfile
import soxr

from ser_batch.arrays import DoubleArray, FloatArray

TELEPHONE_RATE_HZ = 8000
BAND_HZ = (300.0, 3400.0)

Companding = Literal["mulaw", "alaw"]
Codec = Literal["mulaw", "alaw", "gsm"]

PACKET_S = 0.02
CONCEALED_PACKETS = 3
"""So many lost packets in a row are filled, each quieter; what is lost after them is silent."""


def telephone(
    signal: FloatArray,
    sample_rate: int,
    *,
    codec: Codec = "mulaw",
    level_db: float | None = None,
) -> FloatArray:
    """A signal as it arrives at the other end of a telephone line.

    Args:
        signal: mono samples in [-1, 1], shape (n_samples,)
        sample_rate: Hz of the signal
        codec: companding of the line; `gsm` is a mobile caller's full-rate coding before A-law
        level_db: bring the signal to this RMS level (dB re full scale) first; None leaves it

    Returns:
        samples at 8000 Hz, shape (about n_samples * 8000 / sample_rate,), float32
    """
    narrow = soxr.resample(signal.astype(np.float32), sample_rate, TELEPHONE_RATE_HZ)
    band = scipy.signal.sosfilt(_band_filter(), narrow)
    if level_db is not None:
        rms = np.sqrt(np.mean(band**2)) if len(band) else 0.0
        band = band * (10 ** (level_db / 20) / rms) if rms > 0 else band
    arrived = band.astype(np.float32)
    if codec == "gsm":
        return compand(through_gsm(arrived), "alaw")
    return compand(arrived, codec)


def through_gsm(signal: FloatArray) -> FloatArray:
    """A signal of 8000 Hz after GSM full-rate coding and decoding, 13 kbit/s, same length.

    Source: ETSI EN 300 961 (GSM 06.10), as libsndfile codes it.
    """
    if not len(signal):
        return signal
    coded = BytesIO()
    soundfile.write(coded, signal, TELEPHONE_RATE_HZ, format="WAV", subtype="GSM610")
    coded.seek(0)
    decoded, _ = soundfile.read(coded, dtype="float32", frames=len(signal))
    return np.asarray(decoded, np.float32)


def lose_packets(
    signal: FloatArray, *, share: float, burst: float = 1.5, rng: np.random.Generator
) -> FloatArray:
    """A signal of 8000 Hz of whose packets some never arrived.

    A lost packet is filled with the last one that arrived, ever quieter.

    Args:
        signal: mono samples, shape (n_samples,)
        share: of packets that are lost, 0..1
        burst: mean number of packets that are lost in a row, at least 1
        rng: draws which

    Returns:
        same shape, float32

    Source: the two-state chain of Gilbert (1960), "Capacity of a burst-noise channel".
    """
    size = round(PACKET_S * TELEPHONE_RATE_HZ)
    packets = np.array_split(signal, np.arange(size, len(signal), size))
    ends, begins = 1 / burst, share / (burst * max(1 - share, 1e-9))
    arrived, n_lost = np.zeros(size, np.float32), 0
    for number, packet in enumerate(packets):
        n_lost = n_lost + 1 if rng.random() < (1 - ends if n_lost else begins) else 0
        if n_lost:
            gain = max(1 - n_lost / (CONCEALED_PACKETS + 1), 0)
            packets[number] = gain * np.resize(arrived, len(packet))
        else:
            arrived = packet
    return np.concatenate(packets).astype(np.float32)


def compand(signal: FloatArray, codec: Companding) -> FloatArray:
    """A signal after eight-bit companding and expansion.

    Args:
        signal: mono samples; what exceeds [-1, 1] is clipped, as the line does
        codec: `mulaw` (North America, Japan) or `alaw` (elsewhere)

    Source: ITU-T G.711, in its continuous form.
    """
    clipped = np.clip(signal, -1.0, 1.0).astype(np.float64)
    compressed = _compress(np.abs(clipped), codec)
    quantised = (np.floor(compressed * 128).clip(0, 127) + 0.5) / 128
    return (np.sign(clipped) * _expand(quantised, codec)).astype(np.float32)


MU = 255.0
A = 87.6


def _compress(magnitude: DoubleArray, codec: Companding) -> DoubleArray:
    """Magnitudes 0..1 on the codec's scale 0..1."""
    if codec == "mulaw":
        return np.asarray(np.log1p(MU * magnitude) / np.log1p(MU))
    loud = (1 + np.log(np.maximum(A * magnitude, 1))) / (1 + np.log(A))
    return np.asarray(np.where(magnitude < 1 / A, A * magnitude / (1 + np.log(A)), loud))


def _expand(compressed: DoubleArray, codec: Companding) -> DoubleArray:
    """The inverse of `_compress`."""
    if codec == "mulaw":
        return np.asarray(np.expm1(compressed * np.log1p(MU)) / MU)
    knee = 1 / (1 + np.log(A))
    loud = np.exp(compressed * (1 + np.log(A)) - 1) / A
    return np.asarray(np.where(compressed < knee, compressed * (1 + np.log(A)) / A, loud))


@cache
def _band_filter() -> DoubleArray:
    """Band pass of 300 to 3400 Hz; -3 dB at its edges, 24 dB an octave beyond."""
    sections = scipy.signal.butter(4, BAND_HZ, "bandpass", fs=TELEPHONE_RATE_HZ, output="sos")
    return np.asarray(sections, np.float64)
