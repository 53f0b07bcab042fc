"""A month of remembered rows, and its file: a head that is read alone, and the rows.

Each has a digest. A month is that of call dates; of a table without call dates it is all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
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


Name = tuple[str, str]
"""Call date of a part, empty where it has none, and its name."""


@dataclass
class Month:
    """The parts of a month. What their names and files are is taken apart when it is asked for.

    Attributes:
        days: by date, when the folders of a settled day changed, and a line a part: its name, and
            size, time of change and inode of its file
        latest: newest time in the column of times, empty where there is none
        stored: the rows as they were written down, None: they were not
        first: number of the first part of those that were
        n_stored: how many were
        rows: None: they were not read yet
        is_changed: what is written down is not what is there
    """

    days: dict[str, tuple[str, str]] = field(default_factory=dict)
    latest: str = ""
    stored: StoredRows | None = None
    first: int = 0
    n_stored: int = 0
    rows: pl.DataFrame | None = None
    is_changed: bool = False

    @property
    def parts(self) -> list[Name]:
        """Each, in order."""
        return [(day, name) for day in sorted(self.days) for name in self.files(day)]

    @cached_property
    def loaded(self) -> list[Name]:
        """The parts that were written down, in the order of their numbers."""
        return self.parts

    @cached_property
    def numbers(self) -> dict[Name, int]:
        """Number of each part, as they are."""
        return {name: self.first + place for place, name in enumerate(self.loaded)}

    def state(self, day: str) -> str:
        """When the folders of a settled day changed."""
        return self.days.get(day, ("", ""))[0]

    def files(self, day: str) -> dict[str, str]:
        """State of the file of each part of a day, in the order of their names."""
        _, lines = self.days.get(day, ("", ""))
        return dict(line.split(" ", 1) for line in lines.splitlines())

    def set(self, day: str, state: str, files: Mapping[str, str]) -> None:
        """Take over when a day's folders changed, and its files."""
        lines = "".join(f"{name} {files[name]}\n" for name in sorted(files))
        self.days[day] = (state, lines)


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
