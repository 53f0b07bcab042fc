from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ser_batch.errors import ClockError, StateFileError
from ser_batch.store.lake import Lake
from ser_batch.store.last_night import begin_night

LAST = dt.datetime(2026, 11, 3, 2)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    assert begin_night(lake, LAST) == LAST
    return lake


@pytest.mark.parametrize("jump", [dt.timedelta(days=-365), dt.timedelta(days=73 * 365)])
def test_a_clock_that_jumps_stops_the_night_and_the_next_one_goes_on(
    lake: Lake, jump: dt.timedelta
) -> None:
    with pytest.raises(ClockError, match=r"began 2026-11-03 02:00 by .*last_night\.json"):
        begin_night(lake, LAST + jump)
    tomorrow = LAST + dt.timedelta(days=1)
    assert begin_night(lake, tomorrow) == tomorrow


def test_a_night_of_a_clock_that_went_back_a_little_is_later_than_the_last(lake: Lake) -> None:
    assert begin_night(lake, LAST - dt.timedelta(hours=3)) > LAST


def test_a_clock_that_is_right_at_last_goes_on_once_the_file_is_deleted(lake: Lake) -> None:
    (lake.folder / "last_night.json").unlink()
    assert begin_night(lake, dt.datetime(2025, 1, 1)) == dt.datetime(2025, 1, 1)


def test_a_damaged_file_is_named(lake: Lake) -> None:
    (lake.folder / "last_night.json").write_text("[]")
    with pytest.raises(StateFileError, match=r"last_night\.json"):
        begin_night(lake, LAST)
