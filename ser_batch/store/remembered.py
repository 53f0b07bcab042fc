"""What a night needs to know of every row of a table, kept between nights in one file.

Columns are derived from the rows of each part; only parts that changed since are read again. The
lake stays the truth: a file that is gone, damaged or made by other rules is made from it again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Collection, Iterable

import numpy as np
import polars as pl
import pyarrow as pa

from ser_batch.errors import BrokenSealError
from ser_batch.store.atomic import write_bytes_atomic
from ser_batch.store.checked import FOLDER
from ser_batch.store.content import read_bytes
from ser_batch.store.disk import disk
from ser_batch.store.lake import Lake, Part
from ser_batch.store.listing import FileState
from ser_batch.tables import TableContract

PART = "part"
"""Column with the number of a row's part."""

_DIGEST_CHARS = 32
_ABOUT = b"ser_batch.remembered"


class Remembered:
    """Columns derived from every row of a table.

    Args:
        lake: whose
        contract: the table
        derive: a part's rows → columns of the same names and types for every part
        rules: digest of all that `derive` depends on beside the rows

    Attributes:
        rows: derived columns, and `part`, of the table as it is
        changed: the rows of parts that changed since `keep`, as they were and as they are
    """

    def __init__(
        self,
        lake: Lake,
        contract: TableContract,
        derive: Callable[[pa.Table], pl.DataFrame],
        rules: str = "",
    ) -> None:
        self._lake, self._contract, self._derive = lake, contract, derive
        self._rules = f"{rules} {contract.version}"
        self._file = lake.folder / FOLDER / f"rows-of-{contract.name}.arrow"
        empty = derive(contract.empty()).with_columns(pl.lit(0, pl.UInt32).alias(PART))
        self._parts: list[Part] = []
        self._states: dict[Part, FileState] = {}
        self.rows = self.changed = empty
        self._read()
        self.refresh()

    def refresh(self) -> None:
        """Read the parts that changed."""
        now = self._lake.files(self._contract)
        if self._contract.irreplaceable:  # one of which only the second copy is left
            copies = self._lake.files(self._contract, copies=True)
            now = {**copies, **now}
        fresh = {part for part, state in now.items() if self._states.get(part) != state}
        stale = fresh | (self._states.keys() - now.keys())
        if not stale:
            return
        numbers = [number for number, part in enumerate(self._parts) if part in stale]
        is_stale = pl.col(PART).is_in(pl.Series(numbers, dtype=pl.UInt32).implode())
        frames = [self._rows_of(part) for part in sorted(fresh, key=str)]
        self.changed = pl.concat([self.changed, self.rows.filter(is_stale), *frames])
        self.rows = pl.concat([self.rows.filter(~is_stale), *frames])
        self._states = now

    def keep(self) -> None:
        """Write down what is known: what changes from now on is `changed`."""
        if self.changed.is_empty() and self._file.exists():
            return
        order = sorted(self._states, key=str)
        places = {part: number for number, part in enumerate(order)}
        renumbered = np.array([places.get(part, 0) for part in self._parts] or [0], np.uint32)
        self.rows = self.rows.with_columns(pl.Series(PART, renumbered[self.rows[PART].to_numpy()]))
        self._parts, self.changed = order, self.changed.clear()
        parts = [(part.date and str(part.date), part.name, self._states[part]) for part in order]
        about = json.dumps([self._rules, parts]).encode()
        table = self.rows.to_arrow(compat_level=pl.CompatLevel.oldest())
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema.with_metadata({_ABOUT: about})) as out:
            out.write_table(table.replace_schema_metadata({_ABOUT: about}))
        data = sink.getvalue()
        write_bytes_atomic(self._file, _digest(data).encode() + data)

    def parts_of(self, rows: pl.DataFrame) -> list[Part]:
        """The parts in which some of its rows lie, in order."""
        return sorted({self._parts[number] for number in rows[PART].unique()}, key=str)

    def places(self, is_wanted: pl.Expr) -> dict[Part, list[int]]:
        """By part, in order, where in it the wanted rows lie; each is of one row of the table."""
        numbers = self.rows.filter(is_wanted)[PART].unique()
        rows = self.rows.filter(pl.col(PART).is_in(numbers.implode()))
        placed = rows.with_columns(pl.int_range(pl.len()).over(PART).alias("place"))
        found = placed.filter(is_wanted).group_by(PART).agg("place").rows()
        of_parts = {self._parts[number]: places for number, places in found}
        return {part: of_parts[part] for part in sorted(of_parts, key=str)}

    def in_parts(self, parts: Collection[Part]) -> pl.DataFrame:
        """The rows of some parts."""
        numbers = [number for number, part in enumerate(self._parts) if part in parts]
        return self.rows.filter(pl.col(PART).is_in(pl.Series(numbers, dtype=pl.UInt32).implode()))

    def _rows_of(self, part: Part) -> pl.DataFrame:
        self._parts.append(part)
        number = pl.lit(len(self._parts) - 1, pl.UInt32).alias(PART)
        return self._derive(self._lake.read(self._contract, [part])).with_columns(number)

    def _read(self) -> None:
        """Take over what an earlier night kept, where it can be read."""
        try:
            data = memoryview(read_bytes(self._file))
        except (OSError, BrokenSealError):
            return
        if _digest(data[_DIGEST_CHARS:]) != bytes(data[:_DIGEST_CHARS]).decode(errors="replace"):
            return
        table = pa.ipc.open_stream(pa.py_buffer(data[_DIGEST_CHARS:])).read_all()
        rules, parts = json.loads((table.schema.metadata or {})[_ABOUT])
        if rules != self._rules:
            return
        self.rows = pl.DataFrame(pl.from_arrow(table.replace_schema_metadata()))
        for date, name, state in parts:
            part = Part(dt.date.fromisoformat(date) if date else None, name)
            self._parts.append(part)
            self._states[part] = (state[0], state[1], state[2])


def remembered_rows(lake: Lake, contract: TableContract) -> pa.Table:
    """All rows of a table, read again only where its parts changed. The root is held.

    For tables of many small parts, of which most never change.

    Raises:
        DamagedPartError: naming the file that is not as it was written
    """
    memory = Remembered(lake, contract, lambda rows: pl.DataFrame(pl.from_arrow(rows)))
    memory.keep()
    rows = memory.rows.drop(PART).to_arrow(compat_level=pl.CompatLevel.oldest())
    return contract.conform(rows)


def forget(lake: Lake) -> None:
    """Delete everything that is remembered of a lake's rows: some were erased. The root is held."""
    for file in (lake.folder / FOLDER).glob("rows-of-*"):
        disk().unlink(file)


def key_of(text: str) -> int:
    """A number for a text: 64 bits of its digest."""
    digest = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def keys_of(texts: Iterable[str]) -> pl.Series:
    """A number for each of some texts."""
    return pl.Series([key_of(text) for text in texts], dtype=pl.UInt64)


def _digest(data: bytes | memoryview | pa.Buffer) -> str:
    return hashlib.blake2b(data, digest_size=_DIGEST_CHARS // 2).hexdigest()
