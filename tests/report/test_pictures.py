"""Pictures of signals whose look is known."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from ser_batch.report.pictures import data_url, excerpt_mp3, outline, spectrogram_png

RATE = 8000


def tone(frequency_hz: float, seconds: float = 2.0) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * RATE)) / RATE).astype("f4")


def pixels(png: bytes) -> np.ndarray:
    """Values of a one-byte-a-pixel PNG without filters."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        name, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(
            name + body
        )
        chunks[name] = body
        at += 12 + length
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    return rows[:, 1:]


@given(n_samples=st.integers(0, 5000), n_bins=st.integers(1, 400))
def test_an_outline_holds_the_extremes_of_every_interval(n_samples, n_bins):
    signal = np.random.default_rng(n_samples).uniform(-1, 1, n_samples).astype("f4")
    bins = outline(signal, n_bins)
    assert len(bins) == max(1, min(n_bins, n_samples))
    assert (bins[:, 0] <= bins[:, 1]).all()
    if n_samples:
        assert bins.min() == signal.min()
        assert bins.max() == signal.max()


@pytest.mark.parametrize("frequency_hz", [500, 2000, 3500])
def test_a_tone_is_a_bright_line_at_its_frequency(frequency_hz):
    picture = pixels(spectrogram_png(tone(frequency_hz), RATE, width=100, height=80))
    assert picture.shape == (80, 100)
    row = int(picture[:, 50].argmax())
    assert (1 - (row + 0.5) / 80) * RATE / 2 == pytest.approx(frequency_hz, abs=60)


@pytest.mark.parametrize("signal", [np.zeros(0, "f4"), np.zeros(5, "f4"), np.zeros(RATE, "f4")])
def test_silence_and_very_short_signals_have_a_picture(signal):
    assert pixels(spectrogram_png(signal, RATE, width=100, height=80)).size > 0


def test_an_excerpt_is_an_mp3_of_the_same_sound():
    signal = tone(440, 0.5)
    samples, rate = soundfile.read(io.BytesIO(excerpt_mp3(signal, RATE)), dtype="float32")
    assert rate == RATE
    spectrum = np.abs(np.fft.rfft(samples))
    assert spectrum.argmax() * RATE / len(samples) == pytest.approx(440, abs=5)
    assert np.abs(samples).max() == pytest.approx(1, abs=0.1)
    assert data_url("audio/mpeg", b"abc") == "data:audio/mpeg;base64,YWJj"
