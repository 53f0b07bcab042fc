"""What is known of a call or a customer, wherever it stands: what an erasure takes away."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Literal

import polars as pl

from ser_batch.config import Settings, nearest
from ser_batch.errors import AmbiguousCallError, UnknownPersonError
from ser_batch.files.inputs import name_of
from ser_batch.ingest.call_table import metadata_index, paired_recordings
from ser_batch.ingest.inventory import Inventory, read_inventory
from ser_batch.ingest.matching import (
    FILE_COLUMNS,
    KnownFile,
    MetadataIndex,
    call_id_of_name,
    fields_of_name,
    renamed,
)
from ser_batch.ingest.metadata import Line
from ser_batch.ingest.pseudonyms import read_pseudonyms
from ser_batch.ingest.side_rows import recordings_of
from ser_batch.ingest.sides import sided_files
from ser_batch.ingest.tombstones import line_stone, recording_stone
from ser_batch.store.lake import Lake
from ser_batch.tables import CALLS
from ser_batch.transcripts.sidecars import Sidecars

Row = dict[str, Any]
_COLUMN = {"call": "call_id", "customer": "customer"}


@dataclass(frozen=True)
class ErasureSubject:
    """A call by its call_id or recording_id, or a customer by the id as supplied."""

    kind: Literal["call", "customer"]
    name: str


@dataclass(frozen=True)
class Erasure:
    """What goes.

    Attributes:
        recordings: recording_ids, those that lay under the same paths before included
        dates: call dates, ISO 8601
        lines: source and row of lines of metadata
        places: how `quarantine` names those lines, and files that never became recordings
        paths: texts by which warnings and reports may name a file
        values: ids, and values of attributes that nobody else has
        audio_files: where the recordings lie
        ids: recordings, calls, and the customer if all of its calls go: what nobody else has
        stones: tombstones of recordings and lines
        with_audio: the audio goes too, with its transcripts
        transcripts: where transcripts of the recordings lie, if words are kept
    """

    recordings: tuple[str, ...]
    dates: tuple[str, ...]
    lines: tuple[tuple[str, int], ...]
    places: tuple[str, ...]
    paths: tuple[str, ...]
    values: tuple[str, ...]
    audio_files: tuple[str, ...]
    stones: tuple[str, ...]
    with_audio: bool
    ids: tuple[str, ...] = ()
    transcripts: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, text: bytes) -> Erasure:
        """The plan as it was written down."""
        return cls(**json.loads(text))


def plan_erasure(
    lake: Lake, settings: Settings, subject: ErasureSubject, *, with_audio: bool
) -> Erasure:
    """Find what is known of a call or a customer.

    Args:
        lake: where it is looked for
        settings: how metadata and names are read
        subject: whose
        with_audio: the audio is to go too

    Raises:
        UnknownPersonError: if nothing is known
        AmbiguousCallError: if several recordings have the call id
    """
    calls: list[Row] = lake.read(CALLS).to_pylist()
    names = _known_as(subject, settings)
    chosen = _chosen(calls, subject.kind, names)
    inventory = read_inventory(lake)
    files = _files(inventory, chosen, calls)
    recordings = {row["recording_id"] for row in files}
    index = metadata_index(lake, settings)
    if subject.kind == "call":
        names |= {row["call_id"] for row in chosen}
    naming = [line for line in index.lines if _named(line, subject.kind, settings) in names]
    placed = paired_recordings(lake, inventory.recordings(), settings)
    current = [file for call in sided_files(placed) for file in call]
    lines = list(_lines(index, current, recordings, naming, settings))
    if not (recordings or lines):
        known = {str(row[_COLUMN[subject.kind]]) for row in calls}
        raise UnknownPersonError(subject.kind, subject.name, nearest(subject.name, known))
    audio_files = sorted({f"{row['audio_root']}/{row['path']}" for row in files})
    stones = [recording_stone(recording_id) for recording_id in sorted(recordings)]
    return Erasure(
        recordings=tuple(sorted(recordings)),
        dates=tuple(sorted({row["started_at"].date().isoformat() for row in chosen})),
        lines=tuple((line.source, line.line_no) for line in lines),
        places=tuple(sorted({line.place for line in lines} | _names(lines, settings))),
        paths=(*audio_files, *sorted({row["path"] for row in files}), *sorted(recordings)),
        values=tuple(sorted(_own_values(chosen, calls) | _names(lines, settings))),
        audio_files=tuple(audio_files),
        stones=(*stones, *(line_stone(line, settings.ingest.columns) for line in lines)),
        with_audio=with_audio,
        ids=tuple(sorted(recordings | names | _names(lines, settings))),
        transcripts=_transcripts(files, settings) if settings.policy.transcripts else (),
    )


def _transcripts(files: Sequence[Row], settings: Settings) -> tuple[str, ...]:
    """Transcript files of some recordings."""
    folder = settings.transcripts.folder
    sidecars = Sidecars(Path(folder) if folder else None, changed_before_ns=inf)
    found = (sidecars.of(row["audio_root"], row["path"]) for row in files)
    return tuple(sorted({name_of(file.path) for file in found if file}))


def _known_as(subject: ErasureSubject, settings: Settings) -> set[str]:
    """The id as supplied, and its pseudonym."""
    pseudonyms = read_pseudonyms(settings.ingest) if subject.kind == "customer" else None
    if pseudonyms is None or not pseudonyms.cover("customer"):
        return {subject.name}
    return {subject.name, pseudonyms.of(subject.name)}


def _chosen(calls: Sequence[Row], kind: str, names: set[str]) -> list[Row]:
    by_id = [row for row in calls if names.intersection(recordings_of(row))]
    if by_id and kind == "call":
        return by_id
    chosen = [row for row in calls if row[_COLUMN[kind]] in names]
    if len(chosen) > 1 and kind == "call":
        raise AmbiguousCallError(min(names), [row["recording_id"] for row in chosen])
    return chosen


def _files(inventory: Inventory, chosen: Sequence[Row], calls: Sequence[Row]) -> list[Row]:
    """Every path of the recordings, and what lay there before unless it is another's call now."""
    ids = {recording_id for row in chosen for recording_id in recordings_of(row)}
    others = {recording_id for row in calls for recording_id in recordings_of(row)} - ids
    rows = inventory.rows.select("recording_id", "audio_root", "path")
    paths = rows.filter(pl.col("recording_id").is_in(list(ids))).select("audio_root", "path")
    lay_there = rows.join(paths.unique(), on=["audio_root", "path"])
    mine = lay_there.filter(~pl.col("recording_id").is_in(list(others)))
    return list(mine.unique().sort("audio_root", "path", "recording_id").iter_rows(named=True))


