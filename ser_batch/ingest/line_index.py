"""Every line of metadata that has arrived, by digests of what it names."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property, partial
from pathlib import PurePosixPath

import polars as pl
import pyarrow as pa

from ser_batch.config import Settings, digest
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

OddCounts = dict[tuple[str, int], int]
"""How many recordings a kind of name and a key name."""

_KINDS = pl.Enum(["path", "id", "nothing"])


class LineIndex:
    """The table `metadata` as digests, a row a line.

    Args:
        lake: whose
        settings: names of columns
    """

    def __init__(self, lake: Lake, settings: Settings) -> None:
        self._lake, self._settings = lake, settings

    @cached_property
    def _memory(self) -> Remembered:
        """The lines as they are when they are asked for first."""
        columns = self._settings.ingest.columns
        derive = partial(_derived, columns=columns)
        return Remembered(self._lake, METADATA, derive, digest(columns))

    def keep(self) -> None:
        """Remember the lines as they are."""
        self._memory.keep()

    @property
    def stored(self) -> str:
        """Name of the lines that were remembered last."""
        return self._memory.stored

    @property
    def changed_keys(self) -> pl.Series:
        """Digests of what lines name that changed since `keep`."""
        return self._memory.changed["key"]

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

    def odd(self, paths: pl.DataFrame, ids: pl.DataFrame, asked: pl.Series | None) -> OddCounts:
        """How many recordings each kind of name and key in lines names, where it is not one.

        Args:
            paths: `key` of each spelling of a place, `recording` that lies there
            ids: `key` of each call id, `recording` whose name gives it
            asked: the keys that are counted; None: all
        """
        rows = self._memory.rows
        if asked is not None:
            rows = rows.filter(pl.col("key").is_in(asked.implode()))
        counts: OddCounts = {}
        for kind, named in (("path", paths), ("id", ids)):
            lines = rows.lazy().filter(pl.col("kind") == kind).select("key").unique()
            known = named.lazy().join(lines, on="key", how="semi").unique()
            found = lines.join(known.group_by("key").len(), on="key", how="left").collect()
            odd = found.with_columns(pl.col("len").fill_null(0)).filter(pl.col("len") != 1)
            counts |= {(kind, key): count for key, count in odd.iter_rows()}
        return counts

    def odd_lines(self, counts: OddCounts) -> MetadataIndex:
        """The lines of some kinds of names and keys, and those that name nothing."""
        is_odd = pl.col("kind") == "nothing"
        for kind in ("path", "id"):
            keys = pl.Series([key for of, key in counts if of == kind], dtype=pl.UInt64)
            is_odd |= (pl.col("kind") == kind) & pl.col("key").is_in(keys.implode())
        return self._read(is_odd)

    def _read(self, is_wanted: pl.Expr) -> MetadataIndex:
        tables = [
            self._lake.read(METADATA, [part]).take(pa.array(places))
            for part, places in self._memory.places(is_wanted).items()
        ]
        lines = _lines(pa.concat_tables([METADATA.empty(), *tables]))
        return MetadataIndex(lines, self._settings.ingest.columns)


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
