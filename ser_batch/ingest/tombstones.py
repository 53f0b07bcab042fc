"""Tombstones: digests by which what was erased is known again when it is met again.

The audio may still lie in its folder and the export may still name the call; neither is taken in
a second time. A digest says nothing of what it was made from to anybody who does not have that.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping

from ser_batch.ingest.matching import FILE_COLUMNS, renamed
from ser_batch.ingest.metadata import Line
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import ERASED

NAMES_A_LINE = ("call_id", "customer", "started_at")
"""Columns, beside the file's, by which a line of metadata is the same whatever else it says."""


def recording_stone(recording_id: str) -> str:
    """The tombstone of a recording, by the digest of its bytes."""
    return _stone("recording", recording_id)


def line_stone(line: Line, columns: Mapping[str, str]) -> str:
    """The tombstone of a line of metadata: an export that repeats it, wider perhaps, is known.

    Args:
        line: as it arrived
        columns: their names of our columns
    """
    fields = renamed(line.fields, columns)
    return _stone("line", *(fields.get(name, "") for name in (*FILE_COLUMNS, *NAMES_A_LINE)))


def read_tombstones(lake: Lake) -> frozenset[str]:
    """Every tombstone of a lake."""
    stones: list[str] = lake.read(ERASED, columns=["erased_hash"]).to_pydict()["erased_hash"]
    return frozenset(stones)


def erased_of(lake: Lake, recordings: Iterable[str]) -> set[str]:
    """Those of some recordings that were erased."""
    stones = read_tombstones(lake)
    return {each for each in recordings if recording_stone(each) in stones}


def put_tombstones(lake: Lake, stones: Iterable[str], now: dt.datetime) -> None:
    """Put tombstones beside those that stand there.

    Args:
        lake: whose
        stones: new ones, or known ones again
        now: UTC
    """
    rows = [{"erased_hash": stone, "erased_at": now} for stone in sorted(set(stones))]
    lake.write(ERASED, Part(None, f"{now:%Y%m%dT%H%M%S%f}Z"), ERASED.from_rows(rows))


def _stone(*texts: str) -> str:
    content = json.dumps(texts, ensure_ascii=False).encode()
    return hashlib.blake2b(content, digest_size=16, person=b"tombstone").hexdigest()
