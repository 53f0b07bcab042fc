"""The published warehouse as the pages read it: one connection, until the file is swapped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from ser_batch.errors import QueryError, WarehouseError
from ser_batch.warehouse import connect

Row = dict[str, Any]
Answer = TypeVar("Answer")

_State = tuple[int, int, int]


class Database:
    """Reads the published file of a root; safe to use from several threads.

    Queries run one after the other, so that no result is open when the file is swapped: DuckDB
    would else hand out the old file again.

    Args:
        target: the published file, which need not be there yet
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._lock = threading.RLock()
        self._con: duckdb.DuckDBPyConnection | None = None
        self._seen: _State | None = None
        self._kept: dict[object, Any] = {}

    @contextmanager
    def open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the file as it is now; results are read to their end before it closes.

        Raises:
            WarehouseError: if nothing was published yet, or the file cannot be read
            QueryError: if a table or column is missing: another version published the file
        """
        with self._lock:
            state = self._state()
            if self._con is None or state != self._seen:
                self.close()
                self._con, self._seen = connect(self._target), state
            try:
                yield self._con
            except duckdb.Error as error:
                first = str(error).splitlines()[0]
                raise QueryError(f"{first}; `ser-batch publish` brings the file up to date") from (
                    error
                )

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Rows of a statement, a dictionary each.

        Args:
            sql: one statement, with a `?` for each value
            values: given to it
        """
        with self.open() as con:
            found: list[Row] = con.sql(sql, params=list(values)).to_arrow_table().to_pylist()
            return found

    def per_publication(
        self, key: object, read: Callable[[duckdb.DuckDBPyConnection], Answer]
    ) -> Answer:
        """What a function reads, read once for each published file."""
        with self.open() as con:
            if key not in self._kept:
                self._kept[key] = read(con)
            answer: Answer = self._kept[key]
            return answer

    def close(self) -> None:
        """Close the connection, if there is one; the next query opens another."""
        with self._lock:
            self._kept.clear()
            if self._con is not None:
                self._con.close()
                self._con = None

    def _state(self) -> _State:
        try:
            status = self._target.stat()
        except OSError:
            raise WarehouseError(
                f"there is no warehouse at {self._target} yet: `ser-batch nightly` makes it"
            ) from None
        return status.st_ino, status.st_mtime_ns, status.st_size
