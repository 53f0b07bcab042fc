"""Keep the lines of metadata files: each is read once, and what cannot be kept is an issue."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ser_batch.config import IngestSettings, Settings
from ser_batch.errors import MetadataContentError
from ser_batch.files.inputs import name_of
from ser_batch.ingest.issues import replace_issues, warned
from ser_batch.ingest.matching import (
    FILE_COLUMNS,
    ID_COLUMNS,
    DataIssue,
    attribute_names,
    renamed,
    without_transcript,
)
from ser_batch.ingest.metadata import (
    BadLine,
    MetadataFile,
    is_empty,
    read_lines,
    read_metadata,
    source_id,
)
from ser_batch.ingest.pseudonyms import read_pseudonyms
from ser_batch.ingest.scan import printable
from ser_batch.ingest.tombstones import line_stone, read_tombstones
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import METADATA

COLUMNS = "columns"
"""Tag of a part of `metadata`: the names of its columns, lower case."""

MAX_ISSUES = 1000
"""Issues of one file that are kept one by one; an export in a wrong format may have millions."""

MOST_NAMED = 12
"""Columns that are named in one line."""

_UNREAD = "metadata-empty"
"""Writer of the issues of files that are read again each night that they are given."""


@dataclass(frozen=True)
class ImportedMetadata:
    """What was kept of metadata files.

    Attributes:
        n_lines: new lines
        attributes: columns of them that have no meaning, and are kept as attributes
    """

    n_lines: int
    attributes: tuple[str, ...]


def import_metadata(
    lake: Lake, files: Sequence[Path], settings: Settings, now: dt.datetime
) -> ImportedMetadata:
    """Keep the lines of metadata files that have not been seen.

    A file without a byte, or in which no row can be found, is warned about every night that it is
    given: it says nothing about calls, and the next one may. Lines that were erased stay out.

    Raises:
        MetadataError: if a file cannot be opened, or is of no known kind
    """
    stones = read_tombstones(lake)
    unread = []
    n_new = 0
    attributes: set[str] = set()
    for path in files:
        data = read_metadata(path)
        if is_empty(data):
            unread.append(_unread(path, "empty_metadata", "the metadata file is empty"))
            continue
        part = Part(None, source_id(data))
        if lake.tags(METADATA, part) is not None:
            continue
        try:
            read = read_lines(path, data)
        except MetadataContentError as error:
            unread.append(_unread(path, error.code, str(error)))
        else:
            n_new += _keep(lake, part, read, stones, settings.ingest, now=now)
            filled = {name for line in read.lines for name in line.fields}
            attributes.update(meaningless(filled, settings.ingest))
    # the rows are new each night, so that each night's summary counts them
    replace_issues(lake, _UNREAD, [], now)
    replace_issues(lake, _UNREAD, [warned(one, "ingest") for one in unread], now)
    return ImportedMetadata(n_new, tuple(sorted(attributes)))


def known_attributes(lake: Lake, settings: IngestSettings) -> list[str]:
    """Columns of all metadata that has arrived that have no meaning, in lower case."""
    tags = (lake.sound_tags(METADATA, part) or {} for part in lake.parts(METADATA))
    names = {name for tag in tags for name in json.loads(tag.get(COLUMNS, "[]"))}
    return meaningless(names, settings)


def meaningless(columns: Iterable[str], settings: IngestSettings) -> list[str]:
    """Columns of metadata that are kept as attributes, for nothing says what they mean."""
    named = renamed(dict.fromkeys(columns, ""), settings.columns)
    return attribute_names(named, settings)


def no_meaning(names: Sequence[str]) -> tuple[str, str]:
    """What to say of columns that have no meaning, and what to do about it."""
    shown = ", ".join(names[:MOST_NAMED]) + (", …" if len(names) > MOST_NAMED else "")
    if len(names) == 1:
        finding = f"the metadata's column {shown} has no meaning and is kept as an attribute"
    else:
        finding = f"the metadata's columns {shown} have no meaning and are kept as attributes"
    return finding, "If one says when, who, or that somebody objected, map it in ingest.columns."


def _keep(
    lake: Lake,
    part: Part,
    read: MetadataFile,
    stones: frozenset[str],
    settings: IngestSettings,
    *,
    now: dt.datetime,
) -> int:
    """Write the lines of a file and its issues; returns how many lines."""
    issues = [warned(issue, "ingest") for issue in file_issues(read, settings)]
    replace_issues(lake, f"metadata-{part.name}", issues, now)
    found = [without_transcript(line, settings.columns) for line in read.lines]
    if pseudonyms := read_pseudonyms(settings):
        found = [replace(line, fields=pseudonyms.applied(line.fields)) for line in found]
    lines = [line for line in found if line_stone(line, settings.columns) not in stones]
    rows = METADATA.from_rows(
        {
            "source": line.source,
            "line_no": line.line_no,
            "source_name": line.source_name,
            "arrived_at": now,
            "fields": list(line.fields.items()),
        }
        for line in lines
    )
    columns = sorted({name.lower() for line in lines for name in line.fields})
    lake.write(METADATA, part, rows, {COLUMNS: json.dumps(columns)})
    return len(lines)


def file_issues(read: MetadataFile, settings: IngestSettings) -> Iterator[DataIssue]:
    """What of a file is not kept."""
    for bad in read.bad[:MAX_ISSUES]:
        yield _bad(bad)
    if (n_more := len(read.bad) - MAX_ISSUES) > 0:
        message = f"{n_more} further faults are not listed"
        yield _bad(BadLine(read.name, "bad_metadata", message))
    known = renamed(dict.fromkeys(read.columns, ""), settings.columns)
    if read.columns and not known.keys() & {*FILE_COLUMNS, *ID_COLUMNS}:
        yield DataIssue(
            read.name,
            "no_key_column",
            "no column is `file` or `call_id`: the header line may be missing",
            "Supply a header line, or map your columns in ingest.columns.",
        )


def _bad(bad: BadLine) -> DataIssue:
    return DataIssue(bad.place, bad.code, bad.message, "Correct the row and supply the file again.")


def _unread(path: Path, code: str, message: str) -> DataIssue:
    remedy = "See why the export failed, and supply it again: it joins by itself."
    return DataIssue(printable(name_of(path)), code, message, remedy)
