"""Every file that was ever taken in, by digests: rows are looked up, not all loaded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import PurePosixPath

import polars as pl
import pyarrow as pa

from ser_batch.config import IngestSettings, digest
from ser_batch.ingest.folder_states import Found
from ser_batch.ingest.inventory import Inventory, read_inventory
from ser_batch.ingest.matching import KnownFile, call_id_of_name, fields_of_name, path_key
from ser_batch.ingest.pseudonyms import read_pseudonyms
from ser_batch.ingest.scan import same_name
from ser_batch.store.lake import Lake, Part
from ser_batch.store.remembered import Remembered, key_of, keys_of
from ser_batch.tables import FILES

_KEYS = ("recording", "root", "place", "state", "absolute", "below", "name", "call_id")
"""Digests of: recording_id; folder; folder and path; these with size and time of change; the
spellings by which metadata may name the file; the id of its call, by its name."""
_NAMES = ("absolute", "below", "name", "call_id")
"""Those among them by which lines of metadata name a file."""


class FileIndex:
    """The table `files` as digests, a row a path and the content that was found there.

    Args:
        lake: whose
        settings: the patterns of names
    """

    def __init__(self, lake: Lake, settings: IngestSettings) -> None:
        self._lake = lake
        pseudonyms = read_pseudonyms(settings)
        rules = digest([settings.name_pattern, pseudonyms.of("") if pseudonyms else ""])
        derive = partial(_derived, settings=settings)
        self._memory = Remembered(lake, FILES, derive, rules, time="ingested_at")

    @property
    def kept(self) -> str:
        """Name of the rows that are remembered; empty where those that are there are others."""
        return self._memory.kept

    @property
    def stored(self) -> str:
        """Name of the rows that were remembered last."""
        return self._memory.stored

    @property
    def changed_keys(self) -> pl.Series:
        """Digests by which lines may name the files that changed since `keep`."""
        changed = self._memory.changed
        return pl.concat([changed[name].alias("key") for name in _NAMES])

    def refresh(self) -> None:
        """Take over what was written since."""
        self._memory.refresh()

    def keep(self) -> None:
        """Remember the rows as they are: no call has to be brought up to date with them."""
        self._memory.keep()

    def unseen(self, found: Sequence[Found], audio_root: str) -> list[Found]:
        """Files that are new or changed since they were taken in."""
        if not found:
            return []
        places = keys_of(_place(audio_root, each.path) for each in found)
        known = self._memory.rows.filter(pl.col("place").is_in(places.implode()))
        current = _current(known)["state"]
        states = keys_of(_state(audio_root, f.path, f.size_bytes, f.modified_ns) for f in found)
        is_seen = states.is_in(current.implode())
        return [each for each, seen in zip(found, is_seen, strict=True) if not seen]

    def count_below(self, audio_root: str) -> int:
        """Paths of a folder that hold a recording, as far as is known."""
        of_root = pl.col("root") == pl.lit(key_of(audio_root), pl.UInt64)
        return self._memory.rows.filter(of_root)["place"].n_unique()

    def inventory(self, recordings: pl.Series) -> Inventory:
        """The rows of some recordings, and of all other content of the places where they lie.

        Args:
            recordings: their digests
        """
        rows = self._memory.rows
        places = rows.filter(pl.col("recording").is_in(recordings.implode()))["place"].unique()
        wanted = rows.filter(pl.col("place").is_in(places.implode()))
        read = read_inventory(self._lake, self._memory.parts_of(wanted))
        names = read.rows.select("audio_root", "path").iter_rows()
        is_there = keys_of(_place(*name) for name in names).is_in(places.implode())
        return Inventory(read.rows.filter(is_there))

    def recordings(self, digests: pl.Series) -> pl.DataFrame:
        """The live ones of some recordings, as `Inventory.recordings` returns them.

        Args:
            digests: of the recordings
        """
        live = self.inventory(digests).recordings()
        return live.filter(keys_of(live["recording_id"]).is_in(digests.implode()))

    def duplicates(self, audio_root: str) -> Inventory:
        """The rows of a folder's files whose audio was known under another path."""
        doubled = ~pl.col("is_first") & (pl.col("root") == pl.lit(key_of(audio_root), pl.UInt64))
        return self.inventory(self._memory.rows.filter(doubled)["recording"].unique())

    def known_of(self, named: Sequence[tuple[Found, str]], audio_root: str) -> Inventory:
        """The rows of some recordings, and of what their files' places held before.

        Args:
            named: files of the folder with their recording id
            audio_root: the folder
        """
        places = keys_of(_place(audio_root, file.path) for file, _ in named)
        rows = self._memory.rows
        before = rows.filter(pl.col("place").is_in(places.implode()))["recording"]
        recordings = keys_of(recording_id for _, recording_id in named)
        return self.inventory(pl.concat([recordings, before]).unique())

    def shards(self) -> list[Part]:
        """Every part."""
        return self._memory.parts_of(self._memory.rows)

    def shards_of(self, recordings: pl.Series) -> set[Part]:
        """Parts in which some recordings came in first.

        Args:
            recordings: their digests
        """
        rows = self._memory.rows.filter(pl.col("is_first"))
        return set(
            self._memory.parts_of(rows.filter(pl.col("recording").is_in(recordings.implode())))
        )

    def came_in(self, shards: Collection[Part]) -> pl.Series:
        """Digests of the recordings of some parts."""
        return self._memory.in_parts(shards)["recording"].unique()

    def touched(self) -> pl.Series:
        """Digests of the recordings whose places may have changed since `keep`.

        Those with several places are among them: which of these is still there, no row says.
        """
        rows, changed = self._memory.rows, self._memory.changed
        places = changed["place"].unique()
        doubled = rows.filter(~pl.col("is_first"))["recording"].unique()
        live = self._live(pl.col("recording").is_in(doubled.implode()))
        several = live.group_by("recording").len().filter(pl.col("len") > 1)
        at_them = rows.filter(pl.col("place").is_in(places.implode()))
        found = [changed["recording"], at_them["recording"], several["recording"]]
        return pl.concat(found).unique()

    def live_named(self, keys: pl.Series | None) -> pl.DataFrame:
        """A row a place, with what it holds now; of places that have some names alone.

        Args:
            keys: digests of the names; None: all places
        """
        if keys is None:
            return _current(self._memory.rows)
        return self._live(pl.any_horizontal(pl.col(_NAMES).is_in(keys.implode())))

    def _live(self, is_wanted: pl.Expr) -> pl.DataFrame:
        """What the places hold now at which something wanted lies or lay."""
        rows = self._memory.rows
        places = rows.filter(is_wanted)["place"].unique()
        return _current(rows.filter(pl.col("place").is_in(places.implode())))

    def taken_since(self, time: dt.datetime) -> Inventory:
        """The rows of files that were taken in after a time, UTC."""
        parts = self._memory.parts_of(self._memory.since(time))
        rows = read_inventory(self._lake, parts).rows
        return Inventory(rows.filter(pl.col("ingested_at") > time))

    def named(self, names: pl.Series, call_ids: pl.Series) -> pl.Series:
        """Digests of recordings that lie under some file names, or whose names give some call ids.

        Args:
            names: digests of file names
            call_ids: digests of call ids
        """
        is_named = pl.col("name").is_in(names.implode())
        is_named |= pl.col("call_id").is_in(call_ids.implode())
        return self._memory.rows.filter(is_named)["recording"].unique()


