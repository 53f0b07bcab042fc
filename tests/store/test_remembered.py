"""What is remembered of a table's rows is what its parts hold, and only changed parts are read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from ser_batch.store.checked import FOLDER
from ser_batch.store.lake import Lake, Part
from ser_batch.store.remembered import PART, Remembered, forget
from ser_batch.tables import CALLS
from ser_batch.testing.rows import call

DAY = dt.date(2026, 11, 3)


class Reader:
    """Remembers the ids of calls, and which parts it read for it."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.read: list[str] = []

    def _ids(self, rows: pa.Table) -> pl.DataFrame:
        self.read += rows["recording_id"].to_pylist()
        return pl.DataFrame({"id": pl.Series(rows["recording_id"].to_pylist(), dtype=pl.String)})

    def look(self, rules: str = "") -> Remembered:
        self.read.clear()
        return Remembered(self.lake, CALLS, self._ids, rules)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    reader = Reader(Lake(tmp_path))
    write(reader, "a", "one")
    write(reader, "b", "two", "three")
    reader.look().keep()
    return reader


def write(reader: Reader, part: str, *names: str) -> None:
    reader.lake.write(CALLS, Part(DAY, part), CALLS.from_rows(map(call, names)))


def ids(found: Remembered) -> list[str]:
    return sorted(found.rows["id"])


def test_parts_that_did_not_change_are_not_read(reader):
    found = reader.look()
    assert (ids(found), reader.read, found.changed.height) == (["one", "three", "two"], [], 0)
    [two] = found.rows.filter(pl.col("id") == "two").iter_rows(named=True)
    assert found.parts_of(found.rows.filter(pl.col(PART) == two[PART])) == [Part(DAY, "b")]


def test_what_changed_is_named_with_its_rows_before_and_after_until_it_is_kept(reader):
    write(reader, "b", "four")
    reader.lake.remove(CALLS, Part(DAY, "a"))
    found = reader.look()
    assert (ids(found), reader.read) == (["four"], ["four"])
    assert sorted(found.changed["id"]) == ["four", "one", "three", "two"]
    assert sorted(reader.look().changed["id"]) == ["four", "one", "three", "two"], "not kept"
    found.keep()
    found = reader.look()
    assert (ids(found), reader.read, found.changed.height) == (["four"], [], 0)


def test_other_rules_read_everything(reader):
    assert ids(reader.look("others")) == ["one", "three", "two"]
    assert len(reader.read) == 3


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_damaged_memory_is_made_again(reader, damage):
    [file] = (reader.lake.folder / FOLDER).glob("rows-of-*")
    data = bytearray(file.read_bytes())
    data[-9] ^= damage == "flipped"
    file.write_bytes(data[: 40 if damage == "cut" else None])
    if damage == "gone":
        forget(reader.lake)
    assert ids(reader.look()) == ["one", "three", "two"]
    assert len(reader.read) == 3
