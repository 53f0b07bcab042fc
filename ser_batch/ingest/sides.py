"""Recordings that hold one side of a call: which they are, and which two make one call."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from ser_batch.config import IngestSettings, Role
from ser_batch.ingest.inventory import known_files
from ser_batch.ingest.matching import (
    FILE_COLUMNS,
    KnownFile,
    Side,
    path_key,
    path_keys,
    renamed,
)
from ser_batch.ingest.metadata import Line

_ROLE_ORDER: dict[Role, int] = {"customer": 0, "unknown": 1, "agent": 2}
"""The customer's side comes first: it names the call and keeps channel 0, whichever comes late."""


@dataclass(frozen=True)
class _Place:
    """Where a recording stands in its call."""

    call: str
    channel: int
    side: Side | None


def stated_sides(lines: Iterable[Line], settings: IngestSettings) -> dict[str, Side]:
    """Sides by the path that a line of metadata gives; such a line has file, call_id and side."""
    sides = {}
    for line in lines:
        fields = renamed(line.fields, settings.columns)
        path = next((fields[name] for name in FILE_COLUMNS if name in fields), None)
        if path is not None and "side" in fields and "call_id" in fields:
            sides[path_key(path)] = Side(fields["call_id"], fields["side"])
    return sides


def with_sides(
    recordings: pl.DataFrame, stated: Mapping[str, Side], settings: IngestSettings
) -> pl.DataFrame:
    """The live recordings with the call of each; two sides of one call stand in one part.

    Args:
        recordings: a row a recording, from the inventory
        stated: sides that metadata states
        settings: the pattern of file names, and the words for roles

    Returns:
        the rows, and the columns `call` (recording_id of the side on channel 0), `channel`,
        `side_call_id`, `side_name` and `side_is_ambiguous`; date and part are those of the call
    """
    if settings.pair_pattern is None and not stated:
        nothing = pl.lit(None, pl.String)
        return recordings.with_columns(
            pl.col("recording_id").alias("call"),
            pl.lit(0, pl.Int8).alias("channel"),
            nothing.alias("side_call_id"),
            nothing.alias("side_name"),
            pl.lit(None, pl.Boolean).alias("side_is_ambiguous"),
        )
    places = _places(known_files(recordings), stated, settings)
    ids = recordings["recording_id"].to_list()
    found = [places.get(recording_id, _Place(recording_id, 0, None)) for recording_id in ids]
    placed = recordings.with_columns(
        pl.Series("call", [place.call for place in found], pl.String),
        pl.Series("channel", [place.channel for place in found], pl.Int8),
        pl.Series("side_call_id", _of_sides(found, "call_id"), pl.String),
        pl.Series("side_name", _of_sides(found, "name"), pl.String),
        pl.Series("side_is_ambiguous", _of_sides(found, "is_ambiguous"), pl.Boolean),
    )
    home = placed.select(call="recording_id", date="date", part="part")
    return placed.drop("date", "part").join(home, on="call", maintain_order="left")


def sided_files(calls: pl.DataFrame) -> list[tuple[KnownFile, ...]]:
    """The recordings of each call in the order of their channels, from rows of `with_sides`."""
    by_call: dict[str, list[KnownFile]] = defaultdict(list)
    ordered = calls.sort("call", "channel")
    sides = ordered.select("side_call_id", "side_name", "side_is_ambiguous").iter_rows()
    for file, call, side in zip(known_files(ordered), ordered["call"], sides, strict=True):
        known = Side(*side) if side[0] is not None else None
        by_call[call].append(replace(file, side=known))
    return [tuple(by_call[call]) for call in calls["call"].unique(maintain_order=True)]


def find_side(file: KnownFile, stated: Mapping[str, Side], settings: IngestSettings) -> Side | None:
    """The side that a recording holds by metadata, else by its path; None: not one side."""
    for key in path_keys(file) if stated else ():
        if key in stated:
            return stated[key]
    if settings.pair_pattern is None:
        return None
    match = re.search(settings.pair_pattern, f"{file.audio_root}/{file.path}")
    if match is None or not (match["call_id"] and match["side"]):
        return None
    return Side(match["call_id"], match["side"])


def role_of(side: Side, settings: IngestSettings) -> Role:
    """Who speaks on a side."""
    name = side.name.lower()
    words = {word.lower(): role for word, role in settings.side_roles.items()}
    plain: dict[str, Role] = {"agent": "agent", "customer": "customer"}
    return words.get(name) or plain.get(name, "unknown")


def _places(
    files: Sequence[KnownFile], stated: Mapping[str, Side], settings: IngestSettings
) -> dict[str, _Place]:
    """The place of each recording that holds one side."""
    by_call: dict[str, list[tuple[Side, KnownFile]]] = defaultdict(list)
    for file in files:
        if side := find_side(file, stated, settings):
            by_call[side.call_id].append((side, file))
    places = {}
    for group in by_call.values():
        is_pair = len(group) == len({side.name.lower() for side, _ in group}) <= 2
        ordered = sorted(group, key=lambda one: _rank(one[0], one[1], settings))
        for channel, (side, file) in enumerate(ordered):
            places[file.recording_id] = (
                _Place(ordered[0][1].recording_id, channel, side)
                if is_pair
                else _Place(file.recording_id, 0, replace(side, is_ambiguous=True))
            )
    return places


def _rank(side: Side, file: KnownFile, settings: IngestSettings) -> tuple[int, str, str]:
    """Order of the sides of a call."""
    return _ROLE_ORDER[role_of(side, settings)], side.name, file.path


def _of_sides(places: Sequence[_Place], name: str) -> list[object]:
    return [None if place.side is None else getattr(place.side, name) for place in places]
