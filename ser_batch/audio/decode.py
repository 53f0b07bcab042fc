"""Recordings in: one decode a file, with a reason for each file that cannot be used."""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from ser_batch.arrays import FloatArray
from ser_batch.audio.declared_length import Streamed, declared_length
from ser_batch.config import AudioSettings
from ser_batch.errors import (
    ChannelCountError,
    EmptyFileError,
    LongAudioError,
    NonFiniteAudioError,
    NotAudioError,
    SampleRateError,
    ShortAudioError,
    TruncatedAudioError,
    UnreadableFileError,
)

LEAST_RATE_HZ, MOST_RATE_HZ = 8000, 48000
BLOCK_SAMPLES = 1 << 18
"""Samples a channel decoded at a time."""

COUNTED_CONTAINERS = frozenset({"WAV", "WAVEX", "RF64", "W64", "AIFF", "FLAC"})
"""Containers whose header states the number of samples; MP3 and OGG only let it be estimated."""


@dataclass(frozen=True)
class Audio:
    """A decoded recording.

    Attributes:
        samples: shape (n_channels, n_samples), in [-1, 1]
        sample_rate: Hz
        container: soundfile's name of the file format, such as WAV
        codec: soundfile's name of the encoding, such as ULAW
    """

    samples: FloatArray
    sample_rate: int
    container: str
    codec: str

    @property
    def duration_s(self) -> float:
        """Seconds."""
        return float(self.samples.shape[1] / self.sample_rate)

    def side(self, channel: int) -> FloatArray:
        """Samples that carry a side of the call: both sides' where they share one channel.

        Args:
            channel: as in the tables, 0 or 1

        Returns:
            shape (n_samples,)
        """
        own: FloatArray = self.samples[min(channel, len(self.samples) - 1)]
        return own


def read_audio(path: Path, settings: AudioSettings) -> Audio:
    """Decode a recording.

    Args:
        path: WAV (PCM, float, mu-law, A-law), FLAC, MP3, OGG Vorbis, Opus or AIFF
        settings: the durations that are taken

    Returns:
        all channels at the recording's own rate; samples beyond full scale are cut to it

    Raises:
        UnreadableFileError: if the operating system refuses
        EmptyFileError: if there are no bytes
        NotAudioError: if no decoder knows the bytes or the codec
        TruncatedAudioError: if the header's number of samples is not what the file holds
        ChannelCountError: if there are more than two channels
        SampleRateError: outside 8 to 48 kHz
        ShortAudioError: below the least duration
        LongAudioError: above the longest
        NonFiniteAudioError: if samples are NaN or infinite
    """
    source = _checked(path)
    try:
        with soundfile.SoundFile(source) as file:
            _check_header(file, settings)
            samples = _decoded(file, settings)
            audio = Audio(samples, file.samplerate, file.format, file.subtype)
    except soundfile.LibsndfileError as error:
        raise NotAudioError(error.error_string.strip().rstrip(".")) from error
    if audio.duration_s < settings.min_duration_s:
        raise ShortAudioError(duration_s=audio.duration_s, least_s=settings.min_duration_s)
    return audio


def at_rate(audio: Audio, rate_hz: int) -> Audio:
    """The recording at another sampling rate; itself where the rate is right already.

    Args:
        audio: any rate
        rate_hz: Hz
    """
    if audio.sample_rate == rate_hz:
        return audio
    resampled = soxr.resample(audio.samples.T, audio.sample_rate, rate_hz, quality="HQ")
    samples = np.ascontiguousarray(resampled.T, np.float32)
    return Audio(samples, rate_hz, audio.container, audio.codec)


def _checked(path: Path) -> bytes | io.BytesIO:
    """What to decode once the bytes have been looked at: the path as the system knows it."""
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise EmptyFileError
            declared = declared_length(file)
            if isinstance(declared, Streamed):
                return _with_length(file, declared)
    except OSError as error:
        raise UnreadableFileError(error) from error
    if declared is not None and not declared.is_complete:
        raise TruncatedAudioError(n_expected=declared.n_declared, n_read=declared.n_held)
    return os.fsencode(path)


def _with_length(file: BinaryIO, streamed: Streamed) -> io.BytesIO:
    """A WAV file in memory, its length filled in: libsndfile takes 0 for nothing."""
    file.seek(0)
    repaired = io.BytesIO(file.read())
    repaired.seek(streamed.size_at)
    repaired.write(struct.pack("<I", min(streamed.n_bytes, 0xFFFFFFFF)))
    repaired.seek(0)
    return repaired


def _check_header(file: soundfile.SoundFile, settings: AudioSettings) -> None:
    """What the header says before anything is decoded."""
    if file.channels not in (1, 2):
        raise ChannelCountError(file.channels)
    if not LEAST_RATE_HZ <= file.samplerate <= MOST_RATE_HZ:
        raise SampleRateError(file.samplerate)
    duration_s = file.frames / file.samplerate
    if duration_s > settings.max_duration_s:
        raise LongAudioError(duration_s=duration_s, most_s=settings.max_duration_s)


def _decoded(file: soundfile.SoundFile, settings: AudioSettings) -> FloatArray:
    """All samples, shape (n_channels, n_samples), decoded block by block into one array."""
    n_declared = file.frames
    n_most = int(settings.max_duration_s * file.samplerate)
    samples = np.empty((file.channels, n_declared), np.float32)
    n_read = 0
    while len(block := _next_block(file)):
        if n_read + len(block) > n_most:
            raise LongAudioError(
                duration_s=(n_read + len(block)) / file.samplerate, most_s=settings.max_duration_s
            )
        if n_read + len(block) > samples.shape[1]:
            room = np.empty((file.channels, 2 * (n_read + len(block))), np.float32)
            room[:, :n_read] = samples[:, :n_read]
            samples = room
        np.clip(block.T, -1, 1, out=samples[:, n_read : n_read + len(block)])
        n_read += len(block)
    if n_read < n_declared and file.format in COUNTED_CONTAINERS:
        raise TruncatedAudioError(n_expected=n_declared, n_read=n_read)
    return samples[:, :n_read]


def _next_block(file: soundfile.SoundFile) -> FloatArray:
    """The next samples, shape (n_samples, n_channels); none at the end of what can be decoded."""
    try:
        block: FloatArray = file.read(BLOCK_SAMPLES, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        if file.format not in COUNTED_CONTAINERS:
            raise
        return np.empty((0, file.channels), np.float32)
    n_bad = block.size - int(np.count_nonzero(np.isfinite(block)))
    if n_bad:
        raise NonFiniteAudioError(n_bad)
    return block
