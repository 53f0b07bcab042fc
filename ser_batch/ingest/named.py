"""Which parts hold recordings that some lines of metadata may be about."""

from __future__ import annotations

import datetime as dt
from pathlib import PurePosixPath

import polars as pl

from ser_batch.config import Settings
from ser_batch.ingest.matching import MetadataIndex
from ser_batch.store.lake import Part


def named_parts(placed: pl.DataFrame, index: MetadataIndex, settings: Settings) -> frozenset[Part]:
    """Parts with a recording whose file name or call id stands in a line; a few too many at most.

    Args:
        placed: the live recordings, from `with_sides`
        index: the lines
        settings: patterns of names, by which a call id may be any part of a path
    """
    files = {PurePosixPath(path).name for path in index.by_path}
    ids = set(index.by_id)
    if not (files or ids):
        return frozenset()
    if ids and (settings.ingest.name_pattern or settings.ingest.pair_pattern):
        return _parts(placed)
    elsewhere = placed.filter(pl.col("other_places").list.len() > 1).explode("other_places")
    places = pl.concat(
        [
            placed.select("date", "part", "path", "side_call_id"),
            elsewhere.select(
                "date", "part", pl.col("other_places").struct.field("path"), "side_call_id"
            ),
        ]
    )
    path = pl.col("path").str.normalize("NFC")
    name = path.str.extract(r"([^/\\]*)$")  # of a line, either slash ends a folder
    stem = path.str.extract(r"([^/]*)$").str.replace(r"(.)\.[^.]+$", "$1")
    side = pl.col("side_call_id").str.normalize("NFC")
    return _parts(
        places.filter(name.is_in(list(files)) | stem.is_in(list(ids)) | side.is_in(list(ids)))
    )


def _parts(rows: pl.DataFrame) -> frozenset[Part]:
    return frozenset(
        Part(date, str(name))
        for date, name in rows.select("date", "part").unique().iter_rows()
        if isinstance(date, dt.date)
    )
