from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ser_batch.config import Settings
from ser_batch.errors import ChoiceError
from ser_batch.report.content import Choice
from ser_batch.report.selection import check_choice
from ser_batch.store.lake import Lake
from ser_batch.testing.lakes import MODEL_ID, TODAY, call_rows, put_rows
from ser_batch.testing.rows import MIDDAY, prediction
from ser_batch.warehouse import build, connect

DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Calls of two queues on the last ten days."""
    folder = tmp_path_factory.mktemp("chosen")
    lake = Lake(folder / "lake")
    calls = (
        call_rows(
            prediction(),
            recording_id=f"r{number}",
            queue=("billing", "technical")[number % 2],
            started_at=MIDDAY - number * DAY,
        )
        for number in range(10)
    )
    put_rows(lake, *calls)
    build(lake, folder / "calls.duckdb", model_id=MODEL_ID, settings=Settings())
    with connect(folder / "calls.duckdb") as con:
        yield con


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (Choice(TODAY, TODAY - DAY), "lies after the last"),
        (Choice(last=dt.date(2099, 1, 1)), f"to {TODAY}"),
        (Choice(dt.date(2099, 1, 1)), f"to {TODAY}"),
        (Choice(last=dt.date(1999, 1, 1)), f"from {TODAY - 9 * DAY}"),
        (Choice(queue="biling"), "did you mean 'billing'.*billing, technical"),
        (Choice(TODAY, TODAY, "technical"), f"queue 'technical'.*to {TODAY - DAY}"),
    ],
)
def test_what_has_no_call_is_refused_with_what_there_is(
    con: duckdb.DuckDBPyConnection, choice: Choice, said: str
) -> None:
    with pytest.raises(ChoiceError, match=said):
        check_choice(con, choice)


@pytest.mark.parametrize(
    "choice",
    [
        Choice(),
        Choice(queue="billing"),
        Choice(TODAY - 3 * DAY, TODAY + 3 * DAY),
        Choice(last=TODAY + 3 * DAY),
    ],
)
def test_a_week_that_is_not_over_may_be_asked_for(
    con: duckdb.DuckDBPyConnection, choice: Choice
) -> None:
    check_choice(con, choice)


def test_nothing_is_refused_before_there_are_calls(tmp_path: Path) -> None:
    build(Lake(tmp_path), tmp_path / "empty.duckdb", model_id=MODEL_ID, settings=Settings())
    with connect(tmp_path / "empty.duckdb") as con:
        check_choice(con, Choice(first=TODAY))
