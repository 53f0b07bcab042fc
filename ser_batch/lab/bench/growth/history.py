"""A call centre's history as earlier nights left it, written in bulk: a day of calls a night."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.analysis.identity import analysis_id
from ser_batch.config import Settings
from ser_batch.ingest.metadata_import import COLUMNS
from ser_batch.lab.bench.growth.recorded import Recorded
from ser_batch.scoring.choose import load_model
from ser_batch.stages.analyse import analyse, inputs_of
from ser_batch.stages.ingest import ingest
from ser_batch.stages.score import score
from ser_batch.stages.shard import features_of
from ser_batch.store.commit import PARTS, issues_part, parts_tag
from ser_batch.store.lake import Lake, Part
from ser_batch.store.part_file import stated_digest
from ser_batch.store.paths import Root
from ser_batch.tables import (
    CHANNELS,
    FILES,
    METADATA,
    QUARANTINE,
    RECORDINGS,
    SEGMENTS,
    TableContract,
    predictions_contract,
)

CALLS_A_DAY = 1000
TONIGHT = dt.datetime(2026, 11, 3, 2)
"""When the night that is measured begins, UTC."""
LINKS_A_FILE = 60_000
"""File systems allow about 65,000 names of a file."""
SHARDS_A_WARNING = 3
COLUMN_NAMES = ("file", "started_at", "queue", "team", "customer", "language", "product")
MODIFIED_NS = 1_780_000_000 * 10**9


@dataclass(frozen=True)
class Day:
    """A call date.

    Attributes:
        date: of the calls
        paths: of the recordings below the audio folder
        ids: recording_id of each
    """

    date: dt.date
    paths: tuple[str, ...]
    ids: tuple[str, ...]

    @classmethod
    def of(cls, date: dt.date, n_calls: int) -> Day:
        """Names of a day's calls."""
        paths = tuple(f"{date}/call-{date:%Y%m%d}-{number:05}.wav" for number in range(n_calls))
        return cls(date, paths, tuple(map(_id, paths)))

    def line(self, number: int) -> dict[str, str]:
        """What the export says of a call."""
        time = dt.datetime.combine(self.date, dt.time(8)) + dt.timedelta(seconds=30 * number)
        return {
            "file": self.paths[number],
            "started_at": time.isoformat(),
            "queue": ("billing", "technical", "sales", "delivery")[number % 4],
            "team": ("north", "south", "west")[number % 3],
            "customer": f"customer-{number % 700:04}",
            "language": ("en", "de")[number % 2],
            "product": ("fibre", "mobile", "television")[number % 3],
        }


def days_before(n_calls: int) -> list[Day]:
    """The days of a history, oldest first."""
    n_days = -(-n_calls // CALLS_A_DAY)
    tonight = TONIGHT.date() - dt.timedelta(days=1)
    return [
        Day.of(
            tonight - dt.timedelta(days=n_days - number),
            min(CALLS_A_DAY, n_calls - number * CALLS_A_DAY),
        )
        for number in range(n_days)
    ]


def make_history(
    root: Root, audio: Path, days: Sequence[Day], recorded: Recorded, settings: Settings
) -> None:
    """Write the lake as it is after each day's night.

    The calls are resolved by ingest itself; what was analysed and scored is written for a shard
    once and given the other shards' names.

    Args:
        root: an empty one
        audio: an empty folder, in which the recordings get names; they share a few bytes
        days: of calls
        recorded: what is in every call
        settings: all settings
    """
    lake, now = Lake(root.lake), TONIGHT - dt.timedelta(hours=1)
    shards = list(_take_in(lake, audio, days, settings))
    ingest(lake, [audio], [], settings, now=now, on_progress=lambda *_: None)
    if not shards:
        return
    first, _ = shards[0]
    bundle = load_model(root, settings)
    analyse(lake, first, settings, recorded, now=now, on_calls=lambda _count: None)
    score(lake, first, bundle, settings)
    copies = _Copies(lake, first, bundle.model_id, settings)
    for number, (part, ids) in enumerate(shards[1:]):
        copies.write(part, ids, has_warning=number % SHARDS_A_WARNING == 0)


def write_lines(path: Path, lines: Iterable[dict[str, str]]) -> None:
    """A metadata file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMN_NAMES)
        writer.writeheader()
        writer.writerows(lines)


def _take_in(
    lake: Lake, audio: Path, days: Sequence[Day], settings: Settings
) -> Iterator[tuple[Part, tuple[str, ...]]]:
    """Recordings, `files` and `metadata` of each day; its shards with their recordings."""
    content = b"no audio"
    n_names, source = 0, audio
    for day in days:
        (audio / str(day.date)).mkdir(parents=True)
        for path in day.paths:
            if n_names % LINKS_A_FILE == 0:
                source = audio / path
                source.write_bytes(content)
                os.utime(source, ns=(MODIFIED_NS, MODIFIED_NS))
            else:
                os.link(source, audio / path)
            n_names += 1
        night = dt.datetime.combine(day.date + dt.timedelta(days=1), TONIGHT.time())
        _keep_lines(lake, day, night)
        step = settings.ingest.shard_calls
        for begin in range(0, len(day.paths), step):
            paths, ids = day.paths[begin : begin + step], day.ids[begin : begin + step]
            part = Part(day.date, _id(*paths)[:16])
            rows: list[dict[str, object]] = [
                {
                    "path": path,
                    "recording_id": recording_id,
                    "audio_root": str(audio),
                    "size_bytes": len(content),
                    "modified_ns": MODIFIED_NS,
                    "duplicate_of": None,
                    "ingested_at": night,
                }
                for path, recording_id in zip(paths, ids, strict=True)
            ]
            lake.write(FILES, part, FILES.from_rows(rows))
            yield part, ids


def _keep_lines(lake: Lake, day: Day, night: dt.datetime) -> None:
    source = _id("metadata", str(day.date))[:16]
    rows = [
        {
            "source": source,
            "line_no": number + 1,
            "source_name": f"{day.date}.csv",
            "arrived_at": night,
            "fields": list(day.line(number).items()),
        }
        for number in range(len(day.paths))
    ]
    tags = {COLUMNS: json.dumps(sorted(COLUMN_NAMES))}
    lake.write(METADATA, Part(None, source), METADATA.from_rows(rows), tags)


def _id(*texts: str) -> str:
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=16).hexdigest()


class _Copies:
    """Writes shards as analysis and scoring wrote the first one, under other recordings' names.

    Args:
        lake: whose first shard is analysed and scored
        first: that shard
        model_id: that scored it
        settings: all settings
    """

    def __init__(self, lake: Lake, first: Part, model_id: str, settings: Settings) -> None:
        self._lake, self._settings = lake, settings
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
        numbers = self._numbers[table.name].filter(self._is_of(table, ids))
        rows = self._rows[table.name].filter(self._is_of(table, ids))
        names = pa.array(sorted(ids), pa.string()).take(numbers)
        self._lake.write(table, part, rows.set_column(0, "recording_id", names), tags)

    def _n_rows(self, table: TableContract, ids: Sequence[str]) -> int:
        return int(pc.sum(self._is_of(table, ids)).as_py())

    def _is_of(self, table: TableContract, ids: Sequence[str]) -> pa.Array[Any]:
        return pc.less(self._numbers[table.name], pa.scalar(len(ids), pa.int32()))


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
