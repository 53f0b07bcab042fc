"""The format of an encrypted file: AES-256-GCM in blocks, so that a file's end is read alone.

A file is its head (`MAGIC` and 16 random bytes), then blocks of 64 KiB, each with a tag of 16
bytes. Each file has a key of its own, derived from the root's data key and the random bytes; the
nonce of a block is its number and whether it is the last one. A block that was changed, moved,
left out or added is noticed when it is read.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ser_batch.errors import BrokenSealError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"SERSEAL1"
KEY_BYTES = 32
BLOCK = 1 << 16
"""Bytes of content that are encrypted together."""

_SALT, _TAG = 16, 16
_HEAD = len(MAGIC) + _SALT


def is_sealed(path: Path) -> bool:
    """Whether a file begins as an encrypted one.

    Raises:
        OSError: if it cannot be opened
    """
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def seal(data: bytes, key: bytes) -> bytes:
    """The encrypted file of some bytes."""
    target = io.BytesIO()
    seal_stream(io.BytesIO(data), target, key)
    return target.getvalue()


def seal_stream(source: BinaryIO, target: BinaryIO, key: bytes) -> None:
    """Encrypt from one open file into another, a block at a time."""
    head = MAGIC + os.urandom(_SALT)
    cipher = _cipher(key, head)
    target.write(head)
    number, block = 0, source.read(BLOCK)
    while True:
        following = source.read(BLOCK)
        target.write(cipher.encrypt(_nonce(number, is_last=not following), block, head))
        if not following:
            return
        number, block = number + 1, following


class SealedReader(io.RawIOBase):
    """The content of an encrypted file; only the blocks that are asked for are decrypted.

    Args:
        path: the file
        key_of: gives the root's data key; called after the file was opened

    Raises:
        BrokenSealError: here or in a read, if the file is not as it was written
    """

    def __init__(self, path: Path, key_of: Callable[[Path], bytes]) -> None:
        super().__init__()
        self._path, self._at = path, 0
        self._file = path.open("rb")
        try:
            body = os.fstat(self._file.fileno()).st_size - _HEAD
            self._head = self._file.read(_HEAD)
            self._n_blocks = -(-body // (BLOCK + _TAG))
            self.size = body - self._n_blocks * _TAG
            if self._n_blocks < 1 or self.size < (self._n_blocks - 1) * BLOCK:
                raise BrokenSealError(path)
            self._cipher = _cipher(key_of(path), self._head)
        except BaseException:
            self._file.close()
            raise
        self._decrypted: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place of the content."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """The place in the content."""
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read on, up to the end of a block."""
        view = memoryview(buffer).cast("B")
        number, skipped = divmod(self._at, BLOCK)
        if number >= self._n_blocks:
            return 0
        piece = self._block(number)[skipped : skipped + len(view)]
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def readall(self) -> bytes:
        """The rest of the content."""
        number, skipped = divmod(self._at, BLOCK)
        self._at = max(self._at, self.size)
        rest = b"".join(map(self._block, range(number, self._n_blocks)))
        return rest[skipped:]

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._file.close()
        super().close()

    def _block(self, number: int) -> bytes:
        if self._decrypted[0] != number:
            from cryptography.exceptions import InvalidTag  # noqa: PLC0415

            self._file.seek(_HEAD + number * (BLOCK + _TAG))
            nonce = _nonce(number, is_last=number == self._n_blocks - 1)
            try:
                block = self._cipher.decrypt(nonce, self._file.read(BLOCK + _TAG), self._head)
            except InvalidTag:
                raise BrokenSealError(self._path) from None
            self._decrypted = (number, block)
        return self._decrypted[1]


def _cipher(key: bytes, head: bytes) -> AESGCM:
    # commands on a root that is not encrypted need not import it
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    own = hashlib.blake2b(head, key=key, digest_size=KEY_BYTES, person=b"ser-batch file")
    return AESGCM(own.digest())


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])
