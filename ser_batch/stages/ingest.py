"""Ingest: find what is new in the audio folders, bring metadata together, cut shards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from ser_batch.config import Settings, digest
from ser_batch.errors import EmptiedFolderError
from ser_batch.files.inputs import are_there, name_of
from ser_batch.files.objects import is_address
from ser_batch.ingest.call_table import refresh_calls
from ser_batch.ingest.calls import resolve_calls
from ser_batch.ingest.file_index import FileIndex
from ser_batch.ingest.folder_states import Found
from ser_batch.ingest.folders import audio_roots
from ser_batch.ingest.inventory import Inventory, file_rows, name_by_content
from ser_batch.ingest.issues import quarantined, replace_issues, warned
from ser_batch.ingest.late_rows import drop_erased
from ser_batch.ingest.line_index import LineIndex
from ser_batch.ingest.matching import DataIssue, KnownFile
from ser_batch.ingest.metadata_import import import_metadata
from ser_batch.ingest.scan import Scan, folder_name, scan
from ser_batch.ingest.sides import find_side
from ser_batch.ingest.tombstones import read_tombstones, recording_stone
from ser_batch.store.checked import keep_known, read_known
from ser_batch.store.copies import restore_copies
from ser_batch.store.lake import Lake, Part
from ser_batch.store.settled import sweep_unsettled
from ser_batch.tables import FILES

_SCANNED = "scanned"


@dataclass(frozen=True)
class IngestResult:
    """What a night found.

    Attributes:
        n_found: recordings in the folders
        n_new: files that were new or changed
        n_duplicates: new files whose audio was known under another path
        n_growing: files left for later
        n_rejected: files that cannot be taken in
        n_erased: files left out because their call was erased
        n_metadata_lines: new lines of metadata
        attributes: columns of these that have no meaning, and are kept as attributes
    """

    n_found: int
    n_new: int
    n_duplicates: int
    n_growing: int
    n_rejected: int
    n_erased: int
    n_metadata_lines: int
    attributes: tuple[str, ...]


def ingest(
    lake: Lake,
    audio: Sequence[Path],
    metadata: Sequence[Path],
    settings: Settings,
    *,
    now: dt.datetime,
    on_progress: Callable[[int, int], None],
) -> IngestResult:
    """Take in what is new; a second run over the same folders changes nothing.

    Args:
        lake: the lake
        audio: the audio folders
        metadata: metadata files; those seen before cost nothing
        settings: all settings
        now: UTC
        on_progress: called with files digested and files to digest

    Raises:
        AudioFolderError: if a folder is not there, lies in another, or was emptied
        MetadataError: if a metadata file cannot be opened, or is of no known kind
    """
    roots = audio_roots(audio)
    sweep_unsettled(lake)
    restore_copies(lake)
    drop_erased(lake)
    files = FileIndex(lake, settings.ingest)
    before = _as_before(lake, files)
    folders = [_look(root, files, settings, now, before) for root in roots]
    stated = import_metadata(lake, metadata, settings, now)
    lines = LineIndex(lake, settings)
    on_file = _progress(folders, on_progress)
    taken = []
    for folder in folders:
        taken.append(_take_in(lake, folder, files, lines, settings, now=now, on_file=on_file))
        files.refresh()
        _state_scan(lake, folder, files, now)
    refresh_calls(lake, files, lines, settings, now)
    _remember(lake, files, folders)
    new = pl.concat([each.new for each in taken])
    return IngestResult(
        n_found=sum(folder.seen.n_found for folder in folders),
        n_new=new.height,
        n_duplicates=new.filter(pl.col("duplicate_of").is_not_null()).height,
        n_growing=sum(len(folder.seen.growing) for folder in folders),
        n_rejected=sum(len(folder.seen.rejected) for folder in folders),
        n_erased=sum(each.n_erased for each in taken),
        n_metadata_lines=stated.n_lines,
        attributes=stated.attributes,
    )


@dataclass(frozen=True)
class _Folder:
    """An audio folder as it is found.

    Attributes:
        root: resolved
        seen: what lies in it
        todo: recordings that are new or changed
        is_missed: it holds nothing, and that is not ordinary
    """

    root: Path
    seen: Scan
    todo: list[Found]
    is_missed: bool

    @property
    def name(self) -> str:
        """Its path or address, as tables have it."""
        return name_of(self.root)


@dataclass(frozen=True)
class _Taken:
    """What was taken in from a folder: rows of `files`, and how many files had been erased."""

    new: pl.DataFrame
    n_erased: int


def _look(
    root: Path, files: FileIndex, settings: Settings, now: dt.datetime, before: Mapping[str, str]
) -> _Folder:
    """Scan a folder.

    Raises:
        EmptiedFolderError: if it held recordings on earlier nights and holds none
    """
    now_s = now.replace(tzinfo=dt.UTC).timestamp()
    seen = scan(root, settings.ingest, now_s=now_s, before=before)
    is_missed = seen.is_empty and not settings.ingest.may_be_empty
    if is_missed:
        known = files.count_below(name_of(root))
        if known:
            raise EmptiedFolderError(name_of(root), known)
    return _Folder(root, seen, files.unseen(seen.found, name_of(root)), is_missed)


def _as_before(lake: Lake, files: FileIndex) -> dict[str, str]:
    """State of the folders of which every recording is known; none if the known ones changed."""
    before = read_known(lake, _SCANNED)
    return before if before.pop(FILES.name, None) == (files.kept or "changed") else {}


def _remember(lake: Lake, files: FileIndex, folders: Sequence[_Folder]) -> None:
    """Write down which folders hold nothing but known recordings: the next scan counts those."""
    states: dict[str, str] = {}
    for folder in folders:
        unknown = {each.path for each in files.unseen(folder.seen.found, folder.name)}
        doubtful = {folder_name(folder.root, path) for path in unknown}
        states |= {
            name: state for name, state in folder.seen.states.items() if name not in doubtful
        }
    keep_known(lake, _SCANNED, {**states, FILES.name: files.kept})


def _progress(
    folders: Sequence[_Folder], on_progress: Callable[[int, int], None]
) -> Callable[[], None]:
    """What to call after each file of all folders."""
    total = sum(len(folder.todo) for folder in folders)
    done = iter(range(1, total + 1))
    return lambda: on_progress(next(done), total)


def _take_in(
    lake: Lake,
    folder: _Folder,
    files: FileIndex,
    lines: LineIndex,
    settings: Settings,
    *,
    now: dt.datetime,
    on_file: Callable[[], None],
) -> _Taken:
    """Digest new files and write their rows, a part a shard; what was erased stays out."""
    named, rejected, moving = name_by_content(folder.todo, folder.root, on_file)
    folder.seen.rejected += rejected
    folder.seen.growing += moving
    stones = read_tombstones(lake)
    wanted = [each for each in named if recording_stone(each[1]) not in stones]
    inventory = files.known_of(wanted, folder.name)
    new = file_rows(wanted, inventory, folder.name, now)
    _write_again(lake, new, inventory)
    fresh = new.join(inventory.rows, on=list(FILES.key), how="anti")
    for part, rows in _cut(lines, fresh, settings):
        lake.write(FILES, part, rows.to_arrow())
    return _Taken(new, len(named) - len(wanted))


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
    lines: LineIndex, fresh: pl.DataFrame, settings: Settings
) -> Iterator[tuple[Part, pl.DataFrame]]:
    """New files by call date, in shards of the set size; a shard's name follows its content."""
    if fresh.is_empty():
        return
    columns = ("recording_id", "path", "audio_root", "size_bytes", "modified_ns", "ingested_at")
    files = [KnownFile(*row) for row in fresh.select(columns).iter_rows()]
    sided = [(replace(file, side=find_side(file, {}, settings.ingest)),) for file in files]
    calls, _ = resolve_calls(sided, lines.about(file for [file] in sided), settings)
    starts = [row["started_at"] for row in calls]
    dated = fresh.with_columns(date=pl.Series(starts, dtype=pl.Datetime("us")).dt.date())
    for (date,), rows in dated.sort("path").group_by("date", maintain_order=True):
        for shard in rows.drop("date").iter_slices(settings.ingest.shard_calls):
            name = digest(sorted(shard.select("audio_root", "path", "recording_id").rows()))
            yield Part(date if isinstance(date, dt.date) else None, name), shard


