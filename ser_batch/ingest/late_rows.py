"""Rows about calls that people write at any time, while a night or an erasure is at work too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pyarrow as pa

from ser_batch.ingest.tombstones import erased_of
from ser_batch.store.lake import Lake, Part
from ser_batch.store.lock import only_writer
from ser_batch.tables import WRITTEN_ANY_TIME, TableContract


def append(
    lake: Lake, contract: TableContract, part_name: str, rows: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Add rows to a part; what stands there stays.

    Args:
        lake: where
        contract: one of `WRITTEN_ANY_TIME`
        part_name: of the part that the writer alone writes
        rows: with their recording_id

    Returns:
        rows that were not added, because their recording was erased

    Raises:
        LakeError: if the part cannot be read
    """
    part = Part(None, part_name)
    with only_writer(lake.folder, contract.name):
        erased = erased_of(lake, {row["recording_id"] for row in rows})
        kept = [dict(row) for row in rows if row["recording_id"] not in erased]
        if kept:
            table = pa.concat_tables([lake.read(contract, [part]), contract.from_rows(kept)])
            try:
                lake.write(contract, part, table)
            except FileNotFoundError:
                # a night that began just now took the unfinished file for a killed run's
                lake.write(contract, part, table)
    return [row for row in rows if row["recording_id"] in erased]


@contextmanager
def no_writers(lake: Lake) -> Iterator[None]:
    """Keep everybody from writing these tables; who looked for tombstones before is done."""
    with ExitStack() as stack:
        for contract in WRITTEN_ANY_TIME:
            stack.enter_context(only_writer(lake.folder, contract.name))
        yield
