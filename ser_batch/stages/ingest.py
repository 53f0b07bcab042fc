"""Ingest: find what is new in the audio folder, bring metadata together, cut shards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ser_batch.config import Settings, digest
from ser_batch.errors import StopError
from ser_batch.ingest import issues as remarks
from ser_batch.ingest.call_table import import_metadata, metadata_index, refresh_calls
from ser_batch.ingest.calls import resolve_calls
from ser_batch.ingest.inventory import Inventory, file_rows, name_by_content, read_inventory, unseen
from ser_batch.ingest.matching import KnownFile, Remark
from ser_batch.ingest.scan import Rejected, Scan, scan
from ser_batch.ingest.tombstones import read_tombstones, recording_stone
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import FILES


class AudioFolderError(StopError):
    """The audio folder cannot be what was meant."""

    code = "audio_folder"


class NoFolderError(AudioFolderError):
    """The audio folder is not there."""

    remedy = "Mend --audio; if the path is right: is the share mounted?"

    def __init__(self, audio: Path) -> None:
        super().__init__(f"the audio folder {audio} is not there")


class EmptiedFolderError(AudioFolderError):
    """There were recordings on earlier nights, and there is none at all now."""

    remedy = (
        "Is the share mounted? If recordings are deleted after each night, set "
        "`ingest.may_be_empty = true`. Nothing was published."
    )

    def __init__(self, audio: Path, n_known: int) -> None:
        super().__init__(
            f"the audio folder {audio} holds no recording; earlier nights found {n_known}"
        )


@dataclass(frozen=True)
class IngestResult:
    """What a night found.

    Attributes:
        n_found: recordings in the folder
        n_new: files that were new or changed
        n_duplicates: new files whose audio was known under another path
        n_growing: files left for later
        n_rejected: files that cannot be taken in
        n_erased: files left out because their call was erased
        n_metadata_lines: new lines of metadata
        shards: every shard of live recordings, old ones included
    """

    n_found: int
    n_new: int
    n_duplicates: int
    n_growing: int
    n_rejected: int
    n_erased: int
    n_metadata_lines: int
    shards: tuple[Part, ...]


def ingest(
    lake: Lake,
    audio: Path,
    metadata: Sequence[Path],
    settings: Settings,
    *,
    now: dt.datetime,
    on_progress: Callable[[int, int], None],
) -> IngestResult:
    """Take in what is new; a second run over the same folder changes nothing.

    Args:
        lake: the lake
        audio: the audio folder
        metadata: metadata files; those seen before cost nothing
        settings: all settings
        now: UTC
        on_progress: called with files digested and files to digest

    Raises:
        AudioFolderError: if the folder is not there, or was emptied
        MetadataError: if a metadata file as a whole cannot be read
    """
    if not audio.is_dir():
        raise NoFolderError(audio)
    audio_root = audio.resolve()
    lake.sweep()
    seen = scan(audio_root, settings.ingest, now_s=now.replace(tzinfo=dt.UTC).timestamp())
    inventory = read_inventory(lake)
    is_missed = seen.is_empty and not settings.ingest.may_be_empty
    if is_missed:
        _refuse_emptied(audio_root, inventory)
    n_lines = import_metadata(lake, metadata, settings, now)
    new, rejected, moving, n_erased = _take_in(
        lake, seen, inventory, audio_root, settings=settings, now=now, on_progress=on_progress
    )
    inventory = read_inventory(lake) if new.height else inventory
    seen.rejected += rejected
    seen.growing += moving
    _state_scan(lake, seen, inventory, str(audio_root), now, is_missed=is_missed)
    recordings = inventory.recordings()
    refresh_calls(lake, recordings, settings, now)
    return IngestResult(
        n_found=len(seen.found),
        n_new=new.height,
        n_duplicates=new.filter(pl.col("duplicate_of").is_not_null()).height,
        n_growing=len(seen.growing),
        n_rejected=len(seen.rejected),
        n_erased=n_erased,
        n_metadata_lines=n_lines,
        shards=_shards(recordings),
    )


def _refuse_emptied(audio_root: Path, inventory: Inventory) -> None:
    known = inventory.current().filter(pl.col("audio_root") == str(audio_root)).height
    if known:
        raise EmptiedFolderError(audio_root, known)


def _take_in(
    lake: Lake,
    seen: Scan,
    inventory: Inventory,
    audio_root: Path,
    *,
    settings: Settings,
    now: dt.datetime,
    on_progress: Callable[[int, int], None],
) -> tuple[pl.DataFrame, list[Rejected], list[str], int]:
    """Digest new files and write their rows, a part a shard; what was erased stays out."""
    todo = unseen(seen.found, inventory, str(audio_root))
    done = iter(range(1, len(todo) + 1))
    named, rejected, moving = name_by_content(
        todo, audio_root, lambda: on_progress(next(done), len(todo))
    )
    stones = read_tombstones(lake)
    wanted = [each for each in named if recording_stone(each[1]) not in stones]
    new = file_rows(wanted, inventory, str(audio_root), now)
    _write_again(lake, new, inventory)
    fresh = new.join(inventory.rows, on=list(FILES.key), how="anti")
    for part, rows in _cut(lake, fresh, settings):
        lake.write(FILES, part, rows.to_arrow())
    return new, rejected, moving, len(named) - len(wanted)


def _write_again(lake: Lake, new: pl.DataFrame, inventory: Inventory) -> None:
    """Files known with this very content, but touched: their rows are replaced in place."""
    key = list(FILES.key)
    homes = new.select(key).join(inventory.rows.select(*key, "date", "part"), on=key)
    for (date, name), touched in homes.group_by("date", "part"):
        part = Part(date if isinstance(date, dt.date) else None, str(name))
        rows = pl.DataFrame(pl.from_arrow(lake.read(FILES, [part])))
        kept = rows.join(touched, on=key, how="anti")
        before = rows.select(*key, "duplicate_of")
        changed = new.drop("duplicate_of").join(touched.select(key), on=key).join(before, on=key)
        lake.write(FILES, part, pl.concat([kept, changed.select(kept.columns)]).to_arrow())


def _cut(
    lake: Lake, fresh: pl.DataFrame, settings: Settings
) -> Iterator[tuple[Part, pl.DataFrame]]:
    """New files by call date, in shards of the set size; a shard's name follows its content."""
    if fresh.is_empty():
        return
    columns = fresh.select("recording_id", "path", "audio_root", "size_bytes", "modified_ns")
    files = [KnownFile(*row) for row in columns.iter_rows()]
    calls, _ = resolve_calls(files, metadata_index(lake, settings), settings)
    starts = [row["started_at"] for row in calls]
    dated = fresh.with_columns(date=pl.Series(starts, dtype=pl.Datetime("us")).dt.date())
    for (date,), rows in dated.sort("path").group_by("date", maintain_order=True):
        for shard in rows.drop("date").iter_slices(settings.ingest.shard_calls):
            name = digest(sorted(shard.select("audio_root", "path", "recording_id").rows()))
            yield Part(date if isinstance(date, dt.date) else None, name), shard


