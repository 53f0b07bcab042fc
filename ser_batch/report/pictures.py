"""Pictures of a signal for a page: its outline, its spectrogram, and a piece of it to play."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import numpy as np
import scipy
import soundfile
from numpy.typing import NDArray

from ser_batch.arrays import FloatArray

RANGE_DB = 70.0
"""dB below the loudest bin that a spectrogram shows."""

_WINDOW_S = 0.032
_BLOCK = 1024
"""Frames transformed at a time."""
COLOURS = ("000004", "3b0f70", "8c2981", "de4968", "fe9f6d", "fcfdbf")
"""Of a spectrogram, from the quietest to the loudest; lightness alone distinguishes them."""


def outline(signal: FloatArray, n_bins: int) -> FloatArray:
    """Lowest and highest sample of equal parts of a signal.

    Args:
        signal: mono samples in [-1, 1], shape (n_samples,)
        n_bins: number of parts; fewer where there are fewer samples

    Returns:
        shape (n_bins, 2)
    """
    edges = np.linspace(0, len(signal), min(n_bins, max(len(signal), 1)) + 1).astype(int)[:-1]
    if not len(signal):
        return np.zeros((1, 2), np.float32)
    low, high = np.minimum.reduceat(signal, edges), np.maximum.reduceat(signal, edges)
    return np.stack([low, high], axis=1).astype(np.float32)


def spectrogram_png(signal: FloatArray, sample_rate: int, *, width: int, height: int) -> bytes:
    """A spectrogram as a PNG, low frequencies at the bottom.

    Args:
        signal: mono samples, shape (n_samples,)
        sample_rate: Hz
        width: of the picture at most, pixels; each shows the loudest moment of its time
        height: of the picture at most, pixels
    """
    n_window = int(_WINDOW_S * sample_rate)
    hop = n_window // 2
    padded = np.pad(signal, (hop, n_window))
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_window)[::hop]
    window = np.hanning(n_window).astype(np.float32)
    blocks = []
    for start in range(0, len(frames), _BLOCK):
        spectra = scipy.fft.rfft(frames[start : start + _BLOCK] * window, axis=1)
        blocks.append(_fewer(np.square(spectra.real) + np.square(spectra.imag), height, axis=1))
    power = _fewer(np.concatenate(blocks), width, axis=0).T
    level = 10 * np.log10(power + np.float32(1e-18))
    scaled = np.clip((level - level.max() + RANGE_DB) / RANGE_DB, 0, 1)
    return _png((scaled[::-1] * 255).astype(np.uint8))


def excerpt_mp3(signal: FloatArray, sample_rate: int) -> bytes:
    """A piece of a signal as MP3, which every browser plays.

    Args:
        signal: mono samples in [-1, 1], shape (n_samples,)
        sample_rate: Hz, one that MP3 has
    """
    file = io.BytesIO()
    soundfile.write(
        file, signal, sample_rate, format="MP3", bitrate_mode="CONSTANT", compression_level=0.7
    )
    return file.getvalue()


def data_url(kind: str, content: bytes) -> str:
    """Content that a page carries in itself."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _fewer(values: FloatArray, n_most: int, axis: int) -> FloatArray:
    """The largest value of equal parts along an axis."""
    n_values = values.shape[axis]
    edges = np.linspace(0, n_values, min(n_most, n_values) + 1).astype(int)[:-1]
    fewer: FloatArray = np.maximum.reduceat(values, edges, axis=axis)
    return fewer


def _png(values: NDArray[np.uint8]) -> bytes:
    """A picture of one byte a pixel in the palette.

    Source: PNG specification, third edition (W3C), 5 and 11.
    """
    points = np.array([[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in COLOURS])
    places = np.linspace(0, 255, len(points))
    palette = np.stack([np.interp(np.arange(256), places, points[:, i]) for i in range(3)], axis=1)
    height, width = values.shape
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
