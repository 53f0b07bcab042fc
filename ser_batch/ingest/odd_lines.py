"""Lines of metadata that do not name one recording; counted again only where something changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from ser_batch.config import Settings
from ser_batch.ingest.call_tags import rules_tags
from ser_batch.ingest.file_index import FileIndex
from ser_batch.ingest.line_index import LineIndex, OddCounts
from ser_batch.ingest.matching import (
    KnownFile,
    call_id_of_name,
    fields_of_name,
    path_keys,
)
from ser_batch.ingest.scan import same_name
from ser_batch.store.checked import keep_known, read_known
from ser_batch.store.lake import Lake
from ser_batch.store.remembered import FOLLOWS_ROWS, key_of

_CHECK = f"{FOLLOWS_ROWS}odd-lines"
Placed = Sequence[Sequence[KnownFile]]
"""The recordings of some calls, which may have several places or be sides."""


@dataclass(frozen=True)
class OddLines:
    """Counts of the recordings that lines name, where that is not one.

    Args:
        lake: whose
        files: every file that was taken in
        lines: every line that has arrived
        settings: patterns of names
    """

    lake: Lake
    files: FileIndex
    lines: LineIndex
    settings: Settings

    def count(self, placed: Placed, *, is_all: bool) -> OddCounts:
        """How many recordings the names in lines name, by kind and key, where it is not one.

        Args:
            placed: the calls that were looked at
            is_all: those are all
        """
        paths, ids = _keys(placed, self.settings)
        known = read_known(self.lake, _CHECK)
        if is_all or known.get("of") != self._made_from():
            return self.lines.odd(*self._named(paths, ids, None), None)
        own = [paths["key"], ids["key"], self.files.changed_keys, self.lines.changed_keys]
        asked = pl.concat(own).unique()
        again = self.lines.odd(*self._named(paths, ids, asked), asked)
        keys = set(asked)
        before = {(kind, key): count for kind, key, count in known["counts"] if key not in keys}
        return before | again

    def keep(self, counts: OddCounts) -> None:
        """Remember the counts; files and lines are remembered as they are."""
        stated = [(*name, count) for name, count in sorted(counts.items())]
        keep_known(self.lake, _CHECK, {"of": self._made_from(), "counts": stated})

    def _made_from(self) -> list[str]:
        return [self.files.stored, self.lines.stored, rules_tags(self.settings)["rules"]]

    def _named(
        self, paths: pl.DataFrame, ids: pl.DataFrame, asked: pl.Series | None
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """By what lines may name the live recordings.

        Args:
            paths: `key` of each spelling of a place, and `recording`, of the calls looked at
            ids: likewise of each call id
            asked: the keys that are asked for; None: all
        """
        live = self.files.live_named(asked).join(paths, on="recording", how="anti")
        names = ("absolute", "below", "name")
        spellings = [live.select(pl.col(name).alias("key"), "recording") for name in names]
        by_id = live.select(pl.col("call_id").alias("key"), "recording")
        return pl.concat([paths, *spellings]), pl.concat([ids, by_id])


def _keys(placed: Placed, settings: Settings) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`key` of each spelling of a place, and of each call id, with a `recording`."""
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
    return pl.DataFrame(paths, schema, orient="row"), pl.DataFrame(ids, schema, orient="row")
