"""Columns that a part holds as one, packed when it is written and unpacked when it is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ser_batch.arrays import FloatArray
from ser_batch.errors import ContractError
from ser_batch.tables import Packed, TableContract

FLOAT_BITS = 24
"""Bits of a float32's fraction, with the one that is not stored."""


def pack(contract: TableContract, table: pa.Table) -> pa.Table:
    """A table as its part holds it, sorted by key.

    Args:
        contract: of the table
        table: with a column each, or packed already

    Raises:
        ContractError: if it does not fit
    """
    if not contract.packed:
        return contract.conform(table)
    if contract.packed[0].column in table.column_names:
        return contract.stored.conform(table)
    rows = contract.conform(table)
    names = [name for packed in contract.packed for name in packed.names]
    matrix = np.empty((rows.num_rows, len(names)), np.float32)
    for place, name in enumerate(names):
        matrix[:, place] = rows[name].to_numpy()
    return pack_matrix(contract, rows.select(list(contract.key)), matrix, names)


def pack_matrix(
    contract: TableContract, keys: pa.Table, matrix: FloatArray, names: Sequence[str]
) -> pa.Table:
    """Rows as their part holds them, sorted by key.

    Args:
        contract: of a table whose numbers are all packed
        keys: its other columns
        matrix: the numbers, shape (n_rows, len(names))
        names: of the matrix's columns
    """
    place = {name: column for column, name in enumerate(names)}
    for packed in contract.packed:
        rows = _rounded(matrix[:, [place[name] for name in packed.names]], packed.n_bits)
        values = pa.FixedSizeBinaryArray.from_buffers(
            packed.kind, len(rows), [None, pa.py_buffer(rows.tobytes())]
        )
        keys = keys.append_column(packed.column, values)
    return contract.stored.conform(keys)


def as_stored(contract: TableContract, matrix: FloatArray, names: Sequence[str]) -> FloatArray:
    """Numbers as they are read back from a part: what is scored without one is scored alike.

    Args:
        contract: of the table that would hold them
        matrix: the numbers, shape (n_rows, len(names))
        names: of the matrix's columns
    """
    place = {name: column for column, name in enumerate(names)}
    stored = np.array(matrix, np.float32)
    for packed in contract.packed:
        columns = [place[name] for name in packed.names]
        stored[:, columns] = _rounded(stored[:, columns], packed.n_bits)
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
        rows = np.ascontiguousarray(_numbers(table[packed.column], packed).T)
        del columns[packed.column]
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
            matrix[:, columns] = _numbers(table[packed.column], packed)
        else:
            matrix[:, columns] = np.stack([table[n].to_numpy() for n in packed.names], axis=1)
    return matrix


def is_packed(contract: TableContract, table: pa.Table) -> bool:
    """Whether a part holds its numbers packed, not a column each.

    Raises:
        ContractError: if other columns were packed
    """
    if not {packed.column for packed in contract.packed} <= set(table.column_names):
        return False
    for packed in contract.packed:
        _check(contract, packed, table)
    return True


def _check(contract: TableContract, packed: Packed, table: pa.Table) -> None:
    field = table.schema.field(packed.column)
    if field.metadata != contract.stored.arrow.field(packed.column).metadata:
        raise ContractError(f"table {contract.name}: other columns are in {packed.column}")


def _rounded(rows: FloatArray, n_bits: int) -> FloatArray:
    """Numbers of which the last bits are 0, which take no room once they are compressed."""
    rows = np.ascontiguousarray(rows, "<f4")
    if n_bits == FLOAT_BITS:
        return rows
    unit = np.uint32(1 << (FLOAT_BITS - n_bits))
    return ((rows.view("<u4") + unit // 2) // unit * unit).view("<f4")


def _numbers(values: pa.ChunkedArray[Any], packed: Packed) -> FloatArray:
    """The numbers of a packed column, shape (n_rows, n_columns)."""
    width = len(packed.names)
    rows = [np.empty((0, width), np.float32)]
    for chunk in values.chunks:
        _, data = chunk.buffers()
        begin = chunk.offset * width
        if data is not None:
            numbers = np.frombuffer(
                memoryview(data), "<f4", len(chunk) * width, begin * rows[0].itemsize
            )
            rows.append(numbers.reshape(-1, width))
    return np.concatenate(rows)
