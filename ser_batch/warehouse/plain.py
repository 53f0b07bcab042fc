"""Values of a query as texts and JSON carry them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

_BATCH_ROWS = 10_000


def plain_rows(rows: pa.Table) -> Iterator[list[Any]]:
    """Rows as lists of what JSON knows.

    A float has the digits that its type can hold and no more, and is null where it is no number;
    times are ISO 8601; maps and structs are dictionaries.
    """
    plain = [_converter(field.type) for field in rows.schema]
    for batch in rows.to_batches(max_chunksize=_BATCH_ROWS):
        columns = [
            [convert(value) for value in column.to_pylist(maps_as_pydicts="lossy")]
            for convert, column in zip(plain, batch.columns, strict=True)
        ]
        yield from (list(row) for row in zip(*columns, strict=True))


def _converter(kind: pa.DataType) -> Callable[[Any], Any]:
    """What turns a value of a type into a plain one."""
    if pa.types.is_floating(kind):
        return _single if pa.types.is_float32(kind) else _number
    if isinstance(kind, pa.ListType | pa.LargeListType | pa.FixedSizeListType):
        inner = _converter(kind.value_type)
        return _unless_null(lambda values: [inner(value) for value in values])
    if isinstance(kind, pa.MapType):
        item = _converter(kind.item_type)
        return _unless_null(lambda pairs: {str(k): item(v) for k, v in pairs.items()})
    if isinstance(kind, pa.StructType):
        fields = {field.name: _converter(field.type) for field in kind}
        return _unless_null(lambda row: {name: fields[name](v) for name, v in row.items()})
    return _other


def _unless_null(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else convert(value)


def _number(value: float | None) -> float | None:
    """A 64-bit float is known to fifteen digits: 0.1 + 0.2 is 0.3."""
    return float(f"{value:.15g}") if value is not None and math.isfinite(value) else None


def _single(value: float | None) -> float | None:
    """A 32-bit float has seven or eight; the rest of its 64-bit form is noise."""
    return None if value is None or not math.isfinite(value) else float(str(np.float32(value)))


def _other(value: object) -> object:
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    return value if isinstance(value, str | int | bool) or value is None else str(value)
