"""Files with labels, of whatever tool, as rows that are still to be judged."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ser_batch.errors import LabelFileError
from ser_batch.labels.label_studio import chosen, read_export
from ser_batch.labels.raw_label import RawLabel
from ser_batch.serialise import csv_table, read_cell
from ser_batch.store.content import read_bytes

Source = Literal["label_studio", "csv"]

SEGMENT, EMOTION, ANNOTATOR = "segment", "emotion", "annotator"
TIMES = ("made_at", "updated_at", "created_at")
"""Columns that say when; the first that is filled counts. The last two are Label Studio's."""


@dataclass(frozen=True)
class LabelFile:
    """A file with labels.

    Attributes:
        source: what made it
        digest: of its bytes
        rows: in its order
    """

    source: Source
    digest: str
    rows: list[RawLabel]

    def in_vocabulary(self, taxonomy: Mapping[str, str]) -> LabelFile:
        """The same labels, a name of one's own taxonomy replaced by its emotion.

        Args:
            taxonomy: emotion by label in lower case; other names stay
        """
        rows = [
            replace(
                row,
                emotions=tuple(taxonomy.get(n.strip().lower(), n) for n in row.emotions),
            )
            for row in self.rows
        ]
        return replace(self, rows=rows)


def read_label_file(path: Path) -> LabelFile:
    """Read an export of Label Studio (JSON, JSON_MIN, CSV) or a CSV with the column `segment`.

    Raises:
        LabelFileError: if it is neither
    """
    try:
        raw = read_bytes(path)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise LabelFileError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LabelFileError(f"{path} is not UTF-8: {error.reason}") from error
    digest = hashlib.blake2b(raw, digest_size=8).hexdigest()
    if text.lstrip().startswith(("[", "{")):
        return LabelFile("label_studio", digest, _tasks(text, path))
    return LabelFile("csv", digest, list(_csv_rows(text, path)))


def _tasks(text: str, path: Path) -> list[RawLabel]:
    try:
        return list(read_export(json.loads(text)))
    except (ValueError, TypeError, AttributeError) as error:
        raise LabelFileError(f"{path} is not what Label Studio exports: {error}") from error


def _csv_rows(text: str, path: Path) -> Iterator[RawLabel]:
    rows = csv_table(text)
    names = rows.fieldnames or ()
    if missing := {SEGMENT, EMOTION} - set(names):
        has = f"; it has {', '.join(names)}" if names else ""
        raise LabelFileError(f"{path} has no column {min(missing)!r}{has}")
    try:
        for number, row in enumerate(rows, start=1):
            yield RawLabel(
                row=number,
                segment=_text(row, SEGMENT),
                emotions=_emotions(_text(row, EMOTION)),
                annotator=_text(row, ANNOTATOR),
                made_at=next((when for name in TIMES if (when := _text(row, name))), ""),
            )
    except csv.Error as error:
        raise LabelFileError(f"{path}, line {rows.line_num}: {error}") from error


def _text(row: Mapping[str, Any], name: str) -> str:
    return read_cell(row.get(name) or "").strip()


def _emotions(cell: str) -> tuple[str, ...]:
    """Several choices stand in the cell as JSON."""
    if cell.startswith("{"):
        try:
            return chosen(json.loads(cell))
        except ValueError:
            return (cell,)
    return chosen(cell)
