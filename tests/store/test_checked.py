"""What was checked once is not opened again, unless it changed."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path

import pytest

from ser_batch.store.checked import FOLDER, file_states, unlike_before, unlike_before_by_day
from ser_batch.store.lake import Lake, Part
from ser_batch.store.settled import SETTLED_S, TURNS, is_turn, settled_days
from ser_batch.tables import CALLS
from ser_batch.testing.rows import call

PARTS = [Part(dt.date(2026, 11, 3), name) for name in ("one", "two")]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path)
    for part in PARTS:
        lake.write(CALLS, part, CALLS.from_rows([call(part.name)]))
    return lake


def checked(lake: Lake, *, failing: str = "", wanted: str = "settings") -> tuple[list[str], ...]:
    """Names of the parts that the check opened, and of those that it found behind."""
    opened = []

    def is_behind(part: Part) -> bool:
        opened.append(part.name)
        return part.name == failing

    found = unlike_before(lake, "test", file_states(lake, wanted, [CALLS], PARTS), is_behind)
    return opened, [part.name for part in found]


def test_what_passed_is_not_opened_again(lake):
    assert checked(lake) == (["one", "two"], [])
    assert checked(lake) == ([], [])


def test_what_failed_is_checked_again(lake):
    assert checked(lake, failing="two") == (["one", "two"], ["two"])
    assert checked(lake, failing="two") == (["two"], ["two"])
    assert checked(lake) == (["two"], [])


def test_a_part_that_was_written_deleted_or_cut_is_checked_again(lake):
    checked(lake)
    lake.write(CALLS, PARTS[0], CALLS.from_rows([call("one")]))  # the same bytes
    assert checked(lake) == (["one"], [])
    lake.remove(CALLS, PARTS[0])
    assert checked(lake) == (["one"], [])
    path = lake.path(CALLS, PARTS[1])
    path.write_bytes(path.read_bytes()[:-1])
    assert checked(lake) == (["two"], [])


def test_other_settings_check_everything(lake):
    checked(lake)
    assert checked(lake, wanted="others") == (["one", "two"], [])


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff", b"0\n{}\n"])
def test_a_damaged_file_of_states_checks_everything(lake, damage):
    checked(lake)
    [file] = (lake.folder / FOLDER).iterdir()
    file.write_bytes(damage)
    assert checked(lake) == (["one", "two"], [])
    assert checked(lake) == ([], [])


def test_a_settled_day_is_looked_through_when_its_folder_changed_or_its_turn_comes(lake):
    turns = (PARTS[0].date + dt.timedelta(days) for days in range(TURNS))
    date = next(day for day in turns if not is_turn(day.toordinal(), time.time()))
    parts = [Part(date, name) for name in ("one", "two")]

    settled_s = time.time() - SETTLED_S - 60

    def opened() -> list[str]:
        names: list[str] = []

        def is_behind(part: Part) -> bool:
            names.append(part.name)
            return False

        os.utime(lake.path(CALLS, parts[0]).parent, (settled_s, settled_s))
        unlike_before_by_day(Lake(lake.folder), "days", "", [CALLS], is_behind)
        return names

    for part in parts:
        lake.write(CALLS, part, CALLS.from_rows([call(part.name)]))
    assert (opened(), opened()) == (["one", "two"], [])
    lake.path(CALLS, parts[0]).write_bytes(b"changed in place")
    assert opened() == []
    lake.write(CALLS, parts[1], CALLS.from_rows([call("two")]))
    changed_ns = lake.path(CALLS, parts[1]).parent.stat().st_mtime_ns
    assert str(changed_ns) not in str(settled_days(lake, [CALLS])), "it may change again"
    assert sum(is_turn(date.toordinal(), night * 86_400.0) for night in range(TURNS)) == 1


def test_a_day_that_failed_is_checked_again_though_its_folder_did_not_change(lake):
    settled_s = time.time() - SETTLED_S - 60
    os.utime(lake.path(CALLS, PARTS[0]).parent, (settled_s, settled_s))

    def failed(*names: str) -> list[str]:
        found = unlike_before_by_day(lake, "days", "", [CALLS], lambda part: part.name in names)
        return [part.name for part in found]

    assert failed("two") == ["two"]
    assert failed("two") == ["two"]
    assert failed() == []
    assert failed("one", "two") == []