def _state_scan(
    lake: Lake,
    seen: Scan,
    inventory: Inventory,
    audio_root: str,
    now: dt.datetime,
    *,
    is_missed: bool,
) -> None:
    """What is wrong with this folder and its files, before any of them is decoded."""
    rows = [remarks.quarantined(bad.path, None, "ingest", bad.error) for bad in seen.rejected]
    rows += [
        remarks.warned(
            Remark(
                path, "still_growing", "changed a moment ago", "Nothing: the next run takes it."
            ),
            "ingest",
        )
        for path in seen.growing
    ]
    if is_missed:
        rows.append(remarks.warned(_no_recordings(audio_root, seen.n_ignored), "ingest"))
    here = inventory.current().filter(
        (pl.col("audio_root") == audio_root) & pl.col("duplicate_of").is_not_null()
    )
    for path, first, recording_id in here.select("path", "duplicate_of", "recording_id").rows():
        if not Path(audio_root, first).exists():
            continue  # moved, not doubled
        message, remedy = f"the same audio as {first}; counted once", "Keep one of the two."
        remark = Remark(path, "duplicate_audio", message, remedy, recording_id)
        rows.append(remarks.warned(remark, "ingest"))
    remarks.state(lake, f"scan-{digest(audio_root)}", rows, now)


def _no_recordings(audio_root: str, n_ignored: int) -> Remark:
    others = f"; {n_ignored} files have other endings" if n_ignored else ""
    return Remark(
        audio_root,
        "no_recordings",
        f"the audio folder holds no recording{others}",
        "Check --audio and whether the share is mounted; ingest.extensions says what is taken.",
    )


def _shards(recordings: pl.DataFrame) -> tuple[Part, ...]:
    pairs = recordings.select("date", "part").unique().sort("date", "part").rows()
    return tuple(Part(date, name) for date, name in pairs)
