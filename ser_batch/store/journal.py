"""A log of JSON lines to which several programs add: no line is lost, none is changed unnoticed.

Each line carries a checksum of its other fields; lines of earlier versions carry none.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ser_batch.errors import StateFileError
from ser_batch.store.atomic import append_bytes, write_bytes_atomic
from ser_batch.store.content import read_bytes
from ser_batch.store.lock import only_writer

CHECKSUM = "crc32"
TORN = ".torn"
"""Ending of the file that holds what killed writers left unfinished."""

log = logging.getLogger(__name__)

Record = dict[str, Any]


class Journal:
    """The log in a file, which need not be there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Record]:
        """Every line, oldest first.

        A last line that a killed writer left unfinished does not count; a warning names it.

        Raises:
            StateFileError: naming the line that is damaged
        """
        whole, torn = _parts(self._content())
        if torn:  # perhaps somebody is writing it now
            with suppress(OSError), only_writer(self.path.parent, self.path.name):
                whole, torn = _parts(self._content())
        if torn:
            log.warning("%s: the unfinished last line does not count: %r", self.path, torn[:80])
        return [self._record(line, number) for number, line in enumerate(whole.splitlines(), 1)]

    def add(self, record: Mapping[str, Any]) -> None:
        """Write a line whole or not at all, after those of other programs.

        An unfinished last line is moved to the file `<name>.torn`.
        """
        stored = json.loads(json.dumps(record, allow_nan=False))
        text = json.dumps({**stored, CHECKSUM: _checksum(stored)}, ensure_ascii=False)
        line = text.encode(errors="backslashreplace") + b"\n"
        with only_writer(self.path.parent, self.path.name):
            whole, torn = _parts(self._content())
            if whole and not whole.endswith(b"\n"):
                line = b"\n" + line
            if torn:
                append_bytes(self.path.with_name(self.path.name + TORN), torn + b"\n")
                write_bytes_atomic(self.path, whole + line, durable=True)
            else:
                append_bytes(self.path, line)

    def _content(self) -> bytes:
        try:
            return read_bytes(self.path)
        except FileNotFoundError:
            return b""

    def _record(self, line: bytes, number: int) -> Record:
        record = _object(line)
        if record is None:
            raise StateFileError(self.path, f"line {number} is no JSON object in UTF-8")
        if record.pop(CHECKSUM, None) not in (None, _checksum(record)):
            raise StateFileError(self.path, f"line {number} is not as it was written")
        return record


def _parts(content: bytes) -> tuple[bytes, bytes]:
    """The complete lines, and an unfinished one after them.

    A last line without an end, as an editor leaves it, is complete if it is an object: no part of
    one is.
    """
    end = content.rfind(b"\n") + 1
    return (content, b"") if _object(content[end:]) is not None else (content[:end], content[end:])


def _object(line: bytes) -> Record | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _checksum(record: Mapping[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(record, sort_keys=True).encode()):08x}"