def _state_scan(lake: Lake, folder: _Folder, files: FileIndex, now: dt.datetime) -> None:
    """What is wrong with a folder and its files, before any of them is decoded."""
    root, seen = folder.name, folder.seen
    rows = [quarantined(root, bad.path, None, "ingest", bad.error) for bad in seen.rejected]
    found = [_still_growing(root, path) for path in seen.growing]
    if folder.is_missed:
        found.append(_no_recordings(root, seen.n_ignored))
    here = (
        files.duplicates(root)
        .current()
        .filter((pl.col("audio_root") == root) & pl.col("duplicate_of").is_not_null())
    )
    doubled = here.select("path", "duplicate_of", "recording_id").rows()
    firsts = [Path(first) if is_address(first) else folder.root / first for _, first, _ in doubled]
    for (path, first, recording_id), is_kept in zip(doubled, are_there(firsts), strict=True):
        if not is_kept:
            continue  # moved, not doubled
        message, remedy = f"the same audio as {first}; counted once", "Keep one of the two."
        found.append(DataIssue(path, "duplicate_audio", message, remedy, recording_id, root))
    rows += [warned(issue, "ingest") for issue in found]
    replace_issues(lake, f"scan-{digest(root)}", rows, now)


def _still_growing(root: str, path: str) -> DataIssue:
    remedy = "Nothing: the next run takes it."
    return DataIssue(path, "still_growing", "changed a moment ago", remedy, audio_root=root)


def _no_recordings(root: str, n_ignored: int) -> DataIssue:
    others = f"; files hidden or with other endings: {n_ignored}" if n_ignored else ""
    return DataIssue(
        root,
        "no_recordings",
        f"the audio folder holds no recording{others}",
        "Check --audio and whether the share is mounted; ingest.extensions says what is taken.",
    )
