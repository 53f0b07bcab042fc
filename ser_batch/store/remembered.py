"""What a night needs to know of every row of a table, kept between nights in a file a month.

Columns are derived from the rows of each part; only parts that changed since are read again, and
days that settled are not listed. The lake stays the truth: a file that is gone, damaged or made by
other rules is made from it again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterable

import numpy as np
import polars as pl
import pyarrow as pa

from ser_batch.config import digest
from ser_batch.store.checked import FOLDER
from ser_batch.store.disk import disk
from ser_batch.store.lake import Lake, Part
from ser_batch.store.remembered_file import Month, Name, read_head, write_rows
from ser_batch.store.settled import settled_days
from ser_batch.tables import TableContract

FOLLOWS_ROWS = "rows-of-"
"""How the names of all begin that is remembered of rows, and forgotten when some are erased."""
PART = "part"
"""Column with the number of a row's part."""


class Remembered:
    """Columns derived from every row of a table.

    Args:
        lake: whose
        contract: the table
        derive: a part's rows → columns of the same names and types for every part
        rules: digest of all that `derive` depends on beside the rows
        time: derived column of times that `since` asks for
    """

    def __init__(
        self,
        lake: Lake,
        contract: TableContract,
        derive: Callable[[pa.Table], pl.DataFrame],
        rules: str = "",
        *,
        time: str | None = None,
    ) -> None:
        self._lake, self._contract, self._derive, self._time = lake, contract, derive, time
        self._rules = f"{rules} {contract.version}"
        self._folder = lake.folder / FOLDER / f"{FOLLOWS_ROWS}{contract.name}"
        self._months: dict[str, Month] = {}
        self._n_parts = 0
        self._fresh: dict[int, Name] = {}
        self._empty = derive(contract.empty()).with_columns(pl.lit(0, pl.UInt32).alias(PART))
        self._rows: pl.DataFrame | None = None
        self._changed: list[pl.DataFrame] = []
        self._read()
        self.refresh()

    @property
    def rows(self) -> pl.DataFrame:
        """Derived columns, and `part`, of the table as it is."""
        if self._rows is None:
            self._rows = self._joined(map(self._rows_in, self._months.values()))
        return self._rows

    @property
    def changed(self) -> pl.DataFrame:
        """The rows of parts that changed since `keep`, as they were and as they are."""
        return self._joined(self._changed)

    @property
    def stored(self) -> str:
        """Name of what is written down."""
        stored = [(name, month.stored) for name, month in sorted(self._months.items())]
        return digest([(name, found.digest) for name, found in stored if found])

    @property
    def kept(self) -> str:
        """As `stored`; empty where the rows that are there are others."""
        return "" if self._changed else self.stored

    def refresh(self) -> None:
        """Read the parts that changed."""
        for day, (state, files) in self._listed().items():
            month = self._months.setdefault(_month(day), Month())
            state_before, before = month.state(day), month.files(day)
            fresh = sorted(name for name, of in files.items() if before.get(name) != of)
            gone = [name for name in before if name not in files]
            if fresh or gone:
                self._replace(month, day, fresh, gone)
            elif not state or state == state_before:
                continue
            month.set(day, state, files)
            month.is_changed, self._rows = True, None

    def keep(self) -> None:
        """Write down what is known: what changes from now on is `changed`."""
        for name, month in self._months.items():
            if month.is_changed:
                self._write(name, month)
        disk().unlink(self._folder.with_suffix(".arrow"))  # of earlier versions
        self._changed = []

    def since(self, time: dt.datetime) -> pl.DataFrame:
        """The rows whose time is later, UTC; months that hold none are not read."""
        assert self._time is not None
        months = [m for m in self._months.values() if m.is_changed or m.latest > str(time)]
        return self._joined(map(self._rows_in, months)).filter(pl.col(self._time) > time)

    def parts_of(self, rows: pl.DataFrame) -> list[Part]:
        """The parts in which some of its rows lie, in order."""
        return [_part(*each) for each in sorted(map(self._name, rows[PART].unique()))]

    def places(self, is_wanted: pl.Expr) -> dict[Part, list[int]]:
        """By part, in order, where in it the wanted rows lie; each is of one row of the table."""
        numbers = self.rows.filter(is_wanted)[PART].unique()
        rows = self.rows.filter(pl.col(PART).is_in(numbers.implode()))
        placed = rows.with_columns(pl.int_range(pl.len()).over(PART).alias("place"))
        found = placed.filter(is_wanted).group_by(PART).agg("place").rows()
        of_parts = {self._name(number): places for number, places in found}
        return {_part(*each): of_parts[each] for each in sorted(of_parts)}

    def in_parts(self, parts: Collection[Part]) -> pl.DataFrame:
        """The rows of some parts."""
        names = [(part.date.isoformat() if part.date else "", part.name) for part in parts]
        months = {_month(day) for day, _ in names} & self._months.keys()
        numbers = {n: i for month in months for n, i in self._months[month].numbers.items()}
        return self.rows.filter(_is_of(numbers[each] for each in names if each in numbers))

    def _joined(self, frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
        return pl.concat([self._empty, *frames], rechunk=False)

    def _listed(self) -> dict[str, tuple[str, dict[str, str]]]:
        """By date, the days that may have changed: when their folders did, and their files."""
        contract = self._contract
        if not contract.partitioned:
            return {"": ("", self._files(None))}
        known = {day: of for month in self._months.values() for day, (of, _) in month.days.items()}
        settled = settled_days(self._lake, [contract], copies=contract.irreplaceable)
        listed = {
            str(date): (state, self._files(date))
            for date, state in settled.items()
            if not state or state != known.get(str(date))
        }
        return listed | {day: ("", {}) for day in known.keys() - set(map(str, settled))}

    def _files(self, date: dt.date | None) -> dict[str, str]:
        """State of the parts of a day; of one of which only the second copy is left, of that."""
        dates = None if date is None else [date]
        found = self._lake.files(self._contract, dates=dates)
        if self._contract.irreplaceable:
            found = {**self._lake.files(self._contract, copies=True, dates=dates), **found}
        return {part.name: " ".join(map(str, state)) for part, state in found.items()}

    def _replace(
        self, month: Month, day: str, fresh: Collection[str], gone: Collection[str]
    ) -> None:
        """Read some parts of a day, and forget others."""
        before = self._rows_in(month)
        old = ((day, name) for name in (*fresh, *gone))
        is_stale = _is_of([month.numbers.pop(each) for each in old if each in month.numbers])
        frames = [self._derived(month, (day, name)) for name in fresh]
        self._changed += [before.filter(is_stale), *frames]
        month.rows = self._joined([before.filter(~is_stale), *frames])

    def _derived(self, month: Month, name: Name) -> pl.DataFrame:
        """The rows of a part, under a new number."""
        number, self._n_parts = self._n_parts, self._n_parts + 1
        self._fresh[number], month.numbers[name] = name, number
        rows = self._derive(self._lake.read(self._contract, [_part(*name)]))
        return rows.with_columns(pl.lit(number, pl.UInt32).alias(PART))

    def _name(self, number: int) -> Name:
        """Day and name of a part."""
        if number in self._fresh:
            return self._fresh[number]
        months = self._months.values()
        month = next(each for each in months if 0 <= number - each.first < each.n_stored)
        return month.loaded[number - month.first]

    def _rows_in(self, month: Month) -> pl.DataFrame:
        """The rows of a month, read where they were not."""
        if month.rows is None:
            found = month.stored.read() if month.stored else self._empty
            if found is None:  # damaged: all of it may have changed
                found = self._joined([self._derived(month, each) for each in month.parts])
                month.is_changed, self._changed = True, [*self._changed, found]
            elif month.stored:
                found = found.with_columns(pl.col(PART) + pl.lit(month.first, pl.UInt32))
            month.rows = found
        return month.rows

    def _write(self, name: str, month: Month) -> None:
        """Write down a month; one without a part leaves no file."""
        file, parts = self._folder / f"{name}.month", month.parts
        if not parts:
            disk().unlink(file)
            month.stored, month.is_changed = None, False
            return
        rows = self._rows_in(month)
        places = np.zeros(self._n_parts, np.uint32)
        places[[month.numbers[each] for each in parts]] = np.arange(len(parts))
        month.latest = str(rows[self._time].max() or "") if self._time else ""
        head = {"rules": self._rules, "latest": month.latest, "days": month.days}
        stored = rows.with_columns(pl.Series(PART, places[rows[PART].to_numpy()]))
        month.stored, month.is_changed = write_rows(file, head, stored), False

    def _read(self) -> None:
        """Take over which parts an earlier night knew, where that can be read."""
        for file in sorted(self._folder.glob("*.month")):
            head, stored = read_head(file) or ({}, None)
            if head.get("rules") != self._rules:
                continue
            days = {day: (state, files) for day, (state, files) in head["days"].items()}
            n_stored = sum(files.count("\n") for _, files in days.values())
            self._months[file.stem] = Month(days, head["latest"], stored, self._n_parts, n_stored)
            self._n_parts += n_stored


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
    for path in (lake.folder / FOLDER).glob(f"{FOLLOWS_ROWS}*"):
        (disk().remove_folder if path.is_dir() else disk().unlink)(path)


def key_of(text: str) -> int:
    """A number for a text: 64 bits of its digest."""
    digest = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def keys_of(texts: Iterable[str]) -> pl.Series:
    """A number for each of some texts."""
    return pl.Series([key_of(text) for text in texts], dtype=pl.UInt64)


def _part(day: str, name: str) -> Part:
    return Part(dt.date.fromisoformat(day) if day else None, name)


def _month(day: str) -> str:
    """Name of the file in which a day is remembered."""
    return day[: len("2026-11")] or "all"


def _is_of(numbers: Iterable[int]) -> pl.Expr:
    """Whether a row is of one of some parts."""
    return pl.col(PART).is_in(pl.Series([*numbers], dtype=pl.UInt32).implode())
