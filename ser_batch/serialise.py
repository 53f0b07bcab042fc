"""Rows and values as plain Python, JSON and CSV.

Texts of a call centre come from outside: a caller's name or a queue may hold what a spreadsheet
takes for a formula, or what a terminal takes for a command. `write_csv` writes neither, and
`read_cell` gives back what was written.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import IO, Any

import numpy as np
import pyarrow as pa

_BATCH_ROWS = 10_000
_FORMULA = re.compile(r"'*[=+\-@\t\n\uff1d\uff0b\uff0d\uff20]")
"""Begins a formula in a spreadsheet, in full width too. Source: OWASP, CSV injection."""
_VISIBLE = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"}
_VISIBLE |= {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)
"""A symbol for each control character; there is none for those above 127."""

Convert = Callable[[Any], Any]


def plain_rows(rows: pa.Table, *, keep_times: bool = False) -> Iterator[list[Any]]:
    """Rows as lists of what JSON knows.

    A float has the digits that its type can hold and no more, and is null where it is no number;
    times are ISO 8601; maps and structs are dictionaries.

    Args:
        rows: a table
        keep_times: leave dates and times as they are, for a format that has a type for them
    """
    convert = [_converter(field.type, keep_times=keep_times) for field in rows.schema]
    for batch in rows.to_batches(max_chunksize=_BATCH_ROWS):
        columns = [
            [plain_value(value) for value in column.to_pylist(maps_as_pydicts="lossy")]
            for plain_value, column in zip(convert, batch.columns, strict=True)
        ]
        yield from (list(row) for row in zip(*columns, strict=True))


def plain(value: object, *, decimals: int | None = None) -> Any:
    """A value as JSON knows it: arrays are lists, times are ISO 8601, NaN is None.

    Args:
        value: numbers, texts, times and arrays, also inside mappings and sequences
        decimals: places to which floats are rounded, None for all digits
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item, decimals=decimals) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item, decimals=decimals) for item in value]
    if isinstance(value, float | np.floating):
        return _float(value, decimals)
    return _plain_scalar(value)


def csv_text(names: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """Rows of plain values as CSV, as `write_csv` writes them."""
    text = io.StringIO(newline="")
    write_csv(text, names, rows)
    return text.getvalue()


def write_csv(file: IO[str], names: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write rows of plain values as CSV.

    Cells are quoted where needed and empty for None; lists and mappings are JSON. A text that
    begins like a formula has an apostrophe before it; a control character is a symbol.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([_cell(name) for name in names])
    writer.writerows([_cell(value) for value in row] for row in rows)


def csv_table(text: str) -> csv.DictReader[str]:
    """Rows of CSV by column; names of columns are in lower case.

    Spreadsheets write semicolons where the comma is the decimal point.
    """
    separator = separator_of(text.partition("\n")[0])
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
    return rows


def separator_of(header: str) -> str:
    """What separates the cells of CSV: comma, semicolon or tab."""
    return max(",;\t", key=header.count)


def read_cell(cell: str) -> str:
    """The text of a cell that `write_csv` wrote, without the apostrophe."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def visible(text: str) -> str:
    """A text without control characters but tab and line feed."""
    return text.translate(_VISIBLE)


def _cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        return value
    text = visible(value)
    return f"'{text}" if _FORMULA.match(text) else text


def _converter(kind: pa.DataType, *, keep_times: bool = False) -> Convert:
    """What turns a value of an Arrow type into a plain one."""
    if keep_times and pa.types.is_temporal(kind):
        return lambda value: value
    if pa.types.is_float32(kind):
        return _unless_null(lambda value: _float(np.float32(value), None))
    if isinstance(kind, pa.ListType | pa.LargeListType | pa.FixedSizeListType):
        inner = _converter(kind.value_type)
        return _unless_null(lambda values: [inner(value) for value in values])
    if isinstance(kind, pa.MapType):
        item = _converter(kind.item_type)
        return _unless_null(lambda pairs: {str(k): item(v) for k, v in pairs.items()})
    if isinstance(kind, pa.StructType):
        fields = {field.name: _converter(field.type) for field in kind}
        return _unless_null(lambda row: {name: fields[name](v) for name, v in row.items()})
    return plain


def _plain_scalar(value: object) -> Any:
    if isinstance(value, str | int | None):
        return value
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Decimal):  # sums of integers in DuckDB
        return int(value) if value == value.to_integral_value() else float(value)
    return plain(value.item()) if isinstance(value, np.generic) else str(value)


def _unless_null(convert: Convert) -> Convert:
    return lambda value: None if value is None else convert(value)


def _float(value: float | np.floating[Any], decimals: int | None) -> float | None:
    """A 64-bit float is known to fifteen digits, 0.1 + 0.2 is 0.3; a 32-bit float to seven."""
    if not math.isfinite(value):
        return None
    if decimals is not None:
        return round(float(value), decimals)
    return float(str(value)) if isinstance(value, np.float32) else float(f"{value:.15g}")
