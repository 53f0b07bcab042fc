"""The Parquet lake: the truth from which everything else can be rebuilt.

A table is a folder of part files, by call date where its contract says so:
`segments/date=2026-11-03/<part>.parquet`. A part is written under a temporary name and renamed,
so a reader or a killed run never meets half a file. Its footer carries the contract's version and
the writer's *tags*: the hashes of what the rows were made from. A part whose tags are not the
wanted ones is stale and is recomputed; nothing else is.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ser_batch.errors import LakeError
from ser_batch.tables import TableContract, migrate

_TEMPORARY = ".tmp-"
_TAGS = b"ser_batch.tags"
_VERSION = b"ser_batch.version"


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
    def relative(self) -> Path:
        """Path below the table's folder."""
        folder = Path(f"date={self.date.isoformat()}") if self.date else Path()
        return folder / f"{self.name}.parquet"


class Lake:
    """Reads and writes the tables under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, contract: TableContract, part: Part) -> Path:
        """Where a part lies or would lie."""
        return self.folder / contract.name / part.relative

    def write(
        self,
        contract: TableContract,
        part: Part,
        rows: pa.Table,
        tags: Mapping[str, str] | None = None,
    ) -> Path:
        """Write a part whole or not at all.

        Args:
            contract: the table
            part: which file of it; an older one of that name is replaced
            rows: brought to the contract's order and types
            tags: hashes of what the rows were made from

        Raises:
            ContractError: if the rows do not fit
        """
        table = contract.conform(rows)
        footer = {_TAGS: json.dumps(dict(tags or {}), sort_keys=True).encode()}
        footer[_VERSION] = str(contract.version).encode()
        target = self.path(contract, part)
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, table.replace_schema_metadata({**(table.schema.metadata or {}), **footer}))
        return target

    def remove(self, contract: TableContract, part: Part) -> None:
        """Delete a part if it is there."""
        self.path(contract, part).unlink(missing_ok=True)

    def tags(self, contract: TableContract, part: Part) -> dict[str, str] | None:
        """The tags of a part, None if there is no such part."""
        path = self.path(contract, part)
        if not path.exists():
            return None
        tags: dict[str, str] = json.loads(_footer(path).get(_TAGS, b"{}"))
        return tags

    def parts(self, contract: TableContract) -> list[Part]:
        """Every part of a table, in order."""
        return sorted(self._walk(contract), key=lambda part: (str(part.date), part.name))

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
            LakeError: naming the file that cannot be read
        """
        wanted = list(columns) if columns else contract.arrow.names
        tables = [
            self._read_part(contract, path).select(wanted)
            for part in (self.parts(contract) if parts is None else parts)
            if (path := self.path(contract, part)).exists()
        ]
        if not tables:
            return contract.empty().select(wanted)
        return pa.concat_tables(tables)

    def drop_rows(
        self,
        columns: Sequence[str],
        doomed: Callable[[pa.Table], pa.Array[Any]],
        *,
        contract: TableContract | None = None,
    ) -> Counter[str]:
        """Drop rows from files of any version; footers stay, and a file without rows goes.

        Args:
            columns: that decide; files that lack one are left alone
            doomed: whether each row goes, from those columns
            contract: only files of this table; None: of every table

        Returns:
            how many rows, by table

        Raises:
            LakeError: naming the file that cannot be read
        """
        dropped: Counter[str] = Counter()
        folder = self.folder / contract.name if contract else self.folder
        for path in sorted(folder.rglob("*.parquet")):
            if not set(columns) <= set(_schema(path).names):
                continue
            goes = doomed(pq.ParquetFile(path).read(columns=list(columns)))
            if n_rows := pc.sum(goes).as_py():
                dropped[_table_of(path.relative_to(self.folder))] += n_rows
                kept = pq.ParquetFile(path).read().filter(pc.invert(goes))
                _replace(path, kept) if kept.num_rows else path.unlink()
        return dropped

    def sweep(self) -> int:
        """Delete the temporary files that killed runs left; returns how many.

        Only the run that holds the root's lock may call it.
        """
        leftovers = list(self.folder.rglob(f"{_TEMPORARY}*"))
        for path in leftovers:
            path.unlink(missing_ok=True)
        return len(leftovers)

    def _walk(self, contract: TableContract) -> Iterator[Part]:
        folder = self.folder / contract.name
        if not contract.partitioned:
            yield from (Part(None, path.stem) for path in _parquet_files(folder))
            return
        for partition in folder.glob("date=*"):
            date = dt.date.fromisoformat(partition.name.removeprefix("date="))
            yield from (Part(date, path.stem) for path in _parquet_files(partition))

    def _read_part(self, contract: TableContract, path: Path) -> pa.Table:
        try:
            # one file, not a data set: the folder's name must not become a column
            table = pq.ParquetFile(path).read()
        except (OSError, pa.ArrowInvalid) as error:
            raise LakeError(
                f"{path} cannot be read: {error}; delete it, and the next night recomputes it"
            ) from (error)
        version = int((table.schema.metadata or {}).get(_VERSION, b"1"))
        return contract.conform(migrate(contract, table, version))


def _replace(target: Path, table: pa.Table) -> None:
    """Put a table in a file's place, whole or not at all."""
    temporary = target.with_name(f"{_TEMPORARY}{os.getpid()}-{target.name}")
    pq.write_table(table, temporary, compression="zstd")
    temporary.replace(target)


def _table_of(relative: Path) -> str:
    """The name of the table that a file below the lake's folder belongs to."""
    return "/".join(part for part in relative.parts[:-1] if not part.startswith("date="))


def _parquet_files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("*.parquet") if not path.name.startswith(_TEMPORARY))


def _footer(path: Path) -> dict[bytes, bytes]:
    return dict(_schema(path).metadata or {})


def _schema(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise LakeError(
            f"{path} cannot be read: {error}; delete it, and the next night recomputes it"
        ) from error
