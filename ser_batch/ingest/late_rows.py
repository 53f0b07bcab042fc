"""Rows about calls that people write at any time, while a night or an erasure is at work too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.ingest.tombstones import erased_of
from ser_batch.store.drop import drop_rows
from ser_batch.store.lake import Lake, Part
from ser_batch.store.lock import only_writer
from ser_batch.tables import WRITTEN_ANY_TIME, TableContract


def append(
    lake: Lake, contract: TableContract, part_name: str, rows: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Add rows to a part; what stands there stays, and does not come twice.

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
        before = lake.read(contract, [part])
        known = set(zip(*(before[name].to_pylist() for name in contract.key), strict=True))
        kept = [
            dict(row)
            for row in rows
            if row["recording_id"] not in erased
            and tuple(row[name] for name in contract.key) not in known
        ]
        if kept:
            table = pa.concat_tables([before, contract.from_rows(kept)])
            try:
                lake.write(contract, part, table)
            except FileNotFoundError:
                # a night that began just now took the unfinished file for a killed run's
                lake.write(contract, part, table)
    return [row for row in rows if row["recording_id"] in erased]


def drop_erased(lake: Lake) -> int:
    """Drop rows of erased recordings, which earlier versions stored after the erasure; how many.

    Raises:
        LakeError: if a part cannot be read
    """
    n_dropped = 0
    with no_writers(lake):
        for contract in WRITTEN_ANY_TIME:
            named = lake.read(contract, columns=["recording_id"]).to_pylist()
            known = {row["recording_id"] for row in named if row["recording_id"] is not None}
            erased = pa.array(sorted(erased_of(lake, known)), pa.string())
            if len(erased):
                dropped = drop_rows(
                    lake, ["recording_id"], partial(_is_of, erased), contract=contract
                )
                n_dropped += dropped[contract.name]
    return n_dropped


def _is_of(recordings: pa.Array[Any], rows: pa.Table) -> pa.Array[Any]:
    return pc.is_in(rows["recording_id"], recordings)


@contextmanager
def no_writers(lake: Lake) -> Iterator[None]:
    """Keep everybody from writing these tables; who looked for tombstones before is done."""
    with ExitStack() as stack:
        for contract in WRITTEN_ANY_TIME:
            stack.enter_context(only_writer(lake.folder, contract.name))
        yield
