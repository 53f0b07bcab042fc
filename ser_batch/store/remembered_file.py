"""A file of remembered rows: a head that is read alone, and the rows, each with its digest."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from ser_batch.errors import BrokenSealError
from ser_batch.store.atomic import write_bytes_atomic
from ser_batch.store.content import open_content

_DIGEST_CHARS = 32
_LENGTH_BYTES = 8
_ROWS = "rows"


@dataclass(frozen=True)
class StoredRows:
    """Where rows lie.

    Attributes:
        file: in which
        begin: place of their first byte
        digest: of their bytes
    """

    file: Path
    begin: int
    digest: str

    def read(self) -> pl.DataFrame | None:
        """The rows; None where they are not as they were written."""
        with suppress(OSError, BrokenSealError), open_content(self.file) as file:
            file.seek(self.begin)
            data = file.read()
            if _digest(data) == self.digest:
                return pl.DataFrame(pl.from_arrow(pa.ipc.open_stream(data).read_all()))
        return None


def write_rows(file: Path, head: dict[str, Any], rows: pl.DataFrame) -> StoredRows:
    """Write a file whole or not at all.

    Args:
        file: an older one is replaced
        head: plain values
        rows: the rows
    """
    table = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as out:
        out.write_table(table)
    body = sink.getvalue().to_pybytes()
    digest = _digest(body)
    data = json.dumps({**head, _ROWS: digest}).encode()
    start = _digest(data).encode() + len(data).to_bytes(_LENGTH_BYTES) + data
    write_bytes_atomic(file, start + body)
    return StoredRows(file, len(start), digest)


def read_head(file: Path) -> tuple[dict[str, Any], StoredRows] | None:
    """The head of a file, and where its rows lie; None where it is not as it was written."""
    try:
        with open_content(file) as opened:
            stated = opened.read(_DIGEST_CHARS)
            length = int.from_bytes(opened.read(_LENGTH_BYTES))
            data = opened.read(min(length, file.stat().st_size))
    except (OSError, BrokenSealError):
        return None
    if _digest(data).encode() != stated:
        return None
    head: dict[str, Any] = json.loads(data)
    begin = _DIGEST_CHARS + _LENGTH_BYTES + length
    return head, StoredRows(file, begin, head.pop(_ROWS))


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=_DIGEST_CHARS // 2).hexdigest()
