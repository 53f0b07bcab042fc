"""The name by which annotators' tools refer to a segment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

SegmentKey: TypeAlias = tuple[str, int, int]
"""recording_id, channel, segment_no."""

_NAME = re.compile(r"(?P<recording_id>[0-9A-Za-z_-]+)\.(?P<channel>\d{1,3})\.(?P<number>\d{1,9})")


def segment_name(key: SegmentKey) -> str:
    """`<recording_id>.<channel>.<segment_no>`: stands in tasks, tables and file names."""
    return ".".join(str(part) for part in key)


def segment_key(row: Mapping[str, Any]) -> SegmentKey:
    """The segment of a row of a table that names segments."""
    return row["recording_id"], row["channel"], row["segment_no"]


def parse_segment_name(name: str) -> SegmentKey | None:
    """The segment of a name, None if it is none."""
    match = _NAME.fullmatch(name.strip())
    if match is None:
        return None
    return match["recording_id"], int(match["channel"]), int(match["number"])
