"""A call centre's history as earlier nights left it, written in bulk: a day of calls a night."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from ser_batch.config import Settings
from ser_batch.ingest.call_table import remember_calls
from ser_batch.ingest.file_index import FileIndex
from ser_batch.ingest.metadata_import import COLUMNS
from ser_batch.lab.bench.growth.copies import DayCopies
from ser_batch.lab.bench.growth.days import COLUMN_NAMES, TONIGHT, Day, digest_of
from ser_batch.lab.bench.growth.recorded import Recorded
from ser_batch.monitoring.run_record import new_run
from ser_batch.scoring.choose import load_model
from ser_batch.stages.analyse import analyse
from ser_batch.stages.ingest import ingest
from ser_batch.stages.score import score
from ser_batch.store.disk import Disk, simulated
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.tables import FILES, METADATA

LINKS_A_FILE = 60_000
"""File systems allow about 65,000 names of a file."""
MODIFIED_NS = 1_780_000_000 * 10**9
CONTENT = b"no audio"


class _NoWaiting(Disk):
    """A disk that is not waited for: a history that a power cut damages is made again."""

    def sync(self, path: Path) -> None:
        """Return at once."""


def make_history(
    root: Root, audio: Path, days: Sequence[Day], recorded: Recorded, settings: Settings
) -> None:
    """Write the lake as it is after each day's night.

    The calls of the first day are resolved by ingest itself, and one of its shards is analysed and
    scored; the others get the same rows under their own names and dates.

    Args:
        root: an empty one
        audio: an empty folder, in which the recordings get names; they share a few bytes
        days: of calls, none with more than the first
        recorded: what is in every call
        settings: all settings
    """
    if not days:
        return
    lake, now = Lake(root.lake), TONIGHT - dt.timedelta(hours=1)
    names = _Names(audio)
    with simulated(_NoWaiting()):
        names.give(days[0])
        first = _take_in(lake, audio, days[0], settings)
        ingest(lake, [audio], [], settings, now=now, on_progress=lambda *_: None)
        bundle = load_model(root, settings)
        analyse(lake, first, settings, recorded, now=now, on_calls=lambda _count: None)
        score(lake, first, bundle, settings)
        copies = DayCopies(lake, days[0], first, bundle.model_id, settings)
        for day in days:
            if day != days[0]:
                names.give(day)
            copies.write(day)
            run = new_run(str(audio), settings, bundle.model_id, started_at=day.night)
            run.status = "clean"
            run.write(lake)
        _age(lake, days)
        remember_calls(lake, FileIndex(lake, settings.ingest), settings, now)


def _age(lake: Lake, days: Sequence[Day]) -> None:
    """Let the lake's folders look as if each had been written in its day's night."""
    nights = {str(day.date): day.night.replace(tzinfo=dt.UTC).timestamp() for day in days}
    for folder in lake.folder.rglob("date=*"):
        written_s = nights[folder.name.removeprefix("date=")]
        os.utime(folder, (written_s, written_s))


class _Names:
    """Gives recordings their names in the audio folder: links to files of a few bytes."""

    def __init__(self, audio: Path) -> None:
        self._audio, self._source, self._n_names = audio, audio, 0

    def give(self, day: Day) -> None:
        """The names of a day."""
        (self._audio / str(day.date)).mkdir(parents=True)
        for path in day.paths:
            place = f"{self._audio}/{path}"
            if self._n_names % LINKS_A_FILE == 0:
                self._source = Path(place)
                self._source.write_bytes(CONTENT)
                os.utime(self._source, ns=(MODIFIED_NS, MODIFIED_NS))
            else:
                os.link(self._source, place)
            self._n_names += 1
        os.utime(self._audio / str(day.date), ns=(MODIFIED_NS, MODIFIED_NS))


def _take_in(lake: Lake, audio: Path, day: Day, settings: Settings) -> Part:
    """`files` and `metadata` of a day; its first shard."""
    source = digest_of("metadata", str(day.date))[:16]
    rows = [
        {
            "source": source,
            "line_no": number,
            "source_name": f"{day.date}.csv",
            "arrived_at": day.night,
            "fields": list(line.items()),
        }
        for number, line in enumerate(day.lines(), start=1)
    ]
    tags = {COLUMNS: json.dumps(sorted(COLUMN_NAMES))}
    lake.write(METADATA, Part(None, source), METADATA.from_rows(rows), tags)
    files = pa.Table.from_pylist(
        [
            {
                "path": path,
                "recording_id": digest_of(path),
                "audio_root": str(audio),
                "size_bytes": len(CONTENT),
                "modified_ns": MODIFIED_NS,
                "duplicate_of": None,
                "ingested_at": day.night,
            }
            for path in day.paths
        ],
        schema=FILES.arrow,
    )
    step = settings.ingest.shard_calls
    parts = [
        Part(day.date, digest_of(*day.paths[begin : begin + step])[:16])
        for begin in range(0, day.n_calls, step)
    ]
    for number, part in enumerate(parts):
        lake.write(FILES, part, files.slice(number * step, step))
    return parts[0]
