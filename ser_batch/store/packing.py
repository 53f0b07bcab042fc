"""Columns that a part holds as one, packed when it is written and unpacked when it is read."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa

from ser_batch.arrays import FloatArray
from ser_batch.errors import ContractError
from ser_batch.tables import Packed, TableContract

FLOAT_BITS = 24
"""Bits of a float32's fraction, with the one that is not stored."""
_COLUMNS = b"columns"
"""Metadata of a packed column: digest of the names of those in it."""


def pack(contract: TableContract, table: pa.Table) -> pa.Table:
    """A conforming table as its part holds it."""
    inside = {name for packed in contract.packed for name in packed.names}
    stored = table.select([name for name in table.column_names if name not in inside])
    for packed in contract.packed:
        rows = np.empty((table.num_rows, len(packed.names)), "<f4")
        for place, name in enumerate(packed.names):
            rows[:, place] = table[name].to_numpy()
        kind = pa.binary(rows.itemsize * len(packed.names))
        stored_rows = pa.py_buffer(_rounded(rows, packed.n_bits).tobytes())
        values = pa.FixedSizeBinaryArray.from_buffers(kind, table.num_rows, [None, stored_rows])
        metadata = {_COLUMNS: _digest(packed)}
        stored = stored.append_column(
            pa.field(packed.column, kind, nullable=False, metadata=metadata), values
        )
    return stored


def unpack(contract: TableContract, table: pa.Table) -> pa.Table:
    """The table that a part holds; one that was written a column each stays as it is.

    Raises:
        ContractError: if other columns were packed
    """
    columns: dict[str, pa.ChunkedArray[Any] | pa.Array[Any]] = dict(
        zip(table.column_names, table.columns, strict=True)
    )
    for packed in contract.packed:
        if packed.column not in columns:
            continue
        _check(contract, packed, table)
        rows = _numbers(columns.pop(packed.column).to_pylist(), packed)
        columns |= {name: pa.array(row) for name, row in zip(packed.names, rows, strict=True)}
    return pa.table(columns)


def matrix_of(contract: TableContract, table: pa.Table) -> FloatArray:
    """The packed numbers of the table that a part holds, without making a column of each.

    Args:
        contract: of the table
        table: as the part holds it; one that was written a column each will do

    Returns:
        shape (n_rows, n_columns), columns in the contract's order

    Raises:
        ContractError: if other columns were packed
    """
    inside = {name for packed in contract.packed for name in packed.names}
    place = {name: n for n, name in enumerate(n for n in contract.arrow.names if n in inside)}
    matrix = np.empty((table.num_rows, len(place)), np.float32)
    for packed in contract.packed:
        columns = [place[name] for name in packed.names]
        if packed.column in table.column_names:
            _check(contract, packed, table)
            stored = table[packed.column].to_pylist()
            matrix[:, columns] = _numbers(stored, packed).T
        else:
            matrix[:, columns] = np.stack([table[n].to_numpy() for n in packed.names], axis=1)
    return matrix


def _check(contract: TableContract, packed: Packed, table: pa.Table) -> None:
    field = table.schema.field(packed.column)
    if (field.metadata or {}).get(_COLUMNS) != _digest(packed):
        raise ContractError(f"table {contract.name}: other columns are in {packed.column}")


def _rounded(rows: FloatArray, n_bits: int) -> FloatArray:
    """Numbers of which the last bits are 0, which take no room once they are compressed."""
    if n_bits == FLOAT_BITS:
        return rows
    unit = np.uint32(1 << (FLOAT_BITS - n_bits))
    return ((rows.view("<u4") + unit // 2) // unit * unit).view("<f4")


def _numbers(stored: list[Any], packed: Packed) -> FloatArray:
    """The numbers of a packed column, shape (n_columns, n_rows)."""
    matrix = np.frombuffer(b"".join(stored), "<f4").reshape(-1, len(packed.names))
    return np.ascontiguousarray(matrix.T, np.float32)


def _digest(packed: Packed) -> bytes:
    names = "\n".join(packed.names)
    return hashlib.blake2b(names.encode(), digest_size=8).hexdigest().encode()
