"""After an erasure: whether any file under the root still names what was erased."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ser_batch.store.content import decrypted, read_bytes
from ser_batch.store.sealed import is_sealed

LEAST_CHARS = 6
"""Shorter ids stand by chance in many files; they are not searched for."""


@dataclass(frozen=True)
class Search:
    """What was searched, and what was found.

    Attributes:
        n_files: files that were read
        traces: files, below the root, in which a name stands
        n_short: names that are too short to be searched for
    """

    n_files: int
    traces: tuple[str, ...]
    n_short: int


def search_traces(root: Path, names: Iterable[str]) -> Search:
    """Search every file under a root: its name, its content, and what Parquet and DuckDB decode to.

    Encrypted files are decrypted.

    Args:
        root: the folder
        names: ids and paths of what was erased
    """
    known = sorted(set(names), key=len, reverse=True)
    wanted = [name for name in known if len(name) >= LEAST_CHARS]
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    if not wanted:
        return Search(0, (), len(known))
    pattern = rf"(?<![\w./-])(?:{'|'.join(map(re.escape, wanted))})(?![\w-])"
    text, raw = re.compile(pattern), re.compile(pattern.encode())
    traces = [
        name
        for path in files
        if text.search(name := path.relative_to(root).as_posix()) or _in_file(path, text, raw)
    ]
    return Search(len(files), tuple(traces), len(known) - len(wanted))


def _in_file(path: Path, text: re.Pattern[str], raw: re.Pattern[bytes]) -> bool:
    try:
        return _in_bytes(path, raw) or _in_tables(path, text)
    except FileNotFoundError:  # an annotator's program replaced it
        return False


def _in_bytes(path: Path, raw: re.Pattern[bytes]) -> bool:
    if not path.stat().st_size:
        return False
    if is_sealed(path):
        return raw.search(read_bytes(path)) is not None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return raw.search(data) is not None


def _in_tables(path: Path, text: re.Pattern[str]) -> bool:
    if path.suffix == ".parquet":
        return _in_rows(pq.ParquetFile(pa.BufferReader(read_bytes(path))).read(), text)
    if path.suffix == ".duckdb":
        with decrypted(path) as file, duckdb.connect(file, read_only=True) as con:
            tables = con.execute("select table_name from duckdb_tables()").fetchall()
            return any(_in_rows(con.table(name).to_arrow_table(), text) for (name,) in tables)
    return False


def _in_rows(table: pa.Table, text: re.Pattern[str]) -> bool:
    """Whether a text stands in a cell, in a list or a map also."""
    return any(
        text.search(str(value))
        for column in table.columns
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type))
        for value in column.to_pylist()
    )
