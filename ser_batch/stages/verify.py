"""Verify: whether everything under a root is as it was written, and what would repair it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from ser_batch.config import Settings
from ser_batch.errors import DamagedPartError, ModelError, WarehouseError
from ser_batch.scoring.models import known_models
from ser_batch.scoring.registry import Registry
from ser_batch.stages.retention import may_be_gone
from ser_batch.stages.shard import features_of
from ser_batch.store import part_file
from ser_batch.store.atomic import TEMPORARY
from ser_batch.store.commit import PARTS, deviations, member_path, members
from ser_batch.store.copies import unlike_copies
from ser_batch.store.encrypt import unlike_settings
from ser_batch.store.keys import is_encrypted
from ser_batch.store.lake import COPIES, Lake, Part
from ser_batch.store.paths import Root
from ser_batch.store.sealed import is_sealed
from ser_batch.tables import CHANNELS, IRREPLACEABLE, RECORDINGS
from ser_batch.warehouse.file import damaged_tables, has_stated_digest

Action = Literal["restore", "recompute", "rebuild", "encrypt", "none"]

ACTIONS: dict[Action, str] = {
    "restore": "its second copy replaces it",
    "recompute": "it is recomputed, from the recordings if necessary",
    "rebuild": "the warehouse is rebuilt from the lake",
    "encrypt": "it is encrypted, or opened, as the settings say",
    "none": "restore it from a backup: it cannot be recomputed",
}


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was written.

    Attributes:
        path: the file
        what: in words
        action: what `--repair` does about it
        shard: of a part that is recomputed, the shard that it belongs to
    """

    path: Path
    what: str
    action: Action
    shard: Part | None = None


def verify(
    root: Root, settings: Settings, on_file: Callable[[int, int], None] = lambda _done, _all: None
) -> list[Finding]:
    """Check the lake, its second copies, the registry with its models, and the warehouse.

    Every byte is read. The root is held.

    Args:
        root: whose
        settings: which feature set a shard must have
        on_file: called with how many files of the lake are checked, of how many
    """
    lake = Lake(root.lake)
    return [
        *_copies(lake),
        *_parts(lake, on_file),
        *_shards(lake, settings),
        *_models(root, settings),
        *_warehouse(root.warehouse),
        *_unlike_settings(root),
    ]


def _copies(lake: Lake) -> Iterator[Finding]:
    for unlike in unlike_copies(lake, deep=True):
        if unlike.sound is None:
            yield Finding(unlike.other, f"both copies of {unlike.table} are damaged", "none")
        else:
            state = "differs from the other copy" if unlike.other.exists() else "is gone"
            yield Finding(unlike.other, f"one of two copies {state}", "restore")


def _parts(lake: Lake, on_file: Callable[[int, int], None]) -> Iterator[Finding]:
    """Damaged parts of the tables that are made from others or from recordings."""
    twice = {COPIES, *(contract.name for contract in IRREPLACEABLE)}
    paths = [
        path
        for path in sorted(lake.folder.rglob("*.parquet"))
        if path.relative_to(lake.folder).parts[0] not in twice
        and not path.name.startswith(TEMPORARY)
    ]
    for number, path in enumerate(paths, start=1):
        try:
            part_file.check(part_file.read(path), path)
        except DamagedPartError as error:
            yield Finding(path, str(error).partition(" is damaged: ")[2], "recompute")
        on_file(number, len(paths))


def _shards(lake: Lake, settings: Settings) -> Iterator[Finding]:
    """Shards that lack a part, or have another than the one that they were completed with."""
    complete = set(lake.parts(RECORDINGS))
    for shard in lake.parts(CHANNELS):
        if shard not in complete:
            path = lake.path(RECORDINGS, shard)
            yield Finding(path, "the part that completes its shard is gone", "recompute", shard)
    for shard in sorted(complete, key=str):
        tags = lake.sound_tags(RECORDINGS, shard) or {}
        found = deviations(lake, tags, members(features_of(settings), shard))
        expired = may_be_gone(lake, shard)
        for table in sorted(found.lost | found.changed):
            if table.split("/")[0] in expired and table in found.lost:
                continue
            what = "is gone" if table in found.lost else "is not the one of its shard"
            yield Finding(member_path(lake, table, shard), what, "recompute", shard)
        yield from _miscounted(lake, shard, tags)


def _miscounted(lake: Lake, shard: Part, tags: dict[str, str]) -> Iterator[Finding]:
    """Parts with another number of rows than their shard was completed with."""
    named = json.loads(tags.get(PARTS, "{}"))
    for table, (n_rows, digest) in sorted(named.items()):
        path = member_path(lake, table, shard)
        try:
            if part_file.stated_digest(path) == digest and part_file.n_rows(path) != n_rows:
                yield Finding(path, f"has not the {n_rows} rows of its shard", "recompute", shard)
        except (DamagedPartError, OSError):
            continue  # stated before


def _models(root: Root, settings: Settings) -> Iterator[Finding]:
    registry = Registry(root.models)
    try:
        registry.entries()
        known_models(root, settings)
    except ModelError as error:
        yield Finding(registry.path, str(error), "none")


def _unlike_settings(root: Root) -> Iterator[Finding]:
    if is_encrypted(root.path):
        for path in unlike_settings(root):
            what = "is encrypted, and is to be open" if is_sealed(path) else "is not encrypted"
            yield Finding(path, what, "encrypt")


def _warehouse(target: Path) -> Iterator[Finding]:
    if not target.exists():
        return
    try:
        tables = damaged_tables(target)
    except (duckdb.Error, WarehouseError) as error:
        yield Finding(target, str(error), "rebuild")
        return
    if tables:
        yield Finding(target, f"damaged: {', '.join(tables)}", "rebuild")
    elif not has_stated_digest(target):
        yield Finding(target, "is not the file that was published", "rebuild")