def _current(rows: pl.DataFrame) -> pl.DataFrame:
    """Of each place, the content that was taken in last."""
    if rows["place"].n_unique() == rows.height:
        return rows
    latest = rows.sort("ingested_at", "modified_ns")
    return latest.unique("place", keep="last", maintain_order=True)


def _place(audio_root: str, path: str) -> str:
    return f"{audio_root}\0{path}"


def _state(audio_root: str, path: str, size_bytes: int, modified_ns: int) -> str:
    return f"{_place(audio_root, path)}\0{size_bytes}\0{modified_ns}"


def _derived(rows: pa.Table, *, settings: IngestSettings) -> pl.DataFrame:
    keys: dict[str, list[int]] = {name: [] for name in _KEYS}
    for row in rows.select([*KnownFile.__match_args__[:6]]).to_pylist():
        file = KnownFile(**row)
        texts = (
            file.recording_id,
            file.audio_root,
            _place(file.audio_root, file.path),
            _state(file.audio_root, file.path, file.size_bytes, file.modified_ns),
            path_key(f"{file.audio_root}/{file.path}"),
            path_key(file.path),
            PurePosixPath(path_key(file.path)).name,
            same_name(call_id_of_name(file, fields_of_name(file, settings))),
        )
        for name, text in zip(_KEYS, texts, strict=True):
            keys[name].append(key_of(text))
    return pl.DataFrame(
        {
            **{name: pl.Series(keys[name], dtype=pl.UInt64) for name in _KEYS},
            "is_first": pl.Series(rows["duplicate_of"].is_null().to_pylist(), dtype=pl.Boolean),
            "modified_ns": pl.Series(rows["modified_ns"].to_pylist(), dtype=pl.Int64),
            "ingested_at": pl.Series(rows["ingested_at"].to_pylist(), dtype=pl.Datetime("us")),
        }
    )
