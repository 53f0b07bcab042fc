"""Recordings in: one decode a file, with a reason for each file that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from ser_batch.arrays import FloatArray
from ser_batch.audio.declared_length import Streamed, declared_length
from ser_batch.audio.open_length import OpenLengthWav
from ser_batch.config import AudioSettings
from ser_batch.errors import (
    ChannelCountError,
    EmptyFileError,
    LargeAudioError,
    LongAudioError,
    NonFiniteAudioError,
    NotAudioError,
    SampleRateError,
    ShortAudioError,
    TruncatedAudioError,
    UnreadableFileError,
)
from ser_batch.files.inputs import open_input

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


@contextmanager
def open_audio(path: Path) -> Iterator[soundfile.SoundFile]:
    """A recording as a file to decode from, its header held against what the file holds.

    Raises:
        NotRegularFileError: if it is a FIFO, a socket or a device
        UnreadableFileError: if the operating system refuses
        GoneFileError: if there is no such object in a store
        StoreError: if the object store cannot be used
        EmptyFileError: if there are no bytes
        NotAudioError: if no decoder knows the bytes or the codec, also while it is read
        TruncatedAudioError: if the header's number of samples is not what the file holds
    """
    with open_input(path) as source:
        readable = _checked(source)
        try:
            with soundfile.SoundFile(readable) as file:
                yield file
        except soundfile.LibsndfileError as error:
            raise NotAudioError(error.error_string.strip().rstrip(".")) from error


def read_audio(path: Path, settings: AudioSettings) -> Audio:
    """Decode a recording.

    Args:
        path: WAV (PCM, float, mu-law, A-law), FLAC, MP3, OGG Vorbis, Opus or AIFF
        settings: the durations and sizes that are taken

    Returns:
        all channels at the recording's own rate; samples beyond full scale are cut to it

    Raises:
        NotRegularFileError: if it is a FIFO, a socket or a device
        UnreadableFileError: if the operating system refuses
        EmptyFileError: if there are no bytes
        NotAudioError: if no decoder knows the bytes or the codec
        TruncatedAudioError: if the header's number of samples is not what the file holds
        ChannelCountError: if there are more than two channels
        SampleRateError: outside 8 to 48 kHz
        ShortAudioError: below the least duration
        LongAudioError: above the longest
        LargeAudioError: if its samples would take too much memory
        NonFiniteAudioError: if samples are NaN or infinite
    """
    with open_audio(path) as file:
        _check_header(file, settings)
        samples = _decoded(file, settings)
        audio = Audio(samples, file.samplerate, file.format, file.subtype)
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
    # channel by channel: the resampler copies what it is given
    channels = [
        soxr.resample(own, audio.sample_rate, rate_hz, quality="HQ") for own in audio.samples
    ]
    samples = np.stack(channels).astype(np.float32, copy=False)
    return Audio(samples, rate_hz, audio.container, audio.codec)


def _checked(file: BinaryIO) -> BinaryIO | OpenLengthWav:
    """What to decode, once the header has been held against the size of the file."""
    try:
        if not file.read(1):
            raise EmptyFileError
        declared = declared_length(file)
        file.seek(0)
    except OSError as error:
        raise UnreadableFileError(error) from error
    if isinstance(declared, Streamed):
        return OpenLengthWav(file, declared)
    if declared is not None and not declared.is_complete:
        raise TruncatedAudioError(n_expected=declared.n_declared, n_read=declared.n_held)
    return file


def _check_header(file: soundfile.SoundFile, settings: AudioSettings) -> None:
    """What the header says before anything is decoded."""
    if file.channels not in (1, 2):
        raise ChannelCountError(file.channels)
    if not LEAST_RATE_HZ <= file.samplerate <= MOST_RATE_HZ:
        raise SampleRateError(file.samplerate)
    duration_s = file.frames / file.samplerate
    if duration_s > settings.max_duration_s:
        raise LongAudioError(duration_s=duration_s, most_s=settings.max_duration_s)
    _check_size(file.frames, file, settings)


def _check_size(n_samples: int, file: soundfile.SoundFile, settings: AudioSettings) -> None:
    """Whether that many samples a channel may be held in memory."""
    n_bytes = n_samples * file.channels * np.dtype(np.float32).itemsize
    if n_bytes > settings.max_decoded_mb * 1_000_000:
        raise LargeAudioError(n_bytes=n_bytes, most_mb=settings.max_decoded_mb)


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
            _check_size(n_read + len(block), file, settings)
            n_room = min(2 * (n_read + len(block)), n_most)
            room = np.empty((file.channels, n_room), np.float32)
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
