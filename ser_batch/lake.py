"""The Parquet lake: the truth from which everything else can be rebuilt.

A table is a folder of part files, by call date where its contract says so:
`segments/date=2026-11-03/<part>.parquet`. A part is written under a temporary name and renamed,
so a reader or a killed run never meets half a file. Its footer carries the contract's version and
the writer's *tags*: the hashes of what the rows were made from. A part whose tags are not the
wanted ones is stale and is made again; nothing else is.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
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
        temporary = target.with_name(f"{_TEMPORARY}{os.getpid()}-{target.name}")
        pq.write_table(
            table.replace_schema_metadata({**(table.schema.metadata or {}), **footer}),
            temporary,
            compression="zstd",
        )
        temporary.replace(target)
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
                f"{path} cannot be read: {error}; delete it to have it made again"
            ) from (error)
        version = int((table.schema.metadata or {}).get(_VERSION, b"1"))
        return contract.conform(migrate(contract, table, version))


def _parquet_files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("*.parquet") if not path.name.startswith(_TEMPORARY))


def _footer(path: Path) -> dict[bytes, bytes]:
    try:
        return dict(pq.read_schema(path).metadata or {})
    except (OSError, pa.ArrowInvalid) as error:
        raise LakeError(
            f"{path} cannot be read: {error}; delete it to have it made again"
        ) from error
