"""The recordings of a call as one 16-bit WAV that is decoded where it is read, and never stored.

Browsers play PCM and lack mu-law, A-law and GSM; two files that hold a side each become two
channels. The header and the length are known beforehand, so that any range of bytes can be given.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from ser_batch.arrays import FloatArray
from ser_batch.audio.call_audio import start_gap_s
from ser_batch.audio.decode import open_audio
from ser_batch.errors import GoneFileError
from ser_batch.files.inputs import is_there, path_inside

HEADER_BYTES = 44
BLOCK_FRAMES = 1 << 14
N_BINS = 1200
"""Parts into which a waveform is divided."""

Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Track:
    """One file of a call.

    Attributes:
        path: the file, inside its audio folder
        recording_id: digest that its bytes should have
        rate_hz: sampling rate
        n_frames: samples a channel
        offset: frames of the call before its first
    """

    path: Path
    recording_id: str
    rate_hz: int
    n_frames: int
    offset: int = 0


@dataclass(frozen=True)
class CallSound:
    """What a call's WAV holds.

    Attributes:
        tracks: the only file, or one a side
        n_channels: of the WAV
        rate_hz: of the WAV
        n_frames: samples a channel
    """

    tracks: tuple[Track, ...]
    n_channels: int
    rate_hz: int
    n_frames: int

    @property
    def n_bytes(self) -> int:
        """Size of the WAV."""
        return HEADER_BYTES + 2 * self.n_channels * self.n_frames

    def wav(self, first: int, last: int) -> Iterator[bytes]:
        """Bytes of the WAV from `first` to `last`, both included; decoded as they are asked for.

        Raises:
            FileError: if a file cannot be decoded any more
        """
        head = self._header()[first : last + 1]
        if head:
            yield head
        frame_bytes = 2 * self.n_channels
        start, stop = max(first - HEADER_BYTES, 0), last + 1 - HEADER_BYTES
        if stop <= start:
            return
        skipped, n_left = start % frame_bytes, stop - start
        for block in self.blocks(start // frame_bytes, -(-stop // frame_bytes), BLOCK_FRAMES):
            data = block.tobytes()[skipped : skipped + n_left]
            skipped, n_left = 0, n_left - len(data)
            yield data

    def blocks(self, start: int, stop: int, n_frames: int) -> Iterator[Samples]:
        """Samples from one frame to another, so many at a time, each of shape (n, n_channels)."""
        with ExitStack() as stack:
            readers = [
                _Reader(stack.enter_context(open_audio(track.path)), track) for track in self.tracks
            ]
            for first in range(start, stop, n_frames):
                n = min(n_frames, stop - first)
                sides = [reader.read(first, n, self.rate_hz) for reader in readers]
                if len(sides) > 1:
                    sides = [np.stack([side[:, 0] for side in sides], axis=1)]
                yield (np.clip(np.nan_to_num(sides[0]), -1, 1) * 32767).astype("<i2")

    def peaks(self) -> Samples:
        """Lowest and highest sample of equal parts, shape (n_parts, 2, n_channels)."""
        step = max(1, -(-self.n_frames // N_BINS))
        found = [
            (block.min(axis=0), block.max(axis=0)) for block in self.blocks(0, self.n_frames, step)
        ]
        return np.array(found, np.int16)

    def _header(self) -> bytes:
        size, frame_bytes = self.n_bytes - HEADER_BYTES, 2 * self.n_channels
        rate = self.rate_hz
        return struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            *(b"RIFF", min(size + 36, 0xFFFFFFFF), b"WAVE", b"fmt ", 16, 1, self.n_channels, rate),
            *(rate * frame_bytes, frame_bytes, 16, b"data", min(size, 0xFFFFFFFF)),
        )


def open_call(call: Mapping[str, Any]) -> CallSound:
    """The sound of a row of `calls`; only the headers of its files are read.

    Raises:
        OutsideRootError: if metadata leads out of the audio folder
        GoneFileError: if a file is not there any more
        FileError: if a file cannot be used
    """
    sides: Sequence[Mapping[str, Any]] = call["sides"] or [{**call, "start_s": None}]
    tracks, n_channels = [], []
    for side in sides:
        path = path_inside(Path(side["audio_root"]), side["path"])
        if not is_there(path):
            raise GoneFileError
        with open_audio(path) as file:
            tracks.append(Track(path, side["recording_id"], file.samplerate, file.frames))
            n_channels.append(file.channels)
    if len(tracks) == 1:
        return CallSound(tuple(tracks), n_channels[0], tracks[0].rate_hz, tracks[0].n_frames)
    rate = max(track.rate_hz for track in tracks)
    lengths_s = [track.n_frames / track.rate_hz for track in tracks]
    gap = round(start_gap_s([side["start_s"] for side in sides], lengths_s) * rate)
    placed = [
        Track(track.path, track.recording_id, track.rate_hz, track.n_frames, offset)
        for track, offset in zip(tracks, (max(0, -gap), max(0, gap)), strict=True)
    ]
    ends = (t.offset + round(s * rate) for t, s in zip(placed, lengths_s, strict=True))
    return CallSound(tuple(placed), len(placed), rate, max(ends))


class _Reader:
    """Reads a file of a call on the call's time line, forwards."""

    def __init__(self, file: soundfile.SoundFile, track: Track) -> None:
        self._file = file
        self._track = track
        self._place = 0

    def read(self, first: int, n_frames: int, rate_hz: int) -> FloatArray:
        """Samples of the file, silence where it has none.

        Args:
            first: frame of the call
            n_frames: how many
            rate_hz: of the call; a file of another rate is interpolated

        Returns:
            shape (n_frames, n_channels)
        """
        track = self._track
        at = (np.arange(first, first + n_frames) - track.offset) * (track.rate_hz / rate_hz)
        beyond = 1 if track.rate_hz == rate_hz else 2
        ends = (at[0], at[-1] + beyond)
        low, high = (int(np.clip(np.floor(each), 0, track.n_frames)) for each in ends)
        own = self._own(low, high)
        if track.rate_hz == rate_hz:
            samples: FloatArray = np.zeros((n_frames, own.shape[1]), np.float32)
            before = max(0, -int(at[0]))
            samples[before : before + len(own)] = own
            return samples
        if not len(own):
            return np.zeros((n_frames, own.shape[1]), np.float32)
        places = np.arange(low, low + len(own))
        sides = [np.interp(at, places, side, left=0, right=0) for side in own.T]
        return np.stack(sides, axis=1).astype(np.float32)

    def _own(self, low: int, high: int) -> FloatArray:
        """Samples of the file; GSM, in which nothing can be sought, is decoded up to there."""
        if self._place != low:
            if self._file.seekable():
                self._file.seek(low)
            else:
                while self._place < low and len(
                    skipped := self._file.read(min(BLOCK_FRAMES, low - self._place))
                ):
                    self._place += len(skipped)
        own: FloatArray = self._file.read(high - low, dtype="float32", always_2d=True)
        self._place = low + len(own)
        return own
