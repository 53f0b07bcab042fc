"""Files for other programs: the rows that were asked for, and text that stays text."""

from __future__ import annotations

import csv
import datetime as dt
import json
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ser_batch.config import Settings
from ser_batch.errors import QueryError
from ser_batch.report.content import Choice
from ser_batch.report.export import export_mart, export_week
from ser_batch.report.selection import check_choice
from ser_batch.store.lake import Lake
from ser_batch.testing.lakes import MODEL_ID, put_call
from ser_batch.testing.rows import MIDDAY, prediction
from ser_batch.warehouse import build, connect, describe

FORMULA = '=HYPERLINK("http://example.org";"click")'
YESTERDAY = MIDDAY - dt.timedelta(days=1)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    lake = Lake(folder / "lake")
    put_call(lake, prediction(anger=1.0), call_id=FORMULA, queue=FORMULA)
    put_call(lake, prediction(), recording_id="r2", call_id="-1", started_at=YESTERDAY)
    put_call(lake, prediction(), recording_id="r3", started_at=MIDDAY - dt.timedelta(days=9))
    build(lake, folder / "calls.duckdb", model_id=MODEL_ID, settings=Settings())
    return folder / "calls.duckdb"


def export(warehouse: Path, target: Path, mart: str | None = "call_summary", **choice) -> int:
    marts = describe(warehouse)
    with connect(warehouse) as con:
        if mart is None:
            return export_week(con, marts, target, Choice(**choice), Settings())
        return export_mart(con, marts, mart, target, Choice(**choice))


def test_what_was_chosen_is_checked_on_the_connection_that_exports(warehouse, tmp_path):
    with connect(warehouse) as con:
        check_choice(con, Choice())
        assert (
            export_mart(con, describe(warehouse), "call_summary", tmp_path / "c.csv", Choice()) == 3
        )


def test_csv_neutralises_what_a_spreadsheet_takes_for_a_formula(warehouse, tmp_path):
    target = tmp_path / "calls.csv"
    assert export(warehouse, target) == 3
    with target.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["call_id"] for row in rows] == ["call-r3", "'-1", f"'{FORMULA}"]
    assert rows[2]["dissatisfaction"] == "1.0"
    assert json.loads(rows[2]["emotions"]) == {"anger": 1.0}


def test_parquet_keeps_values_as_they_are(warehouse, tmp_path):
    target = tmp_path / "calls.parquet"
    export(warehouse, target)
    assert FORMULA in pq.read_table(target)["call_id"].to_pylist()


@pytest.mark.parametrize(
    ("choice", "n_rows"),
    [
        ({"first": YESTERDAY.date()}, 2),
        ({"last": YESTERDAY.date()}, 2),
        ({"first": YESTERDAY.date(), "last": YESTERDAY.date()}, 1),
        ({"queue": FORMULA}, 1),
        ({"queue": "x' or true --"}, 0),
    ],
)
def test_days_and_queue_choose_the_rows(warehouse, tmp_path, choice, n_rows):
    assert export(warehouse, tmp_path / "calls.parquet", **choice) == n_rows


def test_marts_without_days_or_queues_are_written_whole(warehouse, tmp_path):
    assert export(warehouse, tmp_path / "runs.csv", "runs", queue="billing") == 0


def test_an_unknown_mart_or_format_is_refused_and_nothing_is_written(warehouse, tmp_path):
    with pytest.raises(QueryError, match="did you mean 'call_summary'"):
        export(warehouse, tmp_path / "calls.csv", "call_sumary")
    with pytest.raises(QueryError, match=r"known are \.csv, \.parquet, \.xlsx"):
        export(warehouse, tmp_path / "calls.html")
    with pytest.raises(QueryError, match="cannot write"):
        export(warehouse, tmp_path / "missing" / "calls.csv")
    assert list(tmp_path.iterdir()) == []


def test_the_workbook_holds_the_last_week_and_no_formula(warehouse, tmp_path):
    pytest.importorskip("xlsxwriter", reason="XlsxWriter is not installed")
    target = tmp_path / "week.xlsx"
    export(warehouse, target, None)
    with zipfile.ZipFile(target) as book:
        names = book.namelist()
        sheets = {name: book.read(name).decode() for name in names if "worksheets/sheet" in name}
        strings = book.read("xl/sharedStrings.xml").decode()
        workbook = book.read("xl/workbook.xml").decode()
    for sheet in ("about", "call_summary", "daily_dissatisfaction", "trend", "not_scored"):
        assert f'name="{sheet}"' in workbook
    assert not any("<f>" in sheet for sheet in sheets.values())
    assert "=HYPERLINK" in strings
    assert "call-r3" not in strings  # nine days ago
    assert not any("hyperlink" in sheet for sheet in sheets.values())


def test_an_empty_warehouse_has_an_empty_week(tmp_path):
    pytest.importorskip("xlsxwriter", reason="XlsxWriter is not installed")
    build(Lake(tmp_path / "no"), tmp_path / "w.duckdb", model_id=MODEL_ID, settings=Settings())
    assert export(tmp_path / "w.duckdb", tmp_path / "week.xlsx", None) == 0
