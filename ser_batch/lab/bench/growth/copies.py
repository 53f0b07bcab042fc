"""Days of calls copied from one that was resolved, analysed and scored, under other names."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.analysis.identity import analysis_id
from ser_batch.config import Settings
from ser_batch.ingest.call_tags import DECIDES_SCORING, files_tag, rules_tags, scoring_tag
from ser_batch.ingest.inventory import Inventory
from ser_batch.ingest.sides import with_sides
from ser_batch.lab.bench.growth.days import TONIGHT, Day, digest_of
from ser_batch.stages.analyse import inputs_of
from ser_batch.stages.shard import features_of
from ser_batch.store.commit import PARTS, issues_part, parts_tag
from ser_batch.store.lake import Lake, Part
from ser_batch.store.part_file import stated_digest
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    FILES,
    METADATA,
    QUARANTINE,
    RECORDINGS,
    SEGMENTS,
    TableContract,
    predictions_contract,
)

LINKS_A_FILE = 30_000
"""File systems allow about 65,000 names of a file; a copy of a kept history takes as many again."""
SHARDS_A_WARNING = 3


class DayCopies:
    """Writes days as ingest, analysis and scoring wrote the first one.

    Args:
        lake: in which the first day is taken in
        first: that day
        shard: of it, analysed and scored
        model_id: that scored it
        settings: all settings
    """

    def __init__(
        self, lake: Lake, first: Day, shard: Part, model_id: str, settings: Settings
    ) -> None:
        self._lake, self._first, self._settings = lake, first, settings
        self._lines = _only(lake, METADATA, None)
        self._files = _only(lake, FILES, first.date).sort_by("path")
        self._calls = _only(lake, CALLS, first.date).sort_by("path")
        self._line_tags = lake.tags(METADATA, lake.parts(METADATA)[0]) or {}
        self._rules = rules_tags(settings)
        self._shards = _ShardCopies(lake, shard, model_id, settings)
        self._n_shards = 0

    def write(self, day: Day) -> None:
        """All tables of a day; those of the first that are there stay."""
        paths = day.paths
        step = self._settings.ingest.shard_calls
        shards = [
            (Part(day.date, digest_of(*paths[begin : begin + step])[:16]), begin)
            for begin in range(0, day.n_calls, step)
        ]
        ids = [*map(digest_of, paths)]
        if day != self._first:
            self._write_lines(day)
            self._write_taken_in(day, shards, pa.array(ids, pa.string()))
        for part, begin in shards:
            has_warning = self._n_shards % SHARDS_A_WARNING == 0
            self._shards.write(part, ids[begin : begin + step], has_warning=has_warning)
            self._n_shards += 1

    def _write_taken_in(
        self, day: Day, shards: Sequence[tuple[Part, int]], ids: pa.Array[Any]
    ) -> None:
        """`files` and `calls` of a day, both in the order of their paths."""
        files, calls = (rows.slice(0, day.n_calls) for rows in (self._files, self._calls))
        nights = pa.array([day.night] * day.n_calls, pa.timestamp("us"))
        starts = pc.add(calls["started_at"], pa.scalar(day.date - self._first.date))
        files = _replaced(files, ingested_at=nights)
        call_ids = self._of_day(calls["call_id"], day)
        calls = _replaced(calls, started_at=starts, call_id=call_ids, customer=_customers(day))
        files, calls = (
            _replaced(rows, recording_id=ids, path=self._of_day(rows["path"], day))
            for rows in (files, calls)
        )
        inventory = Inventory(_frame(files).with_columns(date=pl.lit(day.date), part=pl.lit("")))
        placed = with_sides(inventory.recordings(), {}, self._settings.ingest)
        decided = calls.select(DECIDES_SCORING).to_pylist()
        step = self._settings.ingest.shard_calls
        for part, begin in shards:
            self._lake.write(FILES, part, files.slice(begin, step))
            made_from = {
                "files": files_tag(placed.slice(begin, step)),
                "scoring": scoring_tag(decided[begin : begin + step]),
            }
            self._lake.write(CALLS, part, calls.slice(begin, step), self._rules | made_from)

    def _write_lines(self, day: Day) -> None:
        source = digest_of("metadata", str(day.date))[:16]
        rows = self._lines.take(
            pa.array(range(day.n_calls))
        ).combine_chunks()  # a slice keeps all texts
        fields: Any = rows["fields"].chunk(0)
        texts = self._of_day(fields.items, day)
        is_customer = pc.equal(fields.keys, pa.scalar("customer"))
        texts = pc.replace_with_mask(texts, is_customer, _customers(day))
        rows = _replaced(
            rows,
            source=pa.array([source] * day.n_calls, pa.string()),
            source_name=self._of_day(rows["source_name"], day),
            arrived_at=pa.array([day.night] * day.n_calls, pa.timestamp("us")),
            fields=pa.MapArray.from_arrays(fields.offsets, fields.keys, texts),
        )
        self._lake.write(METADATA, Part(None, source), rows, self._line_tags)

    def _of_day(self, texts: Any, day: Day) -> Any:
        """Texts of the first day with another day's date."""
        for pattern in ("%Y-%m-%d", "%Y%m%d"):
            before, now = (date.strftime(pattern) for date in (self._first.date, day.date))
            texts = pc.replace_substring(texts, before, now)
        return texts


