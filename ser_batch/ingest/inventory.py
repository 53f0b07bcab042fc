"""The inventory of recordings: which files are known, which are current, which are new."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa

from ser_batch.errors import FileError, GoneFileError, StoreAccessError, UnreadableFileError
from ser_batch.files.inputs import are_there, status_of
from ser_batch.ingest.folder_states import Found
from ser_batch.ingest.matching import KnownFile
from ser_batch.ingest.scan import Rejected, content_id, modified_ns
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import FILES

_DIGEST_THREADS = 4
_TICK = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Inventory:
    """Files that were taken in: all, or all that concern some recordings.

    Attributes:
        rows: of the table `files`, with the name and date of the part of each
    """

    rows: pl.DataFrame

    def current(self) -> pl.DataFrame:
        """The recording that each path holds now: the one taken in last."""
        latest = self.rows.sort("ingested_at", "modified_ns")
        return latest.unique(["audio_root", "path"], keep="last", maintain_order=True)

    def homes(self) -> pl.DataFrame:
        """The row by which each recording came in first: its part is where it is worked on."""
        first = self.rows.filter(pl.col("duplicate_of").is_null()).sort("ingested_at")
        return first.unique("recording_id", keep="first", maintain_order=True)

    def recordings(self) -> pl.DataFrame:
        """One row a live recording: its first path that is still there, and its part."""
        home = self.homes().select("recording_id", "date", "part")
        live = self.current().drop("date", "part").sort("ingested_at", "path", "audio_root")
        paths = live.group_by("recording_id").agg(
            other_places=pl.struct("audio_root", "path").unique().sort()
        )
        places = _still_there_first(live)
        first = places.unique("recording_id", keep="first", maintain_order=True)
        joined = first.join(home, on="recording_id").join(paths, on="recording_id")
        return joined.sort("ingested_at", "path")


def read_inventory(lake: Lake, parts: Sequence[Part] | None = None) -> Inventory:
    """The inventory as the lake holds it.

    Args:
        lake: whose
        parts: of the table `files`; None: all
    """
    wanted = lake.parts(FILES) if parts is None else parts
    tables = [_with_part(lake.read(FILES, [part]), part) for part in wanted]
    schema = [*FILES.arrow, pa.field("date", pa.date32()), pa.field("part", pa.string())]
    rows = pa.concat_tables(tables) if tables else pa.schema(schema).empty_table()
    return Inventory(pl.DataFrame(pl.from_arrow(rows)))


def name_by_content(
    found: Sequence[Found], audio_root: Path, on_file: Callable[[], None]
) -> tuple[list[tuple[Found, str]], list[Rejected], list[str]]:
    """Digest files side by side.

    Args:
        found: the files
        audio_root: the folder that their paths start from
        on_file: called after each

    Returns:
        files with their recording id; files that cannot be read; paths that changed meanwhile
    """

    def named(file: Found) -> str | FileError | None:
        path = audio_root / file.path
        try:
            recording_id = content_id(path)
            stat = status_of(path)
        except StoreAccessError as error:  # the folder may be listed, this object not be read
            return UnreadableFileError(PermissionError(str(error)))
        except (FileNotFoundError, GoneFileError):
            return None
        except FileError as error:
            return error
        unchanged = (stat.st_size, modified_ns(stat)) == (file.size_bytes, file.modified_ns)
        return recording_id if unchanged else None

    good: list[tuple[Found, str]] = []
    bad: list[Rejected] = []
    moving: list[str] = []
    with ThreadPoolExecutor(_DIGEST_THREADS) as threads:
        for file, outcome in zip(found, threads.map(named, found), strict=True):
            if isinstance(outcome, FileError):
                bad.append(Rejected(file.path, outcome))
            elif outcome is None:
                moving.append(file.path)
            else:
                good.append((file, outcome))
            on_file()
    return good, bad, moving


def file_rows(
    named: Iterable[tuple[Found, str]],
    inventory: Inventory,
    audio_root: str,
    now: dt.datetime,
) -> pl.DataFrame:
    """Rows of the table `files` for new files; a second place of the same audio says so."""
    homes = inventory.homes().select("recording_id", "audio_root", "path")
    first_place = {recording_id: (root, path) for recording_id, root, path in homes.iter_rows()}
    held = inventory.current().filter(pl.col("audio_root") == audio_root)
    last = dict(held.select("path", "ingested_at").iter_rows())
    rows = []
    for file, recording_id in named:
        root, first = first_place.setdefault(recording_id, (audio_root, file.path))
        earlier = first if root == audio_root else f"{root}/{first}"
        rows.append(
            {
                "path": file.path,
                "recording_id": recording_id,
                "audio_root": audio_root,
                "size_bytes": file.size_bytes,
                "modified_ns": file.modified_ns,
                "duplicate_of": None if earlier == file.path else earlier,
                # later than what the path held before, though the clock went back
                "ingested_at": max(now, last.get(file.path, dt.datetime.min) + _TICK),
            }
        )
    return pl.DataFrame(pl.from_arrow(FILES.from_rows(rows)))


def known_files(recordings: pl.DataFrame) -> list[KnownFile]:
    """The live recordings as the resolution of calls takes them."""
    columns = ("recording_id", "path", "audio_root", "size_bytes", "modified_ns", "ingested_at")
    places = recordings["other_places"].to_list()
    return [
        KnownFile(**row, other_places=tuple((at["audio_root"], at["path"]) for at in others))
        for row, others in zip(
            recordings.select(columns).iter_rows(named=True), places, strict=True
        )
    ]


def _still_there_first(live: pl.DataFrame) -> pl.DataFrame:
    """The places with those that are gone after the others; a recording's only place stays."""
    asked = (pl.len().over("recording_id") > 1).alias("asked")
    columns = live.with_columns(asked).select("audio_root", "path", "asked").rows()
    several = [Path(root, path) for root, path, many in columns if many]
    found = dict(zip(several, are_there(several), strict=True))
    is_gone = [many and not found[Path(root, path)] for root, path, many in columns]
    gone = pl.Series("is_gone", is_gone, pl.Boolean)
    return live.with_columns(gone).sort("is_gone", maintain_order=True).drop("is_gone")


def _with_part(rows: pa.Table, part: Part) -> pa.Table:
    count = rows.num_rows
    dates = pa.array([part.date] * count, pa.date32())
    return rows.append_column("date", dates).append_column(
        "part", pa.array([part.name] * count, pa.string())
    )
