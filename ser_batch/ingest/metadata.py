"""Metadata files as call centres export them: CSV, JSON lines or Parquet, one line a call.

A line is kept as it arrived, every cell as text; what the texts mean is decided in `calls`.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ser_batch.errors import MetadataError

CSV_ENDINGS = (".csv", ".tsv", ".txt")
JSON_ENDINGS = (".jsonl", ".ndjson", ".json")


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
    """A line that cannot be read."""

    place: str
    message: str


def source_id(path: Path) -> str:
    """Digest of a metadata file, 16 hex digits.

    Raises:
        MetadataError: if it cannot be read
    """
    return hashlib.blake2b(_bytes(path), digest_size=8).hexdigest()


def read_lines(path: Path) -> tuple[list[Line], list[BadLine]]:
    """Every line of a metadata file, and the lines that make no sense.

    Args:
        path: CSV (comma, semicolon or tab; UTF-8 with or without mark, else Windows-1252),
            JSON lines, or Parquet

    Raises:
        MetadataError: if the file as a whole cannot be read, saying why
    """
    source, name, ending = source_id(path), path.name, path.suffix.lower()
    if ending == ".parquet":
        rows = _parquet_rows(path)
    elif ending in JSON_ENDINGS:
        rows = _json_rows(_text(path), name)
    elif ending in CSV_ENDINGS:
        rows = _csv_rows(_text(path), name)
    else:
        raise MetadataError(f"{name}: metadata is read from .csv, .jsonl or .parquet files")
    lines, bad = [], []
    for number, row in enumerate(rows, start=1):
        if isinstance(row, str):
            bad.append(BadLine(f"{name}, row {number}", row))
        else:
            lines.append(Line(source, name, number, _texts(row)))
    return lines, bad


def is_empty(path: Path) -> bool:
    """Whether a metadata file holds nothing at all: an export that failed, not one without calls.

    Raises:
        MetadataError: if it cannot be read
    """
    return not _bytes(path).removeprefix(codecs.BOM_UTF8).strip()


def _parquet_rows(path: Path) -> Iterator[dict[str, object] | str]:
    try:
        yield from pq.read_table(path).to_pylist()
    except pa.ArrowInvalid as error:
        raise MetadataError(f"{path.name} is not Parquet: {error}") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MetadataError(f"cannot read the metadata file {path}: {error.strerror}") from error


def _text(path: Path) -> str:
    data = _bytes(path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _csv_rows(text: str, name: str) -> Iterator[dict[str, object] | str]:
    """Rows as dictionaries; what is wrong where a row does not fit the header."""
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    if not reader.fieldnames:
        raise MetadataError(f"{name}: no header line")
    for row in reader:
        if None in row:
            yield f"more cells than columns; put cells that contain {delimiter!r} in quotes"
        else:
            yield dict(row)


def _json_rows(text: str, name: str) -> Iterator[dict[str, object] | str]:
    if text.lstrip().startswith("["):
        raise MetadataError(f"{name} is one JSON array; write one object a line instead")
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            yield f"not JSON: {error.msg}"
        else:
            yield row if isinstance(row, dict) else "not a JSON object"


def _texts(row: dict[str, object]) -> dict[str, str]:
    """Column → text; nothing for empty cells."""
    texts = {str(key).strip(): _as_text(value) for key, value in row.items() if key}
    return {key: text for key, text in texts.items() if key and text}


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value).strip()