class _ShardCopies:
    """Writes shards as analysis and scoring wrote one, under other recordings' names."""

    def __init__(self, lake: Lake, first: Part, model_id: str, settings: Settings) -> None:
        self._lake, self._settings, self._first = lake, settings, first
        self._features = features_of(settings)
        self._scored = predictions_contract(model_id)
        tables = (CHANNELS, SEGMENTS, self._features, self._scored, RECORDINGS)
        self._tags = {table.name: lake.tags(table, first) or {} for table in tables}
        self._rows = {table.name: lake.read(table, [first]) for table in tables}
        ids = self._rows[RECORDINGS.name]["recording_id"].to_pylist()  # in order
        numbers = {recording_id: number for number, recording_id in enumerate(ids)}
        self._numbers = {
            name: pa.array([numbers[each] for each in rows["recording_id"].to_pylist()], pa.int32())
            for name, rows in self._rows.items()
        }
        self._wide: dict[int, Path] = {}

    def write(self, part: Part, ids: Sequence[str], *, has_warning: bool) -> None:
        """All tables of a shard, `recordings` last."""
        if part == self._first:
            return
        lake, settings = self._lake, self._settings
        for table in (CHANNELS, SEGMENTS, self._scored):
            self._write(table, part, ids, self._tags[table.name])
        features = self._write_features(part, ids)
        members = [(CHANNELS, part), (SEGMENTS, part)]
        if has_warning:
            members.append((QUARANTINE, issues_part(part)))
            tags = {"analysis_id": analysis_id(settings)}
            lake.write(*members[-1], QUARANTINE.from_rows([_warning(ids[0])]), tags)
        named = json.loads(parts_tag(lake, members))
        named[self._features.name] = (self._n_rows(self._features, ids), stated_digest(features))
        tags = self._tags[RECORDINGS.name] | {
            "inputs": inputs_of(lake, part, settings),
            PARTS: json.dumps(named),
        }
        self._write(RECORDINGS, part, ids, tags)

    def _write_features(self, part: Part, ids: Sequence[str]) -> Path:
        """A name of the features of as many calls: thousands of columns take long to write."""
        target = self._lake.path(self._features, part)
        source = self._wide.get(len(ids))
        if source is not None and source.stat().st_nlink < LINKS_A_FILE:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(source, target)
        else:
            self._write(self._features, part, ids, self._tags[self._features.name])
            self._wide[len(ids)] = target
        return target

    def _write(
        self, table: TableContract, part: Part, ids: Sequence[str], tags: dict[str, str]
    ) -> None:
        of_ids = self._is_of(table, ids)
        names = pa.array(sorted(ids), pa.string()).take(self._numbers[table.name].filter(of_ids))
        rows = self._rows[table.name].filter(of_ids)
        self._lake.write(table, part, rows.set_column(0, "recording_id", names), tags)

    def _n_rows(self, table: TableContract, ids: Sequence[str]) -> int:
        return int(pc.sum(self._is_of(table, ids)).as_py())

    def _is_of(self, table: TableContract, ids: Sequence[str]) -> pa.Array[Any]:
        return pc.less(self._numbers[table.name], pa.scalar(len(ids), pa.int32()))


def _only(lake: Lake, table: TableContract, date: dt.date | None) -> pa.Table:
    """All rows of a table, which holds one date."""
    parts = [part for part in lake.parts(table) if part.date == date]
    return lake.read(table, parts).combine_chunks()


def _customers(day: Day) -> pa.Array[Any]:
    return pa.array(map(day.customer, range(day.n_calls)), pa.string())


def _replaced(rows: pa.Table, **columns: Any) -> pa.Table:
    """A table with other values in some columns."""
    for name, values in columns.items():
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, rows.schema.field(name), values)
    return rows


def _warning(recording_id: str) -> dict[str, object]:
    return {
        "audio_root": "/recordings",
        "path": f"{recording_id}.wav",
        "recording_id": recording_id,
        "severity": "warning",
        "stage": "analyse",
        "code": "noisy",
        "message": "the line is noisy",
        "remedy": "Nothing.",
        "noticed_at": TONIGHT - dt.timedelta(days=1),
    }


def _frame(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table))
