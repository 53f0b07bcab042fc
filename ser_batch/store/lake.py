"""The Parquet lake: the truth from which everything else can be rebuilt.

A table is a folder of part files, by call date where its contract says so:
`segments/date=2026-11-03/<part>.parquet`. A part is written under a temporary name and renamed,
so a reader or a killed run never meets half a file. Its footer carries the contract's version and
the writer's *tags*: the hashes of what the rows were made from. A part whose tags are not the
wanted ones is stale and is recomputed; nothing else is.

Parts that nothing could make again lie a second time below `.copies`. A read takes the second copy
where the first is gone or damaged.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from ser_batch.arrays import FloatArray
from ser_batch.errors import DamagedPartError
from ser_batch.store import part_file
from ser_batch.store.atomic import write_bytes_atomic
from ser_batch.store.disk import disk
from ser_batch.store.listing import ENDING, FileState, Listing, folders
from ser_batch.store.local_files import is_working_copy
from ser_batch.store.packing import is_packed, matrix_of, pack, unpack
from ser_batch.tables import TableContract, migrate

COPIES = ".copies"
"""Folder of the second copies, below the lake's."""

_PARTITION = "date="

Answer = TypeVar("Answer")


@dataclass(frozen=True, order=True)
class Part:
    """One Parquet file of a table.

    Attributes:
        date: call date of its partition, None in a table without partitions
        name: name without ending, the same in every table that the same shard fills
    """

    date: dt.date | None
    name: str

    @property
    def place(self) -> str:
        """Path below the table's folder, with forward slashes."""
        file = f"{self.name}{ENDING}"
        return f"{_PARTITION}{self.date.isoformat()}/{file}" if self.date else file

    @property
    def relative(self) -> Path:
        """Path below the table's folder."""
        return Path(self.place)


