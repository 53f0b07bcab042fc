"""What lies under a root, without the times of its making: to be compared with another root."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ser_batch import warehouse
from ser_batch.config import Settings
from ser_batch.scoring.registry import Registry
from ser_batch.stages.shard import features_of
from ser_batch.store.checked import FOLDER as CHECKED
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    ERASED,
    FILES,
    LABEL_QUEUE,
    LABELS,
    METADATA,
    QUARANTINE,
    RECORDINGS,
    SEGMENTS,
    TableContract,
    predictions_contract,
)

TIMES = ("erased_at", "imported_at")
"""Columns that say when something was done: a second try is later."""

OTHERS = LISTENER, SECOND = "listener", "second annotator"
"""Who labels while an operation is at work: these labels are not compared."""

Contents = dict[str, str | list[str]]


def contents(
    root: Root, model_id: str, settings: Settings, times: Collection[str] = TIMES
) -> Contents:
    """Rows of every table without labels of others, the models and the warehouse.

    Args:
        root: whose
        model_id: whose predictions
        settings: name the feature set
        times: columns that are not compared
    """
    lake = Lake(root.lake)
    tables = (
        FILES, METADATA, CALLS, RECORDINGS, CHANNELS, SEGMENTS, features_of(settings),
        predictions_contract(model_id), QUARANTINE, LABELS, LABEL_QUEUE, ERASED,
    )  # fmt: skip
    found: Contents = {table.name: _digest(table, lake.read(table), times) for table in tables}
    registry = Registry(root.models)
    found["registry"] = [f"{entry.event} {entry.folder}" for entry in registry.entries()]
    found["models"] = [
        f"{path} {digest.hex()}"
        for path, digest in sorted(files(root.models).items())
        if not path.name.startswith((".", registry.path.name))
    ]
    found["warehouse"] = _warehouse(root) if root.warehouse.exists() else []
    return found


def files(folder: Path) -> dict[Path, bytes]:
    """Every file below a folder, by digest; but those that name processes or inodes."""
    return {
        path.relative_to(folder): hashlib.blake2b(path.read_bytes(), digest_size=16).digest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock-holder" and CHECKED not in path.parts
    }


def _warehouse(root: Root) -> list[str]:
    with warehouse.connect(root.warehouse) as con:
        return sorted(map(str, con.execute("from call_summary").fetchall()))


def _digest(contract: TableContract, rows: pa.Table, times: Collection[str]) -> str:
    """Digest of the rows in order of their key; a tombstone may stand twice."""
    names = [name for name in contract.arrow.names if name not in times]
    if contract is LABELS:
        rows = rows.filter(pc.invert(pc.is_in(rows["annotator"], pa.array(OTHERS))))
    rows = rows.select(names)
    if contract is ERASED:
        rows = rows.group_by(names).aggregate([])
    ordered = rows.sort_by([(name, "ascending") for name in contract.key]).combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, ordered.schema) as stream:
        stream.write_table(ordered)
    return hashlib.blake2b(sink.getvalue()).hexdigest()
