"""What makes a shard complete: the part written last names every other one by rows and digest.

A shard whose parts are gone, damaged, or not those that its last part names is worked on again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ser_batch.errors import DamagedPartError
from ser_batch.store.lake import Lake, Part
from ser_batch.store.part_file import n_rows, stated_digest
from ser_batch.tables import CHANNELS, QUARANTINE, SEGMENTS, TableContract

PARTS = "parts"
"""Tag of the part written last: table → number of rows and digest, as JSON."""

Member = tuple[TableContract, Part]


@dataclass(frozen=True)
class Deviations:
    """Tables in which a shard is not as its last part says.

    Attributes:
        lost: their part is not there, or its end cannot be read
        changed: another part of that name is there
    """

    lost: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.lost or self.changed)


def members(features: TableContract, shard: Part) -> tuple[Member, ...]:
    """The parts of a shard beside the last one; that of `quarantine` is there if it has rows."""
    issues = issues_part(shard)
    return (CHANNELS, shard), (SEGMENTS, shard), (features, shard), (QUARANTINE, issues)


def issues_part(shard: Part) -> Part:
    """The part of `quarantine` that says what analysis found wrong with a shard's calls."""
    return Part(None, issues_name(shard.name))


def issues_name(shard: str) -> str:
    """Name of `issues_part` by that of the shard."""
    return f"shard-{shard}"


def member_path(lake: Lake, table: str, shard: Part) -> Path:
    """Where a shard's part of a table lies, by the table's name."""
    part = issues_part(shard) if table == QUARANTINE.name else shard
    return lake.folder / table / part.relative


def parts_tag(lake: Lake, written: Sequence[Member]) -> str:
    """The tag that names a shard's parts as they are now."""
    stated = {}
    for contract, part in written:
        path = lake.path(contract, part)
        if path.exists():
            stated[contract.name] = (n_rows(path), stated_digest(path))
    return json.dumps(stated)


def deviations(lake: Lake, tags: Mapping[str, str], wanted: Sequence[Member]) -> Deviations:
    """Where a shard is not as its last part says; only the ends of its files are read.

    Args:
        lake: the lake
        tags: of the shard's last part; one written before parts were named names none
        wanted: `members` of the shard
    """
    named = json.loads(tags[PARTS]) if PARTS in tags else None
    lost, changed = set(), set()
    for contract, part in wanted:
        must_be = contract is not QUARANTINE if named is None else contract.name in named
        if not must_be:
            continue
        try:
            digest = stated_digest(lake.path(contract, part))
        except (DamagedPartError, OSError):
            lost.add(contract.name)
            continue
        if named is not None and digest != named[contract.name][1]:
            changed.add(contract.name)
    return Deviations(frozenset(lost), frozenset(changed))
