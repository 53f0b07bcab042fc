"""Building beside, testing, swapping; and what a reader of the published file may do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from ser_batch.config import Settings
from ser_batch.errors import (
    ContractError,
    DamagedPartError,
    LakeError,
    QueryError,
    WarehouseError,
    WarehouseTestError,
)
from ser_batch.store.lake import Lake
from ser_batch.tables import CALLS, RUNS, SEGMENTS, predictions_contract
from ser_batch.testing.lakes import MODEL_ID, put, put_call
from ser_batch.testing.rows import prediction, run
from ser_batch.warehouse import build, connect, describe, query


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake [of 2026]")  # brackets are a pattern to many tools
    put_call(lake, prediction(), prediction(segment_no=1, anger=1.0))
    return lake


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "warehouse" / "calls.duckdb"


def make(lake: Lake, target: Path, **settings):
    return build(lake, target, model_id=MODEL_ID, settings=Settings(**settings))


def select(target: Path, sql: str) -> list[tuple]:
    with connect(target) as con:
        return con.sql(sql).fetchall()


def test_an_empty_lake_gives_every_table_without_rows(tmp_path, target):
    result = make(Lake(tmp_path / "empty"), target)
    assert result.built
    assert result.rows["call_summary"] == result.rows["segment_emotion"] == 0
    assert select(target, "select count(*) from daily_dissatisfaction") == [(0,)]


def test_nothing_is_built_where_nothing_changed(lake, target):
    assert make(lake, target).built
    before = target.stat().st_mtime_ns
    again = make(lake, target)
    assert not again.built
    assert again.rows["segment_emotion"] == 2
    assert target.stat().st_mtime_ns == before


def test_a_run_record_alone_builds_nothing(lake, target):
    make(lake, target)
    put(lake, RUNS, run())
    assert not make(lake, target).built


@pytest.mark.parametrize(
    "change",
    [
        {"dissatisfaction": {"threshold": 0.7}},
        {"policy": {"notice_required": True}},
        {"report": {"min_calls": 9}},
    ],
)
def test_a_setting_that_the_figures_depend_on_builds_again(lake, target, change):
    make(lake, target)
    assert make(lake, target, **change).built


def test_new_rows_and_another_model_build_again(lake, target):
    make(lake, target)
    put_call(lake, prediction(), recording_id="r2")
    assert make(lake, target).built
    other = build(lake, target, model_id="other", settings=Settings())
    assert other.built
    assert other.rows["segment_emotion"] == 0


def test_the_same_lake_gives_the_same_rows_in_the_same_order(lake, target, tmp_path):
    make(lake, target)
    make(lake, tmp_path / "second.duckdb")
    for table in describe(target, staging=True):
        sql = f"from {table.name}"
        assert select(target, sql) == select(tmp_path / "second.duckdb", sql)


def test_a_broken_rule_leaves_the_published_file_and_nothing_beside_it(lake, target):
    make(lake, target)
    before, beside = target.read_bytes(), sorted(target.parent.iterdir())
    put_call(lake, prediction(anger=0.9, neutral=0.9), recording_id="r2")
    with pytest.raises(WarehouseTestError, match=r"sql/tests/probabilities_sum_to_one\.sql"):
        make(lake, target)
    assert target.read_bytes() == before
    assert sorted(target.parent.iterdir()) == beside


def test_what_a_killed_build_left_is_cleared_away(lake, target):
    target.parent.mkdir()
    left = target.with_name(f"{target.name}.building-1")
    left.write_text("half a file")
    make(lake, target)
    assert not left.exists()


def test_a_damaged_published_file_is_built_again(lake, target):
    make(lake, target)
    target.write_bytes(b"no database at all")
    assert make(lake, target).built
    assert select(target, "select count(*) from call_summary") == [(1,)]


def test_a_reader_keeps_its_file_while_a_new_one_is_published(lake, target):
    make(lake, target)
    with connect(target) as con:
        put_call(lake, prediction(), recording_id="r2")
        make(lake, target)
        assert con.sql("select count(*) from call_summary").fetchall() == [(1,)]
    assert select(target, "select count(*) from call_summary") == [(2,)]


def test_a_damaged_block_is_noticed_though_nothing_changed_in_the_lake(lake, target):
    make(lake, target)
    assert not make(lake, target).built
    content = target.read_bytes()
    damaged = bytearray(content)
    damaged[len(damaged) * 2 // 3] ^= 1
    target.write_bytes(damaged)
    again = make(lake, target)
    assert again.built
    assert again.was_damaged
    assert select(target, "select count(*) from call_summary") == [(1,)]
    assert not make(lake, target).was_damaged


def test_a_part_that_is_published_is_checked_byte_by_byte(lake, target):
    make(lake, target)
    put_call(lake, prediction(anger=0.9, neutral=0.1), recording_id="r2")
    part = lake.path(SEGMENTS, lake.parts(SEGMENTS)[0])
    data = bytearray(part.read_bytes())
    data[len(data) // 4] ^= 1
    part.write_bytes(data)
    with pytest.raises(DamagedPartError, match=part.name):
        build(lake, target, model_id=MODEL_ID, settings=Settings(), full=True)


def test_the_file_stands_alone(lake, target, tmp_path):
    make(lake, target)
    moved = tmp_path / "copy.duckdb"
    target.rename(moved)
    (tmp_path / "lake [of 2026]").rename(tmp_path / "elsewhere")
    for table in describe(moved, staging=True):
        select(moved, f"from {table.name}")


def test_a_damaged_part_is_named(lake, target):
    part = lake.path(CALLS, lake.parts(CALLS)[0])
    part.write_bytes(b"not parquet, though long enough to hold a footer")
    with pytest.raises(LakeError, match=part.name):
        make(lake, target)


def test_a_part_of_a_newer_program_is_refused(lake, target, monkeypatch):
    scores = predictions_contract(MODEL_ID)
    newer = replace(scores, version=scores.version + 1)
    put(lake, newer, prediction(segment_no=5), name="shard-r1")
    with pytest.raises(ContractError, match="newer ser-batch"):
        make(lake, target)


def test_a_missing_warehouse_says_what_makes_it(target):
    with pytest.raises(WarehouseError, match="ser-batch nightly"):
        connect(target)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('{secret}')",
        "select * from read_text('{secret}')",
        "select * from glob('/*')",
        "copy call_summary to '{secret}'",
        "attach '{secret}' as other",
        "export database '{secret}'",
        "set enable_external_access = true",
        "install httpfs",
        "delete from call_summary",
        "create table mine as select 1",
        "drop table call_summary",
    ],
)
def test_a_readers_sql_reaches_nothing_but_the_tables(lake, target, tmp_path, sql):
    secret = tmp_path / "secret.txt"
    secret.write_text("not for you")
    make(lake, target)
    with connect(target) as con, pytest.raises(QueryError):
        query(con, sql.format(secret=secret))
    assert secret.read_text() == "not for you"
    assert select(target, "select count(*) from call_summary") == [(1,)]


def test_python_variables_are_no_tables(lake, target):
    make(lake, target)
    mine = CALLS.empty()
    with connect(target) as con, pytest.raises(QueryError, match="mine does not exist"):
        query(con, "select * from mine")
    assert mine.num_rows == 0


def test_an_error_in_sql_is_one_line(lake, target):
    make(lake, target)
    with connect(target) as con, pytest.raises(QueryError) as caught:
        query(con, "select quueue\nfrom call_summary")
    assert "quueue" in caught.value.one_line()
    assert "\n" not in caught.value.one_line()


def test_every_table_and_column_of_the_file_is_documented(lake, target):
    make(lake, target)
    tables = describe(target, staging=True)
    assert {"segment_emotion", "call_summary", "daily_dissatisfaction"} <= {t.name for t in tables}
    for table in tables:
        assert table.grain.startswith("one row"), table.name
        for column in table.columns:
            assert column.meaning, f"{table.name}.{column.name}"


def test_a_column_keeps_the_meaning_of_the_table_it_comes_from(lake, target):
    make(lake, target)
    meaning = {
        (table.name, column.name): column.meaning
        for table in describe(target)
        for column in table.columns
    }
    assert meaning["runs", "started_at"] == "UTC"
    assert meaning["call_summary", "started_at"].startswith("start of the call, local time")


def test_only_marts_are_listed(lake, target):
    make(lake, target)
    assert not [table.name for table in describe(target) if table.name.startswith("stg_")]


def test_duckdb_itself_may_open_the_file(lake, target):
    make(lake, target)
    with duckdb.connect(target, read_only=True) as con:
        assert con.sql("select wilson_low(1, 2) < 0.5").fetchall() == [(True,)]
