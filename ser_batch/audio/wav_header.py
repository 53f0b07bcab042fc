"""What a WAV header promises, against what the file holds.

libsndfile quietly corrects a header that promises too much and believes one that promises too
little: either way a call would be cut short without a word.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

STREAMED_FROM = 0x7FFFF000
"""Bytes; sizes from here on, and 0, are written by recorders that could not seek back: the data
goes to the end of the file. Source: the values that sox and ffmpeg write to a pipe."""

SURPLUS_BYTES = 4096
"""Bytes after the data that are passed over without a look: padding, a tag."""


@dataclass(frozen=True)
class WavSizes:
    """Sample counts (a channel) of a WAV file.

    Attributes:
        n_promised: by the header
        n_held: by the file
    """

    n_promised: int
    n_held: int

    @property
    def agree(self) -> bool:
        """Whether the header tells the truth."""
        return self.n_promised == self.n_held


def wav_sizes(file: BinaryIO) -> WavSizes | None:
    """Compare the header of a RIFF/WAVE file with its size.

    Args:
        file: open for reading, seekable

    Returns:
        None if it is no RIFF/WAVE file, has no data chunk, or leaves the length open
    """
    file_size = file.seek(0, os.SEEK_END)
    file.seek(0)
    riff = file.read(12)
    if riff[:4] != b"RIFF" or riff[8:12] != b"WAVE":
        return None
    bytes_a_sample = 0.0
    while len(header := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", header)
        start = file.tell()
        if name == b"fmt ":
            bytes_a_sample = _bytes_a_sample(file.read(16))
        elif name == b"data":
            if bytes_a_sample == 0 or size == 0 or size >= STREAMED_FROM:
                return None
            held = file_size - start
            if held > size and _only_chunks(file, start + size + size % 2, file_size):
                held = size
            return WavSizes(round(size // bytes_a_sample), round(held // bytes_a_sample))
        file.seek(start + size + size % 2)
    return None


def _bytes_a_sample(format_chunk: bytes) -> float:
    """Bytes that one sample of all channels takes, 0 where the header does not say."""
    if len(format_chunk) < 16:
        return 0
    sample_rate, byte_rate = struct.unpack("<II", format_chunk[4:12])
    return float(byte_rate / sample_rate) if sample_rate else 0


def _only_chunks(file: BinaryIO, start: int, file_size: int) -> bool:
    """Whether what follows the data is a chain of chunks, with little after it."""
    while start + SURPLUS_BYTES < file_size:
        file.seek(start)
        name, size = struct.unpack("<4sI", file.read(8))
        if not all(0x20 <= byte < 0x7F for byte in name) or start + 8 + size > file_size:
            return False
        start += 8 + size + size % 2
    return True
