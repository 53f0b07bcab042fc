"""Drop rows from the lake's files for good, second copies included."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.store import part_file
from ser_batch.store.atomic import TEMPORARY, write_bytes_atomic
from ser_batch.store.commit import PARTS, issues_part, member_path
from ser_batch.store.disk import disk
from ser_batch.store.lake import COPIES, Lake, Part
from ser_batch.tables import CALLS, QUARANTINE, RECORDINGS, TableContract


def drop_rows(
    lake: Lake,
    columns: Sequence[str],
    doomed: Callable[[pa.Table], pa.Array[Any]],
    *,
    contract: TableContract | None = None,
) -> Counter[str]:
    """Drop rows from files of any version; footers stay.

    A file without rows goes, unless its tags say what it was made from. The part that makes a
    shard complete comes last and names the others as they are now: a run that is killed before
    finds the rows in it again.

    Args:
        lake: whose files
        columns: that decide; files that lack one are left alone
        doomed: whether each row goes, from those columns
        contract: only files of this table; None: of every table

    Returns:
        how many rows, by table; a second copy counts nothing

    Raises:
        DamagedPartError: naming the file that cannot be read
    """
    dropped: Counter[str] = Counter()
    for path in _files(lake, contract):
        if not set(columns) <= set(part_file.read_schema(path).names):
            continue
        table = part_file.decode(part_file.read(path), path)
        goes = doomed(table.select(list(columns)))
        if n_rows := pc.sum(goes).as_py():
            relative = path.relative_to(lake.folder)
            if relative.parts[0] != COPIES:
                dropped[_table_of(relative)] += n_rows
            _replace(lake, path, table.filter(pc.invert(goes)))
    return dropped


def remove_empty_shards(lake: Lake) -> None:
    """Delete every file of the shards of which no call is left."""
    for shard in lake.parts(RECORDINGS):
        if any(
            lake.read(table, [shard], ["recording_id"]).num_rows for table in (CALLS, RECORDINGS)
        ):
            continue
        lake.remove(QUARANTINE, issues_part(shard))
        last = lake.path(RECORDINGS, shard)
        for path in lake.folder.rglob(shard.relative.as_posix()):
            if path != last:
                disk().unlink(path)
        disk().unlink(last)


def _files(lake: Lake, contract: TableContract | None) -> list[Path]:
    """The files of a table or of all, those that make a shard complete last."""
    folders = [lake.folder]
    if contract is not None:
        folders = [lake.folder / contract.name, lake.folder / COPIES / contract.name]
    found = [
        path
        for folder in folders
        for path in folder.rglob("*.parquet")
        if not path.name.startswith(TEMPORARY)
    ]
    return sorted(found, key=lambda path: (RECORDINGS.name in path.parts, path))


def _replace(lake: Lake, path: Path, kept: pa.Table) -> None:
    tags = part_file.tags_of(kept.schema, path)
    if not (kept.num_rows or tags):
        disk().unlink(path)
        return
    if PARTS in tags:
        tags[PARTS] = _renewed(lake, path, json.loads(tags[PARTS]))
    before = part_file.stated_digest(path)
    write_bytes_atomic(path, part_file.encode_again(kept, tags=tags, replaces=before), durable=True)


def _renewed(lake: Lake, last: Path, named: dict[str, tuple[int, str]]) -> str:
    """The parts of a shard as they are now; one that was otherwise before stays so."""
    shard = Part(dt.date.fromisoformat(last.parent.name.removeprefix("date=")), last.stem)
    for table, (_, digest) in named.items():
        path = member_path(lake, table, shard)
        if path.exists() and part_file.replaced_digest(path) == digest:
            named[table] = (part_file.n_rows(path), part_file.stated_digest(path))
    return json.dumps(named)


def _table_of(relative: Path) -> str:
    """The name of the table that a file below the lake's folder belongs to."""
    return "/".join(part for part in relative.parts[:-1] if not part.startswith("date="))
