"""Read a WAV file whose header leaves the length open as if the length stood there."""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from ser_batch.audio.declared_length import Streamed


class OpenLengthWav:
    """A file for soundfile, whose libsndfile takes a length of 0 for no samples.

    Args:
        file: open for reading, seekable; read in blocks as the decoder asks for them
        streamed: where the length stands, and what should
    """

    def __init__(self, file: BinaryIO, streamed: Streamed) -> None:
        self._file = file
        self._size_at = streamed.size_at
        self._size = struct.pack("<I", min(streamed.n_bytes, 0xFFFFFFFF))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; returns it."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The place reached."""
        return self._file.tell()

    def read(self, n_bytes: int) -> bytes:
        """The next bytes, the length filled in where they hold it."""
        start = self._file.tell()
        data = bytearray(self._file.read(n_bytes))
        for offset, byte in enumerate(self._size, self._size_at - start):
            if 0 <= offset < len(data):
                data[offset] = byte
        return bytes(data)
