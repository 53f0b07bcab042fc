"""Every line of metadata that has arrived, by digests of what it names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from pathlib import PurePosixPath

import polars as pl
import pyarrow as pa

from ser_batch.config import Settings, digest
from ser_batch.ingest.file_index import FileIndex
from ser_batch.ingest.matching import (
    FILE_COLUMNS,
    KnownFile,
    MetadataIndex,
    call_id_of_name,
    fields_of_name,
    named_by,
    path_keys,
    renamed,
)
from ser_batch.ingest.metadata import Line
from ser_batch.ingest.scan import same_name
from ser_batch.store.lake import Lake, Part
from ser_batch.store.remembered import Remembered, key_of, keys_of
from ser_batch.tables import METADATA

_KINDS = pl.Enum(["path", "id", "nothing"])


class LineIndex:
    """The table `metadata` as digests, a row a line.

    Args:
        lake: whose
        settings: names of columns
    """

    def __init__(self, lake: Lake, settings: Settings) -> None:
        self._lake, self._settings = lake, settings
        columns = settings.ingest.columns
        self._memory = Remembered(
            lake, METADATA, partial(_derived, columns=columns), digest(columns)
        )

    def keep(self) -> None:
        """Remember the lines as they are."""
        self._memory.keep()

    @property
    def state_sides(self) -> bool:
        """Whether some line states which side of a call a recording holds."""
        return bool(self._memory.rows["has_side"].any())

    def names_of(self, arrived: Collection[Part]) -> tuple[pl.Series, pl.Series]:
        """Digests of the file names and of the call ids that the lines of some parts give."""
        rows = self._memory.in_parts(arrived)
        return rows["name"], rows.filter(pl.col("kind") == "id")["key"]

    def about(self, files: Iterable[KnownFile]) -> MetadataIndex:
        """The lines about some recordings."""
        texts: set[str] = set()
        for file in files:
            texts.update(path_keys(file))
            named = fields_of_name(file, self._settings.ingest)
            texts.add(same_name(call_id_of_name(file, named)))
        keys = keys_of(sorted(texts))
        return self._read(pl.col("key").is_in(keys.implode()))

    def odd(
        self, paths: pl.DataFrame, ids: pl.DataFrame
    ) -> tuple[MetadataIndex, dict[tuple[str, int], int]]:
        """Lines that do not name one recording.

        Args:
            paths: `key` of each spelling of a place, `recording` that lies there
            ids: `key` of each call id, `recording` whose name gives it

        Returns:
            the lines; how many recordings each kind of name and key names, where it is not one
        """
        rows = self._memory.rows
        counts: dict[tuple[str, int], int] = {}
        is_odd = pl.col("kind") == "nothing"
        for kind, named in (("path", paths), ("id", ids)):
            of_kind = pl.col("kind") == kind
            lines = rows.lazy().filter(of_kind).select("key").unique()
            known = named.lazy().join(lines, on="key", how="semi").unique()
            found = lines.join(known.group_by("key").len(), on="key", how="left").collect()
            odd = found.with_columns(pl.col("len").fill_null(0)).filter(pl.col("len") != 1)
            is_odd |= of_kind & pl.col("key").is_in(odd["key"].implode())
            counts |= {(kind, key): count for key, count in odd.iter_rows()}
        return self._read(is_odd), counts

    def _read(self, is_wanted: pl.Expr) -> MetadataIndex:
        tables = [
            self._lake.read(METADATA, [part]).take(pa.array(places))
            for part, places in self._memory.places(is_wanted).items()
        ]
        lines = _lines(pa.concat_tables([METADATA.empty(), *tables]))
        return MetadataIndex(lines, self._settings.ingest.columns)


def named_keys(
    files: FileIndex, placed: Sequence[Sequence[KnownFile]], settings: Settings
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """By what lines of metadata may name the live recordings.

    Args:
        files: every file that was taken in
        placed: the recordings of some calls, which may have several places or be sides
        settings: patterns of names

    Returns:
        `key` of each spelling of a place, and of each call id, with a `recording`
    """
    paths: list[tuple[int, int]] = []
    ids: list[tuple[int, int]] = []
    for call in placed:
        first, recording = call[0], key_of(call[0].recording_id)
        call_id = call_id_of_name(first, fields_of_name(first, settings.ingest))
        ids.append((key_of(same_name(call_id)), recording))
        for file in call:
            recording = key_of(file.recording_id)
            paths += [(key_of(text), recording) for text in path_keys(file)]
    schema = {"key": pl.UInt64, "recording": pl.UInt64}
    of_paths = pl.DataFrame(paths, schema, orient="row")
    live = files.live().join(of_paths, on="recording", how="anti")
    spellings = [
        live.select(pl.col(name).alias("key"), "recording")
        for name in ("absolute", "below", "name")
    ]
    by_id = live.select(pl.col("call_id").alias("key"), "recording")
    return (
        pl.concat([of_paths, *spellings]),
        pl.concat([pl.DataFrame(ids, schema, orient="row"), by_id]),
    )


def read_lines_of(lake: Lake, parts: Collection[Part]) -> list[Line]:
    """The lines of some parts of `metadata`, oldest first."""
    return _lines(lake.read(METADATA, sorted(parts, key=str)))


def _lines(table: pa.Table) -> list[Line]:
    """Lines of metadata, oldest first."""
    rows = sorted(
        table.to_pylist(),
        key=lambda row: (row["arrived_at"], row["source_name"], row["source"], row["line_no"]),
    )
    return [
        Line(row["source"], row["source_name"], row["line_no"], dict(row["fields"])) for row in rows
    ]


def _derived(rows: pa.Table, *, columns: dict[str, str]) -> pl.DataFrame:
    keys, names, kinds, sides = [], [], [], []
    for line in rows.select(["fields"]).to_pylist():
        known = renamed(dict(line["fields"]), columns)
        kind, text = named_by(known)
        kinds.append(kind)
        keys.append(key_of(text))
        names.append(key_of(PurePosixPath(text).name) if kind == "path" else None)
        sides.append(
            "side" in known and "call_id" in known and any(each in known for each in FILE_COLUMNS)
        )
    return pl.DataFrame(
        {
            "key": pl.Series(keys, dtype=pl.UInt64),
            "name": pl.Series(names, dtype=pl.UInt64),
            "kind": pl.Series(kinds, dtype=_KINDS),
            "has_side": pl.Series(sides, dtype=pl.Boolean),
        }
    )
