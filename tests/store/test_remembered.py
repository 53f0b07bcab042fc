"""What is remembered of a table's rows is what its parts hold, and only changed parts are read."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from ser_batch.store.checked import FOLDER
from ser_batch.store.lake import Lake, Part
from ser_batch.store.remembered import PART, Remembered, forget
from ser_batch.store.settled import SETTLED_S, TURNS, is_turn
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
    [file] = (reader.lake.folder / FOLDER).glob("rows-of-*/*")
    data = bytearray(file.read_bytes())
    data[-9] ^= damage == "flipped"
    file.write_bytes(data[: 40 if damage == "cut" else None])
    if damage == "gone":
        forget(reader.lake)
    found = reader.look()
    assert ids(found) == ["one", "three", "two"]
    assert len(reader.read) == 3
    assert sorted(found.changed["id"]) == ["one", "three", "two"], "all of it may have changed"
    assert found.kept == ""
    found.keep()
    assert (ids(reader.look()), reader.read) == (["one", "three", "two"], [])


def test_what_is_kept_has_a_name_that_changes_with_the_rows(reader):
    name = reader.look().kept
    assert name
    write(reader, "c", "four")
    found = reader.look()
    assert found.kept == ""
    found.keep()
    assert found.kept == reader.look().kept != name
    reader.lake.remove(CALLS, Part(DAY, "c"))
    found = reader.look()
    found.keep()
    assert found.kept == reader.look().kept == name


def test_a_day_that_settled_is_not_listed_until_its_folder_changes(reader):
    turns = (DAY + dt.timedelta(days) for days in range(TURNS))
    day = next(each for each in turns if not is_turn(each.toordinal(), time.time()))
    part, settled_s = Part(day, "d"), time.time() - SETTLED_S - 60
    reader.lake.write(CALLS, part, CALLS.from_rows([call("four")]))
    path = reader.lake.path(CALLS, part)

    def read() -> list[str]:
        os.utime(path.parent, (settled_s, settled_s))
        reader.lake = Lake(reader.lake.folder)
        reader.look().keep()
        return reader.read

    assert read() == ["four"]
    name = reader.look().kept
    settled_s += 1  # the folder changed, but no file of it
    os.utime(path.parent, (settled_s, settled_s))
    assert reader.look().kept == name != ""
    assert read() == []
    with path.open("ab") as file:  # in place, where the folder does not show it
        file.write(b"!")
    assert read() == []
    path.unlink()
    os.utime(path.parent, (settled_s + 9, settled_s + 9))
    assert ids(reader.look()) == ["one", "three", "two"]


def test_rows_since_a_time_come_from_the_months_that_hold_them(tmp_path):
    lake, times = Lake(tmp_path), [dt.datetime(2026, month, 3, 9) for month in (9, 10, 11)]
    for at in times:
        row = call(f"of-{at.month}") | {"started_at": at}
        lake.write(CALLS, Part(at.date(), "a"), CALLS.from_rows([row]))

    def derive(rows: pa.Table) -> pl.DataFrame:
        return pl.DataFrame(pl.from_arrow(rows.select(["recording_id", "started_at"])))

    Remembered(lake, CALLS, derive, time="started_at").keep()
    [september, *_] = sorted((lake.folder / FOLDER).glob("rows-of-*/*"))
    data = september.read_bytes()
    september.write_bytes(data[:-9] + bytes(9))
    found = Remembered(lake, CALLS, derive, time="started_at")
    assert found.since(times[0])["recording_id"].to_list() == ["of-10", "of-11"]
    assert found.changed.is_empty(), "the damaged month was not read"
    assert found.since(times[2]).is_empty()
    assert found.since(times[0] - dt.timedelta(microseconds=1)).height == 3
    assert found.changed.height == 1


def test_parts_are_found_by_their_rows_in_every_month_kept_or_fresh(reader):
    others = [Part(DAY + dt.timedelta(days=30 * number), f"of-{number}") for number in (1, 2)]
    for part in others:
        reader.lake.write(CALLS, part, CALLS.from_rows([call(part.name), call(f"{part.name}-b")]))
        reader.look().keep()
    write(reader, "b", "five", "six")
    found = reader.look()
    assert reader.read == ["five", "six"]
    parts = [Part(DAY, "a"), Part(DAY, "b"), *others]
    assert found.parts_of(found.rows) == parts
    assert found.places(pl.col("id").is_in(["six", "of-1-b", "one"])) == {
        parts[0]: [0],
        parts[1]: [1],
        parts[2]: [1],
    }
    assert sorted(found.in_parts([parts[1], parts[3]])["id"]) == ["five", "of-2", "of-2-b", "six"]