class Lake:
    """Reads and writes the tables under one folder.

    A file that somebody changes in place meanwhile is noticed by the next object (`Listing`).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._listing = Listing(with_inodes=not is_working_copy(folder.parent))
        self._known: dict[Path, tuple[dict[str, FileState], dict[Part, FileState]]] = {}

    def __reduce__(self) -> tuple[type[Lake], tuple[Path]]:
        """Without what was listed: another process lists by itself."""
        return Lake, (self.folder,)

    def path(self, contract: TableContract, part: Part) -> Path:
        """Where a part lies or would lie."""
        return self.folder / contract.name / part.relative

    def places(self, contract: TableContract, part: Part) -> tuple[Path, ...]:
        """Where a part lies, and its second copy where its table has one."""
        first = self.path(contract, part)
        copy = self.folder / COPIES / contract.name / part.relative
        return (first, copy) if contract.irreplaceable else (first,)

    def write(
        self,
        contract: TableContract,
        part: Part,
        rows: pa.Table,
        tags: Mapping[str, str] | None = None,
        *,
        durable: bool = False,
    ) -> Path:
        """Write a part whole or not at all.

        Args:
            contract: the table
            part: which file of it; an older one of that name is replaced
            rows: brought to the contract's order and types; packed columns may be packed
            tags: hashes of what the rows were made from
            durable: wait until it is on the disk, as for tables that nothing else says

        Raises:
            ContractError: if the rows do not fit
        """
        data = part_file.encode(pack(contract, rows), version=contract.version, tags=tags or {})
        places = self.places(contract, part)
        for place in places:
            write_bytes_atomic(place, data, durable=durable or contract.irreplaceable)
        return places[0]

    def remove(self, contract: TableContract, part: Part) -> None:
        """Delete a part if it is there."""
        for place in reversed(self.places(contract, part)):
            disk().unlink(place)

    def tags(self, contract: TableContract, part: Part) -> dict[str, str] | None:
        """The tags of a part, None if there is no such part.

        Raises:
            DamagedPartError: if they cannot be read
        """

        def tags_at(place: Path) -> dict[str, str]:
            return part_file.tags_of(part_file.read_schema(place), place)

        return self._first_sound(contract, part, tags_at)

    def sound_tags(self, contract: TableContract, part: Part) -> dict[str, str] | None:
        """The tags of a part, None too if it cannot be read: for what is then recomputed."""
        try:
            return self.tags(contract, part)
        except DamagedPartError:
            return None

    def parts(self, contract: TableContract) -> list[Part]:
        """Every part of a table, in order; one of which only the second copy is left too."""
        found = set(self.files(contract))
        if contract.irreplaceable:
            found |= self.files(contract, copies=True).keys()
        return sorted(found, key=lambda part: (str(part.date), part.name))

    def files(
        self,
        contract: TableContract,
        *,
        copies: bool = False,
        dates: Sequence[dt.date] | None = None,
    ) -> dict[Part, FileState]:
        """State of the file of each part of a table, not to be changed; no file is opened.

        Args:
            contract: the table
            copies: of the second copies
            dates: only parts of these dates
        """
        folder = self.folder / COPIES / contract.name if copies else self.folder / contract.name
        if not contract.partitioned:
            return self._files_in(folder, None)
        found: dict[Part, FileState] = {}
        for date in _dates(folder) if dates is None else dates:
            found |= self._files_in(folder / f"{_PARTITION}{date.isoformat()}", date)
        return found

    def _files_in(self, folder: Path, date: dt.date | None) -> dict[Part, FileState]:
        found = self._listing.files(folder)
        known = self._known.get(folder)
        if known is None or known[0] is not found:
            known = found, {Part(date, name): state for name, state in found.items()}
            self._known[folder] = known
        return known[1]

    def dates(
        self, contract: TableContract, last: dt.timedelta = dt.timedelta.max
    ) -> list[dt.date]:
        """Dates of which a table has a part, in order; `last`: those so long before the newest."""
        found: list[dt.date] = []
        for date in reversed(_dates(self.folder / contract.name)):
            if found and found[0] - date >= last:
                break
            if self.files(contract, dates=[date]):
                found.append(date)
        return found[::-1]

    def read(
        self,
        contract: TableContract,
        parts: Sequence[Part] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """Rows of some parts or of the whole table, older versions brought to this one.

        Args:
            contract: the table
            parts: which files; missing ones count as empty; None: all
            columns: which columns; None: all

        Raises:
            DamagedPartError: naming the file that is not as it was written
        """
        wanted = list(columns) if columns else contract.arrow.names

        def rows_at(place: Path) -> pa.Table:
            table = part_file.decode(part_file.read(place), place)
            version = part_file.version_of(table.schema)
            return contract.conform(migrate(contract, unpack(contract, table), version))

        tables = [
            table.select(wanted)
            for part in (self.parts(contract) if parts is None else parts)
            if (table := self._first_sound(contract, part, rows_at)) is not None
        ]
        if not tables:
            return contract.empty().select(wanted)
        return pa.concat_tables(tables)

    def read_stored(self, contract: TableContract, part: Part) -> pa.Table:
        """Rows of a part as it holds them, `contract.stored`: packed columns stay packed.

        Far faster than `read`, which makes a column of each of thousands of numbers.

        Raises:
            DamagedPartError: naming the file that is not as it was written
        """

        def rows_at(place: Path) -> pa.Table:
            table = part_file.decode(part_file.read(place), place)
            version = part_file.version_of(table.schema)
            if version == contract.version and is_packed(contract, table):
                return table.select(contract.stored.arrow.names)
            return pack(contract, migrate(contract, unpack(contract, table), version))

        found = self._first_sound(contract, part, rows_at)
        return contract.stored.empty() if found is None else found

    def read_matrix(self, contract: TableContract, part: Part) -> tuple[pa.Table, FloatArray]:
        """Rows of a part with packed columns: its key, and the numbers, shape (n_rows, n_columns).

        Raises:
            DamagedPartError: naming the file that is not as it was written
        """

        def rows_at(place: Path) -> tuple[pa.Table, FloatArray]:
            table = part_file.decode(part_file.read(place), place)
            return table.select(list(contract.key)), matrix_of(contract, table)

        found = self._first_sound(contract, part, rows_at)
        if found is None:
            empty = contract.empty()
            return empty.select(list(contract.key)), matrix_of(contract, empty)
        return found

    def sound_path(self, contract: TableContract, part: Part) -> Path | None:
        """Where a part lies whose every byte is as it was written, None if there is none.

        For readers that check and decrypt nothing themselves, such as DuckDB.

        Raises:
            DamagedPartError: naming the file that is not as it was written
        """

        def checked(place: Path) -> Path:
            part_file.check(part_file.read(place), place)
            return place

        return self._first_sound(contract, part, checked)

    def changed_ns(self, contract: TableContract, part: Part) -> int | None:
        """When a part was written last, ns since 1970, None if it is not there."""
        return self._first_sound(contract, part, lambda place: place.stat().st_mtime_ns)

    def _first_sound(
        self, contract: TableContract, part: Part, ask: Callable[[Path], Answer]
    ) -> Answer | None:
        """What the first of a part's copies that can be read says, None if there is none."""
        damage: DamagedPartError | None = None
        for place in self.places(contract, part):
            try:
                return ask(place)
            except FileNotFoundError:
                continue
            except DamagedPartError as error:
                damage = damage or error
        if damage is not None:
            raise damage
        return None


def _dates(folder: Path) -> list[dt.date]:
    """Dates of a table's folders, in order."""
    names = folders(folder, _PARTITION)
    return [dt.date.fromisoformat(name.removeprefix(_PARTITION)) for name in names]
