"""Keep the table `calls` true: what metadata, names and settings say of each live recording."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
import pyarrow as pa

from ser_batch.config import Settings, digest
from ser_batch.ingest.calls import repeated_call_ids, resolve_calls
from ser_batch.ingest.issues import replace_issues, warned
from ser_batch.ingest.matching import KnownFile, MetadataIndex, line_issues
from ser_batch.ingest.metadata import Line
from ser_batch.ingest.metadata_import import COLUMNS
from ser_batch.ingest.named import named_parts
from ser_batch.ingest.objections import read_objections
from ser_batch.ingest.sides import sided_files, stated_sides, with_sides
from ser_batch.store.checked import file_states, state_of, unlike_before
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import CALLS, METADATA

Resolved = tuple[Part, pa.Table, dict[str, str]]
"""A part of `calls` with its rows and tags."""

RULES_VERSION = 5
"""Raised when the resolution of calls changes, so that every row is recomputed."""

_OF_FILES = (
    "recording_id",
    "path",
    "audio_root",
    "size_bytes",
    "modified_ns",
    "other_places",
    "call",
    "channel",
    "side_call_id",
    "side_name",
    "side_is_ambiguous",
)
"""Columns of the inventory that a part of `calls` is made from."""

DECIDES_SCORING = (
    "recording_id",
    "roles",
    "single_role",
    "first_speaker",
    "notice_given",
    "objected",
    "sides",
)
"""Columns on which it depends what is decoded, and which channels are described and scored."""


def metadata_index(lake: Lake, settings: Settings) -> MetadataIndex:
    """All metadata that has arrived, oldest first."""
    return MetadataIndex(_lines(lake, lake.parts(METADATA)), settings.ingest.columns)


def paired_recordings(lake: Lake, recordings: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """The live recordings with the call of each, as metadata and names state it.

    Args:
        lake: whose metadata; only files with a column for sides are read
        recordings: from the inventory
        settings: names of columns and files

    Returns:
        rows of `with_sides`
    """
    column = settings.ingest.columns.get("side", "side").lower()
    parts = [
        part
        for part in lake.parts(METADATA)
        if column in json.loads((lake.tags(METADATA, part) or {}).get(COLUMNS, "[]"))
    ]
    stated = stated_sides(_lines(lake, parts), settings.ingest)
    return with_sides(recordings, stated, settings.ingest)


def _lines(lake: Lake, parts: Sequence[Part]) -> list[Line]:
    rows = sorted(
        lake.read(METADATA, parts).to_pylist(),
        key=lambda row: (row["arrived_at"], row["source_name"], row["source"], row["line_no"]),
    )
    return [
        Line(row["source"], row["source_name"], row["line_no"], dict(row["fields"])) for row in rows
    ]


def refresh_calls(
    lake: Lake, recordings: pl.DataFrame, settings: Settings, now: dt.datetime
) -> tuple[Part, ...]:
    """Bring every part of `calls` up to date; returns the parts that hold calls.

    Args:
        lake: the lake
        recordings: the live recordings with date and part, from the inventory
        settings: names, time zone and roles
        now: UTC
    """
    objections = read_objections(settings)
    placed = paired_recordings(lake, recordings, settings)
    by_part = {
        Part(date, str(name)): rows
        for (date, name), rows in placed.group_by("date", "part", maintain_order=True)
        if isinstance(date, dt.date)
    }
    shards = tuple(sorted(by_part, key=lambda part: (part.date or dt.date.min, part.name)))
    tags = {"rules": _rules(settings), "objections": objections.digest()}
    expired = _expired(by_part, settings, now)
    wanted = {
        part: {**tags, "files": _files_digest(rows), **expired.get(part, {})}
        for part, rows in by_part.items()
    }
    stale = _stale(lake, wanted)
    arrived = _joined_lines(lake, is_joined=False)
    gone = [part for part in lake.parts(CALLS) if part not in by_part]
    if not (stale or gone or arrived):
        return shards
    index = metadata_index(lake, settings)
    named = named_parts(placed, MetadataIndex(_lines(lake, arrived), index.columns), settings)
    pending: Resolved | None = None
    for part in (part for part in shards if part in named or part in stale):
        resolved, warnings = resolve_calls(sided_files(by_part[part]), index, settings)
        rows = [objections.applied(row) for row in resolved]
        if part in expired:
            rows = [{**row, "attributes": []} for row in rows]
        found = [warned(warning, "ingest") for warning in warnings]
        replace_issues(lake, f"calls-{part.name}", found, now)
        calls = CALLS.from_rows(rows)
        if part not in stale and calls.equals(lake.read(CALLS, [part])):
            continue
        if pending is not None:
            lake.write(CALLS, *pending)
        scoring = {"scoring": digest([[row[name] for name in DECIDES_SCORING] for row in rows])}
        pending = (part, calls, wanted[part] | scoring)
    _state_overall(lake, _ids(lake, shards, pending), index, sided_files(placed), settings, now=now)
    for part in gone:
        for writer in (f"calls-{part.name}", f"shard-{part.name}"):
            replace_issues(lake, writer, [], now)
        lake.remove(CALLS, part)
    if pending is not None:  # last: until then a run that is killed is done again
        lake.write(CALLS, *pending)
    _joined_lines(lake, is_joined=True)
    return shards


def _stale(lake: Lake, wanted: Mapping[Part, dict[str, str]]) -> frozenset[Part]:
    """Parts that were made from other files or under other rules, whatever metadata arrived."""
    files = lake.files(CALLS)
    states = {
        part: state_of(sorted(tags.items()), [files.get(part)]) for part, tags in wanted.items()
    }
    return frozenset(
        unlike_before(
            lake,
            CALLS.name,
            states,
            lambda part: not _made_from(lake.sound_tags(CALLS, part), wanted[part]),
        )
    )


def _joined_lines(lake: Lake, *, is_joined: bool) -> list[Part]:
    """Parts of `metadata` that have not joined the calls yet; none where they all have now."""
    states = file_states(lake, "", [METADATA], lake.parts(METADATA))
    return unlike_before(lake, "joined-lines", states, lambda _part: not is_joined)


def _expired(
    parts: Iterable[Part], settings: Settings, now: dt.datetime
) -> dict[Part, dict[str, str]]:
    """Parts whose calls are too old to keep attributes, with the tag that says so."""
    if (days := settings.retention.attributes_days) is None:
        return {}
    first = now.date() - dt.timedelta(days)
    return {part: {"attributes": "expired"} for part in parts if part.date and part.date < first}


def _ids(lake: Lake, shards: Sequence[Part], pending: Resolved | None) -> list[dict[str, Any]]:
    """Ids and places of all calls, with those of a part that is not written yet."""
    columns = ["recording_id", "call_id", "path", "audio_root"]
    part = pending[0] if pending else None
    written = lake.read(CALLS, [shard for shard in shards if shard != part], columns)
    new = [pending[1].select(columns)] if pending else []
    rows: list[dict[str, Any]] = pa.concat_tables([written, *new]).to_pylist()
    return rows


def _state_overall(
    lake: Lake,
    calls: list[dict[str, Any]],
    index: MetadataIndex,
    files: Sequence[Sequence[KnownFile]],
    settings: Settings,
    *,
    now: dt.datetime,
) -> None:
    """What only shows over all calls: lines without a recording, ids that occur twice."""
    found = [*line_issues(index, files, settings), *repeated_call_ids(calls)]
    replace_issues(lake, "calls", [warned(issue, "ingest") for issue in found], now)


def _made_from(tags: dict[str, str] | None, wanted: dict[str, str]) -> bool:
    return tags is not None and wanted.items() <= tags.items()


def _rules(settings: Settings) -> str:
    """Digest of all that the resolution of calls depends on beside files and metadata."""
    naming = settings.ingest.model_dump(
        include={
            "name_pattern",
            "pair_pattern",
            "side_roles",
            "name_time_format",
            "time_format",
            "columns",
            "drop_attributes",
            "pseudonymise",
            "timezone",
        }
    )
    return digest([RULES_VERSION, naming, settings.roles.model_dump()])


def _files_digest(rows: pl.DataFrame) -> str:
    return digest(rows.select(_OF_FILES).rows())
