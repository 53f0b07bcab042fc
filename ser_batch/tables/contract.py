"""What a table's contract is, and the columns that several tables share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pyarrow as pa

from ser_batch.errors import ContractError

_NUMBER_BYTES = 4
_COLUMNS = b"columns"
"""Metadata of a packed column: digest of the names of those in it."""


@dataclass(frozen=True)
class Packed:
    """Columns of numbers that a part holds as one: thousands would cost more than what is in them.

    Attributes:
        column: in the part, bytes of one length a row
        names: of the table's columns, in the order in which their float32 numbers lie in it
        n_bits: of the 24 of each number that are kept
    """

    column: str
    names: tuple[str, ...]
    n_bits: int = 24

    @property
    def kind(self) -> pa.DataType:
        """Of the column in the part."""
        return pa.binary(_NUMBER_BYTES * len(self.names))

    @property
    def digest(self) -> bytes:
        """Of the names, kept with the column: other columns are not taken for these."""
        names = "\n".join(self.names)
        return hashlib.blake2b(names.encode(), digest_size=8).hexdigest().encode()


@dataclass(frozen=True)
class TableContract:
    """What a table holds.

    Attributes:
        name: folder under the lake; may have a variant below it (`features/descriptors_v1`)
        version: raised by every change of the schema
        grain: what one row is
        key: columns that make a row unique
        arrow: columns with type, nullability and doc line
        partitioned: whether its files lie by call date
        irreplaceable: nothing else says what its rows say; the lake keeps every part twice
        packed: columns that are stored together
    """

    name: str
    version: int
    grain: str
    key: tuple[str, ...]
    arrow: pa.Schema
    partitioned: bool = True
    irreplaceable: bool = False
    packed: tuple[Packed, ...] = ()

    @cached_property
    def stored(self) -> TableContract:
        """The contract as its parts hold it: packed columns in the place of those inside."""
        inside = {name for packed in self.packed for name in packed.names}
        fields = [field for field in self.arrow if field.name not in inside]
        for packed in self.packed:
            metadata = {_COLUMNS: packed.digest}
            fields.append(pa.field(packed.column, packed.kind, nullable=False, metadata=metadata))
        return replace(self, arrow=pa.schema(fields), packed=())

    def conform(self, table: pa.Table) -> pa.Table:
        """The table in the contract's column order and types, sorted by key.

        Raises:
            ContractError: if a column is missing or extra, of another type, or null where it
                must not be
        """
        names = set(table.column_names)
        missing = [name for name in self.arrow.names if name not in names]
        extra = sorted(names - set(self.arrow.names))
        if missing or extra:
            raise ContractError(f"table {self.name}: missing {missing}, not in contract {extra}")
        columns = []
        for field in self.arrow:
            values = table.column(field.name)
            try:
                columns.append(values if values.type == field.type else values.cast(field.type))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
                raise ContractError(f"table {self.name}: {error}") from error
            if not field.nullable and values.null_count:
                raise ContractError(f"table {self.name}: column {field.name} has nulls")
        cast = pa.Table.from_arrays(columns, schema=self.arrow)
        if cast.num_rows < 2:
            return cast
        return cast.sort_by([(name, "ascending") for name in self.key])

    def from_rows(self, rows: Iterable[dict[str, object]]) -> pa.Table:
        """A conforming table from dictionaries; missing keys are null."""
        return self.conform(pa.Table.from_pylist(list(rows), schema=self.arrow))

    def empty(self) -> pa.Table:
        """A conforming table without rows."""
        return self.arrow.empty_table()


def column(name: str, kind: pa.DataType, doc: str, *, nullable: bool = False) -> pa.Field[Any]:
    """A column with its doc line."""
    return pa.field(name, kind, nullable=nullable, metadata={"doc": doc})


def doc(field: pa.Field[Any]) -> str:
    """The doc line of a column."""
    return (field.metadata or {}).get(b"doc", b"").decode()


TIME = pa.timestamp("us")
ATTRIBUTES = pa.map_(pa.string(), pa.string())
SEGMENT_KEY = ("recording_id", "channel", "segment_no")

RECORDING_ID = column("recording_id", pa.string(), "digest of the audio bytes")
CHANNEL = column("channel", pa.int8(), "channel in the file, or voice in the only one, from 0")
SEGMENT_NO = column("segment_no", pa.int32(), "number of the segment on its channel, from 0")
