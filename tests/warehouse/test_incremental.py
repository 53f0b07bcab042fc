"""A night touches only its dates, and the file is as if all had been built."""

from __future__ import annotations

import datetime as dt
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from ser_batch.config import Settings
from ser_batch.resources import sql_folder
from ser_batch.store.lake import Lake, Part
from ser_batch.store.settled import SETTLED_S
from ser_batch.tables import CALLS, RUNS, SEGMENTS, predictions_contract
from ser_batch.testing.lakes import (
    MODEL_ID,
    TODAY,
    call_rows,
    put,
    put_call,
    put_rows,
    put_weeks,
)
from ser_batch.testing.rows import MIDDAY, prediction, run
from ser_batch.warehouse import BuildResult, build, connect, describe
from ser_batch.warehouse.models import read_blueprint
from ser_batch.warehouse.windows import read_by_windows

YESTERDAY = MIDDAY - dt.timedelta(days=1)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "calls.duckdb"


def make(lake: Lake, target: Path, *, full: bool = False) -> BuildResult:
    return build(lake, target, model_id=MODEL_ID, settings=Settings(), full=full)


def everything(target: Path) -> dict[str, list[str]]:
    """Every row of every table, in an order of its own; sums depend on the order of their terms."""
    names = [table.name for table in describe(target, staging=True)]
    with connect(target) as con:
        return {name: sorted(map(written, con.sql(f"from {name}").fetchall())) for name in names}


def written(row: tuple[object, ...]) -> str:
    return str([f"{value:.9g}" if isinstance(value, float) else value for value in row])


def test_only_the_dates_that_changed_are_built(lake, target):
    put_call(lake, prediction(), recording_id="old", started_at=YESTERDAY)
    put_call(lake, prediction(), recording_id="new")
    assert make(lake, target).dates == (YESTERDAY.date(), TODAY)
    put_call(lake, prediction(), recording_id="newer")
    assert make(lake, target).dates == (TODAY,)
    put_call(lake, prediction(), recording_id="old", queue="other", started_at=YESTERDAY)
    assert make(lake, target).dates == (YESTERDAY.date(),)


def test_shards_that_did_not_change_are_not_read_and_the_date_counts_their_calls(lake, target):
    for name in ("first", "second", "third"):
        put_call(lake, prediction(), recording_id=name)
    make(lake, target)
    unread = lake.path(SEGMENTS, Part(TODAY, "shard-second"))
    state = unread.stat()
    with unread.open("r+b") as file:  # whoever reads it finds it damaged
        file.write(b"damaged")
    os.utime(unread, ns=(state.st_atime_ns, state.st_mtime_ns))
    put_call(lake, prediction(), recording_id="first", queue="other")
    make(lake, target)
    with connect(target) as con:
        rows = con.sql("select queue, count_calls from queue_day order by all").fetchall()
        assert rows == [("billing", 2), ("other", 1)]
        assert con.sql("select count(*) from segment_emotion").fetchall() == [(3,)]


def test_a_call_whose_date_is_corrected_moves(lake, target):
    put_call(lake, prediction(), recording_id="stays")
    put_call(lake, prediction(), recording_id="moves")
    make(lake, target)
    put_call(lake, prediction(), recording_id="moves", started_at=YESTERDAY)
    assert make(lake, target).dates == (YESTERDAY.date(), TODAY)
    with connect(target) as con:
        rows = con.sql("select recording_id, call_date from call_summary order by all").fetchall()
        assert rows == [("moves", YESTERDAY.date()), ("stays", TODAY)]
        assert con.sql("select count(*) from segment_emotion").fetchall() == [(2,)]


def test_a_part_that_is_gone_takes_its_rows_along(lake, target):
    put_call(lake, prediction(), recording_id="stays")
    put_call(lake, prediction(), recording_id="erased")
    make(lake, target)
    for contract in (CALLS, predictions_contract(MODEL_ID)):
        lake.remove(contract, Part(TODAY, "shard-erased"))
    make(lake, target)
    assert "erased" not in str(everything(target))


