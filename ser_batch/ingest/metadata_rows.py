"""Rows of metadata files, format by format: what can be read, and what of a row cannot.

An export is another system's output and may be damaged anywhere. A reader names what it cannot
read and goes on with the next row; only a file without any row that could be found is refused.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ser_batch.errors import MetadataContentError
from ser_batch.serialise import separator_of

csv.field_size_limit(2**31 - 1)  # long cells are judged alike in all formats, after reading

MAX_INTEGER_DIGITS = 4000
"""Python refuses to convert longer integers; they are kept as text."""

_UNREADABLE = (pa.ArrowException, ValueError, OverflowError, TypeError, KeyError, OSError)
"""What reading a damaged column or converting one of its values may raise."""


@dataclass(frozen=True)
class Row:
    """One row as a format's reader finds it.

    Attributes:
        number: from 1; 0: what is said is about the whole file
        cells: column → value
        faults: what of the row cannot be read; without cells nothing of it can
    """

    number: int
    cells: dict[str, object]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unreadable:
    """Stands in a cell whose value cannot be converted."""

    reason: str


def csv_rows(data: bytes, name: str) -> Iterator[Row]:
    """Rows of comma, semicolon or tab separated text, numbered without the header.

    A quotation mark that is never closed costs its own line, not those after it.

    Raises:
        MetadataContentError: if there is no header line
    """
    text = _text(data)
    delimiter = separator_of(text.split("\n", 1)[0])
    records = _records(list(io.StringIO(text, newline="")), delimiter)
    first = next(records, [])
    if isinstance(first, str) or not any(cell.strip() for cell in first):
        raise MetadataContentError(f"{name} has no header line")
    names = [cell.strip() for cell in first]
    repeated = _repeated(names)
    yield from _repeated_rows(repeated)
    yield Row(0, dict.fromkeys(filter(None, names)))
    for number, cells in enumerate(records, start=1):
        if isinstance(cells, str):
            yield Row(number, {}, (cells,))
        elif len(cells) > len(names):
            fault = f"more cells than columns; put cells that contain {delimiter!r} in quotes"
            yield Row(number, {}, (fault,))
        else:
            pairs = zip(names, cells, strict=False)
            yield Row(number, {key: text for key, text in pairs if key not in repeated})


def json_rows(data: bytes) -> Iterator[Row]:
    """Rows of JSON: one object a line, or one array of objects."""
    text = _text(data)
    lines = text.split("\n")  # not splitlines: U+2028 and others may stand in a text
    if text.lstrip().startswith("[") and not _is_list_of_its_own(lines):
        yield from _array_rows(text)
        return
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                value = _DECODER.decode(line.strip())
            except (ValueError, RecursionError) as error:
                yield Row(number, {}, (f"not JSON: {_json_fault(error)}",))
            else:
                yield _json_row(number, value)


def parquet_rows(data: bytes, file_name: str) -> Iterator[Row]:
    """Rows of a Parquet file, numbered over its row groups.

    Of a damaged row group the columns that can be read are kept.

    Raises:
        MetadataContentError: if it is not Parquet
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        names = [name.strip() for name in file.schema_arrow.names]
        sizes = [file.metadata.row_group(no).num_rows for no in range(file.num_row_groups)]
    except _UNREADABLE as error:
        raise MetadataContentError(f"{file_name} is not Parquet: {_first_line(error)}") from error
    with file:
        repeated = _repeated(names)
        yield from _repeated_rows(repeated)
        start = 1
        for group, n_rows in enumerate(sizes):
            columns, damaged = _columns(file, group, n_rows, repeated)
            for name, reason in damaged.items():
                fault = f"{name!r} cannot be read in rows {start} to {start + n_rows - 1}: {reason}"
                yield Row(0, {}, (fault,))
            values = zip(*(_values(column) for column in columns.values()), strict=True)
            for number, row in enumerate(values, start=start):
                yield Row(number, dict(zip(columns, row, strict=True)))
            start += n_rows


