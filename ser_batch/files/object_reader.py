"""An object as a file that is read: any place of it, a block at a time."""

from __future__ import annotations

import io
import os

from ser_batch.errors import GoneFileError, SerError
from ser_batch.files.objects import Store, StoredObject

BLOCK_BYTES = 8 << 20
"""Bytes that are fetched at a time; a call of six minutes fits, and is fetched in one piece."""
KEPT_BLOCKS = 2
"""Decoders look at the end of a file, and return to its begin."""


class ObjectReader(io.RawIOBase):
    """Reads an object; all of what is read is of one content.

    What calls back from C cannot raise: an error looks like the end of the object.

    Args:
        store: that holds it
        found: the object

    Attributes:
        error: why a block could not be fetched, None if each could
    """

    def __init__(self, store: Store, found: StoredObject) -> None:
        super().__init__()
        self.error: Exception | None = None
        self._store = store
        self._found = found
        self._at = 0
        self._blocks: dict[int, bytes] = {}

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place, as files do."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._found.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: object, /) -> int:
        """Fill a buffer from the block at this place; how many bytes."""
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        number, begin = divmod(self._at, BLOCK_BYTES)
        some = self._block(number)[begin : begin + len(target)]
        target[: len(some)] = some
        self._at += len(some)
        return len(some)

    def _block(self, number: int) -> bytes:
        start = number * BLOCK_BYTES
        if self.error is not None or start >= self._found.size:
            return b""
        if number not in self._blocks:
            try:
                block = self._store.read(self._found, start, start + BLOCK_BYTES)
            except FileNotFoundError:
                self.error = GoneFileError()
                return b""
            except (SerError, OSError) as error:
                self.error = error
                return b""
            while len(self._blocks) >= KEPT_BLOCKS:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[number] = block
        return self._blocks[number]