def put_settled(lake: Lake, queue: str) -> list[Path]:
    """A call of yesterday, in folders that look as if nothing had changed in them for long."""
    rows = call_rows(prediction(), recording_id="old", queue=queue, started_at=YESTERDAY)
    put_rows(lake, rows, date=YESTERDAY.date())
    settled_s = time.time() - SETTLED_S - ord(queue[0])
    folders = [*lake.folder.rglob(f"date={YESTERDAY.date()}")]
    for folder in folders:
        os.utime(folder, (settled_s, settled_s))
    return folders


def test_a_settled_date_is_built_again_when_its_folders_changed_or_are_gone(lake, target):
    folders = put_settled(lake, "billing")
    put_call(lake, prediction())
    make(lake, target)
    put_call(lake, prediction(), recording_id="new")
    assert make(lake, target).dates == (TODAY,)
    assert not make(lake, target).built
    put_settled(lake, "other")
    assert make(lake, target).dates == (YESTERDAY.date(),)
    for folder in folders:
        shutil.rmtree(folder)
    assert make(lake, target).dates == (YESTERDAY.date(),)
    with connect(target) as con:
        assert con.sql("select distinct call_date from stg_calls").fetchall() == [(TODAY,)]


def test_windows_read_something_else_only_if_a_column_of_theirs_changed(lake, target):
    last = read_blueprint(sql_folder()).last

    def read(**given: str) -> dict[dt.date, int]:
        put_call(lake, prediction(), **given)
        make(lake, target)
        with duckdb.connect() as con:
            con.execute(f"attach '{target}' as published (read_only)")
            return read_by_windows(con, last, [TODAY])

    before = read(language="en", team="north")
    assert before.keys() == {TODAY}
    assert read(language="de", team="south") == before
    assert read(language="de", customer="somebody") != before
    with connect(target) as con:
        queues = "select distinct queue from trend where scope = 'queue'"
        assert con.sql(queues).fetchall() == [("billing",)]
    read(queue="other")
    with connect(target) as con:
        assert con.sql(queues).fetchall() == [("other",)]


def test_runs_are_brought_up_to_date_with_the_calls(lake, target):
    put_call(lake, prediction())
    make(lake, target)
    put(lake, RUNS, run(), name="run-1")
    put_call(lake, prediction(), recording_id="r2")
    assert make(lake, target).rows["runs"] == 1


def test_a_full_build_builds_all_dates_though_nothing_changed(lake, target):
    put_call(lake, prediction(), started_at=YESTERDAY)
    put_call(lake, prediction(), recording_id="r2")
    make(lake, target)
    before = everything(target)
    assert make(lake, target, full=True).dates == (YESTERDAY.date(), TODAY)
    assert everything(target) == before


@pytest.mark.slow
def test_nights_of_changes_give_the_rows_of_a_full_build(lake, target, tmp_path):
    """New calls, corrected dates, objections, new scores and erased parts, night after night."""
    rng = random.Random(7)
    put_weeks(lake, n_days=40, n_calls=240)
    make(lake, target)
    for night in range(6):
        for number in rng.sample(range(12), 5):
            anger = rng.random()
            put_rows(
                lake,
                call_rows(
                    *(prediction(segment_no=n, anger=anger, neutral=1 - anger) for n in range(4)),
                    recording_id=f"extra-{number}",
                    queue=rng.choice(["billing", "technical", None]),
                    objected=rng.random() < 0.3,
                    started_at=MIDDAY - dt.timedelta(days=rng.randrange(45)),
                ),
            )
        if night % 2:
            gone = rng.choice([part for part in lake.parts(CALLS) if "extra" in part.name])
            lake.remove(CALLS, gone)
        assert make(lake, target).dates
    fresh = tmp_path / "fresh.duckdb"
    make(lake, fresh)
    assert everything(target) == everything(fresh)


def test_the_models_order_is_the_same_in_every_process() -> None:
    program = (
        "from ser_batch.resources import sql_folder\n"
        "from ser_batch.warehouse.models import read_blueprint\n"
        "print([model.name for model in read_blueprint(sql_folder()).models])"
    )
    orders = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3", "4")
    }
    assert len(orders) == 1, "else the whole warehouse is rebuilt by chance"