def _text(data: bytes) -> str:
    """Text of a file: UTF-16 with its mark, else each line UTF-8 or, where it is not, cp1252."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "".join(_decoded(line) for line in data.splitlines(keepends=True))


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _records(lines: Sequence[str], delimiter: str) -> Iterator[list[str] | str]:
    """Cells of each record of a CSV text, or what is wrong where quotation marks do not fit.

    A record that cannot be right is given up with its first line; reading goes on with the next.
    """
    width = 0
    start = 0
    while start < len(lines):
        begin = start
        rest = (lines[number] for number in range(start, len(lines)))
        reader = csv.reader(rest, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                n_lines = start + reader.line_num - begin
                width = width or len(cells)
                if n_lines > 1 and len(cells) > width:
                    raise csv.Error("a cell goes over several lines")
                if cells:
                    yield cells
                begin += n_lines
            return
        except csv.Error as error:
            yield f"a quotation mark is not closed, or is followed by text ({error})"
            start = begin + 1


def _is_list_of_its_own(lines: Sequence[str]) -> bool:
    """Whether the first line is a whole array and others follow: lines of JSON, one of them bad."""
    filled = [line for line in lines if line.strip()]
    try:
        json.loads(filled[0])
    except (ValueError, RecursionError):
        return False
    return len(filled) > 1


def _array_rows(text: str) -> Iterator[Row]:
    position, number = text.index("[") + 1, 0
    while True:
        while text[position : position + 1] in (" ", "\t", "\r", "\n", ","):
            position += 1
        if text[position : position + 1] == "]":
            return
        number += 1
        try:
            value, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            fault = f"not JSON: {_json_fault(error)}; neither it nor what follows is read"
            yield Row(number, {}, (fault,))
            return
        yield _json_row(number, value)


class _Repeated(dict[str, object]):
    """An object in which a name stands twice."""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Repeated(found)


def _whole_number(text: str) -> int | str:
    return int(text) if len(text) <= MAX_INTEGER_DIGITS else text


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_whole_number)


def _json_row(number: int, value: object) -> Row:
    if isinstance(value, _Repeated):
        return Row(number, {}, ("a name stands twice in the object",))
    if not isinstance(value, dict):
        return Row(number, {}, ("not a JSON object",))
    return Row(number, value)


def _json_fault(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return error.msg if isinstance(error, json.JSONDecodeError) else _first_line(error)


def _repeated(names: Sequence[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if name and count > 1}


def _repeated_rows(names: set[str]) -> Iterator[Row]:
    for name in sorted(names):
        yield Row(0, {}, (f"several columns are called {name!r}; none of them is read",))


def _columns(
    file: pq.ParquetFile, group: int, n_rows: int, repeated: set[str]
) -> tuple[dict[str, pa.ChunkedArray[Any]], dict[str, str]]:
    """Columns of a row group, and why others cannot be read."""
    names = [name for name in file.schema_arrow.names if name.strip() not in {"", *repeated}]
    with contextlib.suppress(*_UNREADABLE):
        table = file.read_row_group(group)
        return {name: table.column(name) for name in names}, {}
    columns: dict[str, pa.ChunkedArray[Any]] = {}
    damaged: dict[str, str] = {}
    for name in names:
        try:
            table = file.read_row_group(group, columns=[name])
            if len(column := table.column(name)) != n_rows:
                raise ValueError(f"{len(column)} of {n_rows} values are there")
            columns[name] = column
        except _UNREADABLE as error:
            damaged[name] = _first_line(error)
    return columns, damaged


def _values(column: pa.ChunkedArray[Any]) -> list[object]:
    """The values of a column; one that has no place in Python is named, the others are kept."""
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
    try:
        return list(column.to_pylist())
    except _UNREADABLE:
        return [_value(scalar) for scalar in column]


def _value(scalar: pa.Scalar[Any]) -> object:
    try:
        return scalar.as_py()
    except _UNREADABLE as error:
        return Unreadable(_first_line(error))


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:200] or type(error).__name__