def _lines(
    index: MetadataIndex,
    files: Iterable[KnownFile],
    recordings: set[str],
    naming: Sequence[Line],
    settings: Settings,
) -> Iterator[Line]:
    """Lines about these recordings, or naming who is subject, and about no other recording."""
    about: dict[tuple[str, int], set[str]] = defaultdict(set)
    for file in files:
        call_id = call_id_of_name(file, fields_of_name(file, settings.ingest))
        for line in index.matching(file, call_id):
            about[line.source, line.line_no].add(file.recording_id)
    named = {(line.source, line.line_no) for line in naming}
    for line in index.lines:
        key = (line.source, line.line_no)
        if (about[key] or key in named) and about[key] <= recordings:
            yield line


def _named(line: Line, kind: str, settings: Settings) -> str | None:
    return renamed(line.fields, settings.ingest.columns).get(_COLUMN[kind])


def _own_values(chosen: Sequence[Row], calls: Sequence[Row]) -> set[str]:
    """Ids and values of attributes that no other call has."""
    ids = {row["recording_id"] for row in chosen}
    others = [row for row in calls if row["recording_id"] not in ids]
    return {v for row in chosen for v in _values(row)} - {v for row in others for v in _values(row)}


def _values(call: Row) -> Iterator[str]:
    yield from (call[name] for name in ("call_id", "customer") if call[name])
    yield from (value for _, value in call["attributes"])


def _names(lines: Sequence[Line], settings: Settings) -> set[str]:
    """What lines of metadata call the recording."""
    fields = [renamed(line.fields, settings.ingest.columns) for line in lines]
    return {row[name] for row in fields for name in (*FILE_COLUMNS, "call_id") if name in row}
