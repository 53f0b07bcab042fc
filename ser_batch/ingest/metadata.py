"""Metadata files as call centres export them: CSV, JSON lines or Parquet, one line a call.

A line is kept as it arrived, every cell as text; what the texts mean is decided in `calls`. What
cannot be kept is named with its file and row: a line, or a cell of a line that is kept.
"""

from __future__ import annotations

import codecs
import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ser_batch.errors import MetadataError
from ser_batch.files.inputs import name_of, read_input
from ser_batch.ingest.metadata_rows import Row, Unreadable, csv_rows, json_rows, parquet_rows
from ser_batch.ingest.scan import printable

CSV_ENDINGS = (".csv", ".tsv", ".txt")
JSON_ENDINGS = (".jsonl", ".ndjson", ".json")

MAX_CELL_CHARS = 100_000
"""Longer texts are no metadata of a call: the cell is left out."""


@dataclass(frozen=True)
class Line:
    """One line of a metadata file.

    Attributes:
        source: digest of the file
        source_name: its name
        line_no: from 1
        fields: column → text; empty cells left out
    """

    source: str
    source_name: str
    line_no: int
    fields: dict[str, str]

    @property
    def place(self) -> str:
        """Where a reader finds the line."""
        return f"{self.source_name}, row {self.line_no}"


@dataclass(frozen=True)
class BadLine:
    """What cannot be kept.

    Attributes:
        place: file and row, or the file
        code: bad_line (nothing of the row is kept), bad_cell (the rest of the row is kept), or
            bad_metadata (it concerns several rows)
        message: why
    """

    place: str
    code: str
    message: str


@dataclass(frozen=True)
class MetadataFile:
    """A metadata file as it was read.

    Attributes:
        name: of the file
        lines: what is kept
        bad: what cannot be
        columns: names of columns, of a CSV file without a line too
    """

    name: str
    lines: list[Line]
    bad: list[BadLine]
    columns: frozenset[str]


def read_metadata(path: Path) -> bytes:
    """The content of a metadata file, wherever it lies.

    Raises:
        MetadataError: if it cannot be read
    """
    try:
        return read_input(path)
    except OSError as error:
        raise MetadataError(
            f"cannot read the metadata file {printable(name_of(path))}: {error.strerror}"
        ) from error


def source_id(data: bytes) -> str:
    """Digest of a metadata file's content, 16 hex digits."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def read_lines(path: Path, data: bytes | None = None) -> MetadataFile:
    """Every line of a metadata file, and what makes no sense.

    Args:
        path: CSV (comma, semicolon or tab; UTF-8 or UTF-16, each line that is not UTF-8 as
            Windows-1252), JSON (an object a line, or an array of objects), or Parquet
        data: its content; None: it is read

    Raises:
        MetadataError: if the file cannot be opened, or is of no known kind
        MetadataContentError: if no row can be found in it
    """
    data = read_metadata(path) if data is None else data
    source, name, ending = source_id(data), printable(path.name), path.suffix.lower()
    if ending == ".parquet":
        rows = parquet_rows(data, name)
    elif ending in JSON_ENDINGS:
        rows = json_rows(data)
    elif ending in CSV_ENDINGS:
        rows = csv_rows(data, name)
    else:
        raise MetadataError(f"{name}: metadata is read from .csv, .jsonl or .parquet files")
    lines: list[Line] = []
    bad: list[BadLine] = []
    columns: set[str] = set()
    for row in rows:
        fields, faults = _fields(row)
        columns.update(map(str.strip, row.cells))
        place = f"{name}, row {row.number}" if row.number else name
        code = "bad_metadata" if not row.number else "bad_cell" if row.cells else "bad_line"
        bad += [BadLine(place, code, fault) for fault in faults]
        if row.number and not row.faults:
            lines.append(Line(source, name, row.number, fields))
    return MetadataFile(name, lines, bad, frozenset(columns))


def is_empty(data: bytes) -> bool:
    """Whether a metadata file holds nothing at all: an export that failed, not one without calls.

    Args:
        data: its content
    """
    return not data.removeprefix(codecs.BOM_UTF8).strip()


def _fields(row: Row) -> tuple[dict[str, str], list[str]]:
    """Column → text, nothing for empty cells; and what of the row cannot be kept."""
    fields: dict[str, str] = {}
    faults = list(row.faults)
    for key, value in row.cells.items():
        name = key.strip()
        text, fault = _as_text(value)
        if not name or not (text or fault):
            continue
        if name in fields:
            fault = "several columns have this name; the first counts"
        fault = fault or _not_storable(name) or _not_storable(text)
        if fault:
            faults.append(f"{printable(name)[:100]!r} is left out: {fault}")
        else:
            fields[name] = text
    return fields, faults


def _not_storable(text: str) -> str:
    """Why a table cannot hold a text, empty if it can."""
    if len(text) > MAX_CELL_CHARS:
        return f"it has {len(text)} characters, {MAX_CELL_CHARS} are taken"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "it holds half of a surrogate pair, which is no character"
    return ""


def _as_text(value: object) -> tuple[str, str]:
    """A cell as text, or why it has none."""
    if isinstance(value, Unreadable):
        return "", value.reason
    try:
        return _text(value).strip(), ""
    except RecursionError:
        return "", "it is nested too deeply"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return _of_bytes(value)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=_text)
    return str(value)


def _of_bytes(value: bytes) -> str:
    """UTF-8 where it is that, which a binary column often holds; else hexadecimal."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()
