"""Keep the table `calls` true: what metadata, names and settings say of each live recording."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa

from ser_batch.config import Settings
from ser_batch.ingest.call_tags import files_tag, rules_tags, scoring_tag
from ser_batch.ingest.calls import repeated_call_ids, resolve_calls
from ser_batch.ingest.file_index import FileIndex
from ser_batch.ingest.issues import replace_issues, warned
from ser_batch.ingest.line_index import LineIndex, OddCounts, read_lines_of
from ser_batch.ingest.matching import MetadataIndex, line_issues
from ser_batch.ingest.metadata_import import COLUMNS
from ser_batch.ingest.objections import read_objections
from ser_batch.ingest.odd_lines import OddLines
from ser_batch.ingest.scan import same_name
from ser_batch.ingest.sides import sided_files, stated_sides, with_sides
from ser_batch.store.checked import file_states, unlike_before, unlike_before_by_day
from ser_batch.store.lake import Lake, Part
from ser_batch.store.remembered import Remembered, key_of, keys_of
from ser_batch.tables import CALLS, FILES, METADATA

EXPIRED = {"attributes": "expired"}
"""Tag of parts whose calls are too old to keep attributes."""


def metadata_index(lake: Lake, settings: Settings) -> MetadataIndex:
    """All metadata that has arrived, oldest first."""
    return MetadataIndex(read_lines_of(lake, lake.parts(METADATA)), settings.ingest.columns)


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
    stated = stated_sides(read_lines_of(lake, parts), settings.ingest)
    return with_sides(recordings, stated, settings.ingest)


@dataclass(frozen=True)
class _Opened:
    """Parts of `calls` that are looked at.

    Attributes:
        parts: which; those without a live recording are gone
        files: rows of `with_sides` by part
        tags: that each part must have
        named: those that a new line may be about
        are_all: every part is looked at
    """

    parts: set[Part]
    files: dict[Part, pl.DataFrame]
    tags: dict[Part, dict[str, str]]
    named: set[Part]
    are_all: bool


def refresh_calls(
    lake: Lake, files: FileIndex, lines: LineIndex, settings: Settings, now: dt.datetime
) -> None:
    """Bring every part of `calls` up to date.

    Only parts are opened whose files or rules changed, or that a new line may be about. What was
    seen is remembered last: a run that is killed before finds the same changes again.

    Args:
        lake: the lake
        files: every file that was taken in
        lines: every line of metadata that has arrived
        settings: names, time zone and roles
        now: UTC
    """
    tags = rules_tags(settings)
    arrived = _joined_lines(lake, is_joined=False)
    due = files.shards_of(files.touched())
    due.update(_changed(lake, tags, settings, now, is_known=False))
    if not (due or arrived):
        return
    opened = _open(lake, files, lines, due, arrived, tags=tags, settings=settings, now=now)
    _write(lake, opened, lines, settings, now)
    dates = {part.date for part in opened.parts if part.date}
    for part in (
        opened.parts & lake.files(CALLS, dates=sorted(dates)).keys()
    ) - opened.files.keys():
        for writer in (f"calls-{part.name}", f"shard-{part.name}"):
            replace_issues(lake, writer, [], now)
        lake.remove(CALLS, part)
    odd = OddLines(lake, files, lines, settings)
    placed = [call for rows in opened.files.values() for call in sided_files(rows)]
    counts = odd.count(placed, is_all=opened.are_all)
    _state_overall(lake, lines, counts, now)
    _remember(odd, counts, now)


def _open(
    lake: Lake,
    files: FileIndex,
    lines: LineIndex,
    due: set[Part],
    arrived: Collection[Part],
    *,
    tags: dict[str, str],
    settings: Settings,
    now: dt.datetime,
) -> _Opened:
    """The parts that changed or that a new line may be about, with their recordings."""
    named = files.named(*lines.names_of(arrived))
    is_paired = settings.ingest.pair_pattern is not None or lines.state_sides
    # the other side of a call may lie in any part
    parts = {*files.shards(), *lake.files(CALLS)} if is_paired else due | files.shards_of(named)
    recordings = files.recordings(files.came_in(parts))
    placed = (
        paired_recordings(lake, recordings, settings)
        if is_paired
        else with_sides(recordings, {}, settings.ingest)
    )
    by_part = {
        Part(date, str(name)): rows
        for (date, name), rows in placed.group_by("date", "part", maintain_order=True)
        if isinstance(date, dt.date) and Part(date, str(name)) in parts
    }
    is_named = keys_of(placed["recording_id"]).is_in(named.implode())
    sides = keys_of(same_name(text or "") for text in placed["side_call_id"])
    is_named |= sides.is_in(lines.names_of(arrived)[1].implode())
    is_expired = _is_expired(settings, now)
    return _Opened(
        parts,
        by_part,
        {
            part: {**tags, "files": files_tag(rows), **(EXPIRED if is_expired(part.date) else {})}
            for part, rows in by_part.items()
        },
        {Part(date, str(name)) for date, name in placed.filter(is_named)["date", "part"].rows()},
        is_paired,
    )


def _write(
    lake: Lake,
    opened: _Opened,
    lines: LineIndex,
    settings: Settings,
    now: dt.datetime,
) -> None:
    """Resolve the calls of the parts that are out of date or named, and write what changed."""
    stale = {
        part
        for part, wanted in opened.tags.items()
        if not _made_from(lake.sound_tags(CALLS, part), wanted)
    }
    todo = {
        part: sided_files(rows)
        for part, rows in opened.files.items()
        if part in stale or part in opened.named
    }
    objections = read_objections(settings)
    index = lines.about(file for calls in todo.values() for files in calls for file in files)
    for part in _in_order(todo):
        resolved, warnings = resolve_calls(todo[part], index, settings)
        rows = [objections.applied(row) for row in resolved]
        if "attributes" in opened.tags[part]:
            rows = [{**row, "attributes": []} for row in rows]
        found = [warned(warning, "ingest") for warning in warnings]
        replace_issues(lake, f"calls-{part.name}", found, now)
        calls = CALLS.from_rows(rows)
        if part not in stale and calls.equals(lake.read(CALLS, [part])):
            continue
        lake.write(CALLS, part, calls, opened.tags[part] | {"scoring": scoring_tag(rows)})


def remember_calls(lake: Lake, files: FileIndex, settings: Settings, now: dt.datetime) -> None:
    """Take every part of `calls` for up to date: what wrote them knew all files and lines.

    Args:
        lake: the lake
        files: every file that was taken in
        settings: names, time zone and roles
        now: UTC
    """
    _of_same_id(lake)
    odd = OddLines(lake, files, LineIndex(lake, settings), settings)
    _remember(odd, odd.count((), is_all=False), now)


def _remember(odd: OddLines, counts: OddCounts, now: dt.datetime) -> None:
    _joined_lines(odd.lake, is_joined=True)
    odd.lines.keep()
    odd.files.keep()
    odd.keep(counts)
    _changed(odd.lake, rules_tags(odd.settings), odd.settings, now, is_known=True)


def _changed(
    lake: Lake, tags: dict[str, str], settings: Settings, now: dt.datetime, *, is_known: bool
) -> list[Part]:
    """Parts whose files, rows in `calls` or rules changed; none where they are to be known."""
    is_expired = _is_expired(settings, now)
    return unlike_before_by_day(
        lake,
        CALLS.name,
        tags,
        (FILES, CALLS),
        lambda _part: not is_known,
        beside=lambda date, _name: is_expired(date),
    )


def _in_order(parts: Iterable[Part]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda part: (part.date or dt.date.min, part.name)))


def _joined_lines(lake: Lake, *, is_joined: bool) -> list[Part]:
    """Parts of `metadata` that have not joined the calls yet; none where they all have now."""
    states = file_states(lake, "", [METADATA], lake.parts(METADATA))
    return unlike_before(lake, "joined-lines", states, lambda _part: not is_joined)


def _is_expired(settings: Settings, now: dt.datetime) -> Callable[[dt.date | None], bool]:
    """Whether the calls of a date are too old to keep attributes."""
    days = settings.retention.attributes_days
    first = dt.date.min if days is None else now.date() - dt.timedelta(days)
    return lambda date: date is not None and date < first


def _state_overall(lake: Lake, lines: LineIndex, counts: OddCounts, now: dt.datetime) -> None:
    """What only shows over all calls: lines without a recording, ids that occur twice."""
    index = lines.odd_lines(counts)
    found = line_issues(index, lambda kind, name: counts.get((kind, key_of(name)), 1))
    found += repeated_call_ids(_of_same_id(lake))
    replace_issues(lake, "calls", [warned(issue, "ingest") for issue in found], now)


def _of_same_id(lake: Lake) -> list[dict[str, Any]]:
    """Ids and places of calls, those among them that share an id."""
    ids = Remembered(lake, CALLS, _call_ids)
    ids.keep()
    same = ids.rows.filter(pl.col("call_id").is_duplicated())
    columns = ["recording_id", "call_id", "path", "audio_root"]
    rows: list[dict[str, Any]] = lake.read(CALLS, ids.parts_of(same), columns).to_pylist()
    return rows


def _call_ids(calls: pa.Table) -> pl.DataFrame:
    return pl.DataFrame({"call_id": keys_of(map(str, calls["call_id"].to_pylist()))})


def _made_from(tags: dict[str, str] | None, wanted: dict[str, str]) -> bool:
    return tags is not None and wanted.items() <= tags.items()
