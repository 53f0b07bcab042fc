"""Files for other programs: the rows that were asked for, and text that stays text."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import zipfile
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pyarrow.parquet as pq
import pytest

from ser_batch.config import Settings
from ser_batch.errors import QueryError
from ser_batch.report.content import Choice
from ser_batch.report.export import export_mart, export_week
from ser_batch.report.selection import check_choice
from ser_batch.stages.publish import publish
from ser_batch.stages.report import write_report
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


def export(
    warehouse: Path,
    target: Path,
    mart: str | None = "call_summary",
    *,
    settings: Settings | None = None,
    reports: Path | None = None,
    all_columns: bool = False,
    **choice,
) -> int:
    marts = describe(warehouse)
    with connect(warehouse) as con:
        if mart is None:
            return export_week(
                con,
                marts,
                target,
                Choice(**choice),
                settings or Settings(),
                reports=reports or target.parent / "none",
                all_columns=all_columns,
            )
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


def sheets_of(target: Path) -> dict[str, str]:
    """The XML of each sheet by its name, in order."""
    with zipfile.ZipFile(target) as book:
        names = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
        return {
            name: book.read(f"xl/worksheets/sheet{number}.xml").decode()
            for number, name in enumerate(names, start=1)
        }


def texts_of(target: Path) -> list[str]:
    with zipfile.ZipFile(target) as book:
        shared = book.read("xl/sharedStrings.xml").decode()
    return [unescape(text) for text in re.findall(r"<t[^>]*>(.*?)</t>", shared, re.DOTALL)]


def row_of(sheet: str, number: int) -> dict[str, tuple[str, str]]:
    """Style and value of the cells of a row by column; a text's value is its number."""
    [row] = re.findall(rf'<row r="{number}".*?</row>', sheet, re.DOTALL)
    cells = re.findall(r'<c r="([A-Z]+)\d+"(?: s="(\d+)")?[^>]*><v>(.*?)</v>', row)
    return {column: (style, value) for column, style, value in cells}


def test_the_workbook_of_the_last_week_says_its_figures_and_holds_no_formula(warehouse, tmp_path):
    target = tmp_path / "week.xlsx"
    export(warehouse, target, None)
    sheets, texts = sheets_of(target), texts_of(target)
    assert list(sheets) == [
        "Summary",
        "By day",
        "By queue and day",
        "This week, week before",
        "Calls",
        "Not scored",
        "Notes",
    ]
    assert not any("<f>" in sheet for sheet in sheets.values())
    assert FORMULA in texts
    assert "call-r3" not in texts  # nine days ago
    assert "2 of 2 calls could be scored: too few for a share." in " ".join(texts).replace(
        "\xa0", " "
    )
    assert any("Article 5(1)(f)" in text for text in texts)
    assert "None of these calls is marked as synthetic." in texts


def test_the_workbook_has_formats_a_chart_and_few_named_columns(warehouse, tmp_path):
    target = tmp_path / "week.xlsx"
    export(warehouse, target, None, settings=Settings(report={"min_calls": 1}))
    with zipfile.ZipFile(target) as book:
        chart = book.read("xl/charts/chart1.xml").decode()
        styles = book.read("xl/styles.xml").decode()
    sheets, texts = sheets_of(target), texts_of(target)
    assert "'By day'!$F$2:$F$3" in chart
    codes = dict(re.findall(r'numFmtId="(\d+)" formatCode="([^"]+)"', styles))
    used = [codes.get(number, number) for number in _formats(styles)]
    calls = sheets["Calls"]
    headings = {column: texts[int(value)] for column, (_, value) in row_of(calls, 1).items()}
    assert len(headings) == 15
    # the flagged call
    first = {headings[column]: cell for column, cell in row_of(calls, 2).items()}
    assert texts[int(first["Call"][1])] == FORMULA
    assert used[int(first["Started"][0])] == "yyyy-mm-dd hh:mm"
    assert used[int(first["Length, min:s"][0])] == "[m]:ss"
    assert (float(first["Dissatisfaction"][1]), used[int(first["Coverage"][0])]) == (1.0, "0%")
    for part in ("<pane ", "<autoFilter ", "<cols>", "<colorScale>"):
        assert part in calls
    export(warehouse, target, None, all_columns=True)
    n_columns = len(row_of(sheets_of(target)["Calls"], 1))
    assert n_columns == pq.read_table(_mart(warehouse, tmp_path)).num_columns


def _formats(styles: str) -> list[str]:
    """The number of the number format of each cell style."""
    [cell_styles] = re.findall(r"<cellXfs.*?</cellXfs>", styles, re.DOTALL)
    return re.findall(r'<xf numFmtId="(\d+)"', cell_styles)


def _mart(warehouse: Path, folder: Path) -> Path:
    export(warehouse, folder / "calls.parquet")
    return folder / "calls.parquet"


def test_calls_of_the_workbook_lead_to_their_pages_in_the_report(root, tmp_path):
    put_call(Lake(root.lake), prediction(anger=1.0), audio_root="/gone")
    publish(root, Settings(), MODEL_ID)
    write_report(root, Settings(), "run 1")
    target = tmp_path / "sent" / "week.xlsx"
    target.parent.mkdir()
    export(root.warehouse, target, None, reports=root.reports)
    with zipfile.ZipFile(target) as book:
        links = book.read("xl/worksheets/_rels/sheet5.xml.rels").decode()
    [address] = re.findall(r'Target="([^"]+\.html)"', links)
    page = target.parent / unquote(address).replace("\\", "/")  # as Excel writes paths
    assert page.resolve() == root.reports / "run 1-calls" / "r1.html"
    assert page.exists()


def test_an_empty_warehouse_has_an_empty_week(tmp_path):
    build(Lake(tmp_path / "no"), tmp_path / "w.duckdb", model_id=MODEL_ID, settings=Settings())
    assert export(tmp_path / "w.duckdb", tmp_path / "week.xlsx", None) == 0
    assert "No calls have been ingested yet." in texts_of(tmp_path / "week.xlsx")
