"""The length that a container's header declares, against what the file holds.

Decoders quietly take what is there: a recording that was cut off on the way would pass for a
shorter call. Where the container says how long it is, or where its last page ends, it is held
to that.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

STREAMED_FROM = 0x7FFFF000
"""Bytes; a WAV size from here on, or 0, was written by a recorder that could not seek back: the
data goes to the end of the file. Source: what sox (this), ffmpeg (all ones) and others write."""

SURPLUS_BYTES = 4096
"""Bytes after the data that are passed over without a look: padding, a tag."""

MOST_CHUNKS = 10_000
"""Chunks of a file that are looked at; a recorder writes a handful."""

LONGEST_OGG_PAGE = 65307
"""Bytes. Source: RFC 3533."""


@dataclass(frozen=True)
class DeclaredLength:
    """Samples a channel.

    Attributes:
        n_declared: by the header
        n_held: by the file
    """

    n_declared: int
    n_held: int

    @property
    def is_complete(self) -> bool:
        """Whether the file holds all that the header declares."""
        return self.n_declared == self.n_held


@dataclass(frozen=True)
class Streamed:
    """A WAV header that leaves the length open.

    Attributes:
        size_at: where in the file the length of the data stands
        n_bytes: what should stand there
    """

    size_at: int
    n_bytes: int


def declared_length(file: BinaryIO) -> DeclaredLength | Streamed | None:
    """Hold a container's header against the size of the file.

    Args:
        file: open for reading, seekable

    Returns:
        None where the container declares no length, or is unknown
    """
    file_size = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(12)
    if start[:4] in (b"RIFF", b"RF64") and start[8:] == b"WAVE":
        return _wav(file, file_size)
    if start[:4] == b"FORM" and start[8:] in (b"AIFF", b"AIFC"):
        return _aiff(file, file_size)
    if start[:4] == b"OggS":
        return _ogg(file, file_size)
    return _mp3(file, file_size, start)


def _wav(file: BinaryIO, file_size: int) -> DeclaredLength | Streamed | None:
    bytes_a_sample, long_size = 0.0, 0
    for name, start, size in _chunks(file, 12, file_size, "<"):
        if name == b"ds64":
            long_size = struct.unpack("<Q", _read(file, start + 8, 8))[0]
        elif name == b"fmt ":
            sample_rate, byte_rate = struct.unpack("<II", _read(file, start + 4, 8))
            bytes_a_sample = byte_rate / sample_rate if sample_rate else 0
        elif name == b"data":
            held = file_size - start
            declared = long_size or size
            if long_size == 0 and (size == 0 or size >= STREAMED_FROM):
                return Streamed(start - 4, held) if held else None
            if held > declared and _only_chunks(file, start + declared, file_size):
                held = declared
            if bytes_a_sample:
                return DeclaredLength(int(declared // bytes_a_sample), int(held // bytes_a_sample))
    return None


def _aiff(file: BinaryIO, file_size: int) -> DeclaredLength | None:
    n_samples = 0
    for name, start, size in _chunks(file, 12, file_size, ">"):
        if name == b"COMM":
            n_samples = struct.unpack(">I", _read(file, start + 2, 4))[0]
        elif name == b"SSND" and size:
            held = min(file_size - start, size)
            return DeclaredLength(n_samples, n_samples * held // size)
    return None


def _ogg(file: BinaryIO, file_size: int) -> DeclaredLength | None:
    """Whether the last page is whole; positions are counted in the codec's own samples."""
    tail_at = max(file_size - 2 * LONGEST_OGG_PAGE, 0)
    tail = _read(file, tail_at, file_size - tail_at)
    last = tail.rfind(b"OggS")
    header = tail[last : last + 27 + 255]
    if last < 0 or len(header) < 27:
        return None
    end = last + 27 + header[26] + sum(header[27 : 27 + header[26]])
    if end <= len(tail):
        return None
    before = tail.rfind(b"OggS", 0, last)
    n_held = struct.unpack("<q", tail[before + 6 : before + 14])[0] if before >= 0 else 0
    return DeclaredLength(max(struct.unpack("<q", header[6:14])[0], n_held + 1), n_held)


def _mp3(file: BinaryIO, file_size: int, start: bytes) -> DeclaredLength | None:
    """Source: the Xing header, as LAME writes it into the first frame."""
    first = 0
    if start[:3] == b"ID3":
        for byte in start[6:10]:  # the size has seven bits a byte
            first = first << 7 | byte & 0x7F
        first += 10
    frame = _read(file, first, 64)
    if frame[0] != 0xFF or frame[1] & 0xE6 != 0xE2:
        return None
    version_1, mono = frame[1] & 0x08, frame[3] >> 6 == 3
    tag = 4 + ((17 if mono else 32) if version_1 else (9 if mono else 17))
    if frame[tag : tag + 4] not in (b"Xing", b"Info") or frame[tag + 7] & 3 != 3:
        return None
    n_frames, n_bytes = struct.unpack(">II", frame[tag + 8 : tag + 16])
    n_declared = n_frames * (1152 if version_1 else 576)
    held = min(file_size - first, n_bytes)
    return DeclaredLength(n_declared, n_declared * held // n_bytes) if n_bytes else None


def _chunks(
    file: BinaryIO, start: int, file_size: int, order: Literal["<", ">"]
) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and size of each chunk of a RIFF or IFF file, as far as the names are names."""
    for _ in range(MOST_CHUNKS):
        if start + 8 > file_size:
            return
        name, size = struct.unpack(f"{order}4sI", _read(file, start, 8))
        if not all(0x20 <= byte < 0x7F for byte in name):
            return
        yield name, start + 8, size
        start += 8 + size + size % 2


def _only_chunks(file: BinaryIO, start: int, file_size: int) -> bool:
    """Whether what follows the data is a chain of chunks, with little after it."""
    reached = start + start % 2
    for _, begin, size in _chunks(file, reached, file_size, "<"):
        reached = begin + size
    return -SURPLUS_BYTES <= reached - file_size <= 0


def _read(file: BinaryIO, start: int, n_bytes: int) -> bytes:
    """Bytes of a file, zeros beyond its end."""
    file.seek(start)
    return file.read(n_bytes).ljust(n_bytes, b"\0")
