"""`ser-batch query`: rows on the terminal and in files, marts named, errors in one line."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from pipelines.cli import main
from pipelines.rows import print_table
from ser_batch.config import Settings
from ser_batch.stages.publish import publish
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.testing.lakes import MODEL_ID, put_call
from ser_batch.testing.rows import prediction

NASTY = 'one, "two"\n=cmd()'


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    root = Root(tmp_path_factory.mktemp("queried"))
    put_call(
        Lake(root.lake), prediction(), queue=NASTY, attributes=[("product", "Ü-Tarif")], team=None
    )
    publish(root, Settings(), MODEL_ID)
    return root


class Said(NamedTuple):
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs `ser-batch query …` as its entry point does."""

    def ran(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["ser-batch", "query", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        return Said(caught.value.code, *capsys.readouterr())

    return ran


@pytest.fixture
def ask(root: Root, run):
    return lambda *arguments: run(*arguments, "--root", str(root.path))


SQL = (
    "select call_date, queue, team, dissatisfaction, 'nan'::float as x, attributes"
    " from call_summary"
)


def test_json_is_one_object_with_plain_values(ask):
    for option in (["--json"], ["--format", "json"]):
        result = ask(SQL, *option)
        assert result.exit_code == 0
        assert json.loads(result.stdout) == {
            "columns": ["call_date", "queue", "team", "dissatisfaction", "x", "attributes"],
            "rows": [
                [
                    "2026-11-03",
                    NASTY,
                    None,
                    0.0,
                    None,
                    {"product": "Ü-Tarif"},
                ]
            ],
        }


def test_csv_quotes_what_needs_it(ask):
    rows = list(csv.reader(io.StringIO(ask(SQL, "--format", "csv").stdout)))
    assert rows[0][:3] == ["call_date", "queue", "team"]
    assert rows[1][:3] == ["2026-11-03", NASTY, ""]


def test_csv_and_the_terminal_get_no_formula_and_no_escape_code(ask):
    sql = "select '=cmd()' as formula, chr(27) || '[2J' as code, -1 as number"
    assert ask(sql, "--format", "csv").stdout == "formula,code,number\n'=cmd(),␛[2J,-1\n"
    assert "\x1b[2J" not in ask(sql).stdout


def test_parquet_goes_to_a_file_with_its_types(ask, tmp_path):
    target = tmp_path / "calls.parquet"
    assert ask(SQL, "--format", "parquet", "--output", str(target)).exit_code == 0
    table = pq.read_table(target)
    assert table.schema.field("call_date").type == pa.date32()
    assert table["queue"].to_pylist() == [NASTY]


def test_marts_are_listed_with_grain_and_columns(ask):
    text = ask("--list").stdout
    assert "daily_dissatisfaction: one row a call date and queue" in text
    marts = json.loads(ask("--list", "--json").stdout)["marts"]
    summary = next(mart for mart in marts if mart["name"] == "call_summary")
    assert {"name", "type", "meaning"} == set(summary["columns"][0])


def test_a_question_of_the_cookbook_is_answered_by_name(ask):
    result = json.loads(ask("--cookbook", "worst_moments", "--json").stdout)
    assert result["columns"][:2] == ["call_id", "queue"]
    names = {found["name"] for found in json.loads(ask("--list", "--json").stdout)["cookbook"]}
    assert "worst_moments" in names
    missing = ask("--cookbook", "worst_moment")
    assert missing.exit_code == 1
    assert "did you mean 'worst_moments'" in missing.stderr
    assert "calls_that_went_wrong" in missing.stderr, "all are named"


@pytest.mark.parametrize("sql", ["selec 1", "select nothing from call_summary", "drop table runs"])
def test_bad_sql_is_one_line_and_a_failure(ask, sql):
    result = ask(sql)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1


def test_several_statements_are_refused_and_none_is_run(ask):
    result = ask("select 1; select 2")
    assert result.exit_code == 1
    assert "2 statements" in result.stderr


def test_a_question_of_the_cookbook_and_sql_together_are_refused(ask):
    result = ask("select 1", "--cookbook", "worst_moments")
    assert result.exit_code == 2
    assert "--cookbook" in result.stderr


def test_the_files_ending_says_the_format_unless_it_is_said(ask, tmp_path):
    for name, begins in (("a.csv", b"n\n1\n"), ("a.json", b'{"columns"'), ("a.parquet", b"PAR1")):
        assert ask("select 1 as n", "-o", str(tmp_path / name)).exit_code == 0
        assert (tmp_path / name).read_bytes().startswith(begins), name
    ask("select 1 as n", "-o", str(tmp_path / "b.parquet"), "--format", "csv")
    assert (tmp_path / "b.parquet").read_bytes() == b"n\n1\n"
    workbook = ask("select 1 as n", "-o", str(tmp_path / "a.xlsx"))
    assert workbook.exit_code == 2
    assert "ser-batch export" in workbook.stderr
    assert not (tmp_path / "a.xlsx").exists()


def test_floats_are_written_without_noise_and_nested_values_as_json(ask):
    sql = (
        "select 0.3::float as single, 0.1::double + 0.2::double as double,"
        " {'a': 0.3::float, 'b': [1, null]} as struct, map {'k': 0.3::float} as map"
    )
    (row,) = csv.DictReader(io.StringIO(ask(sql, "--format", "csv").stdout))
    assert (row["single"], row["double"]) == ("0.3", "0.3")
    assert json.loads(row["struct"]) == {"a": 0.3, "b": [1, None]}
    assert json.loads(row["map"]) == {"k": 0.3}


def test_no_warehouse_says_what_makes_one(run, tmp_path):
    result = run("select 1", "--root", str(tmp_path))
    assert result.exit_code == 1
    assert "ser-batch nightly" in result.stderr


def printed(rows: pa.Table, width: int) -> list[str]:
    file = io.StringIO()
    print_table(rows, Console(file=file, width=width))
    return file.getvalue().splitlines()


def test_a_table_fits_the_terminal_or_becomes_blocks():
    rows = pa.table({f"column_{number}": ["value [bold]"] for number in range(8)})
    wide, narrow = printed(rows, 200), printed(rows, 60)
    assert any(line.count("value [bold]") == 8 for line in wide)
    assert narrow[:2] == ["row 1", "  column_0  value [bold]"]
    assert max(len(line) for line in narrow) <= 60


def test_a_terminal_shows_how_many_rows_are_left_out():
    assert printed(pa.table({"n": list(range(250))}), 80)[-1].startswith("50 more rows")


def test_writing_to_a_path_that_is_a_folder_is_one_line(ask, tmp_path: Path):
    result = ask(SQL, "--format", "csv", "--output", str(tmp_path))
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1


def test_a_question_of_the_cookbook_without_its_option_names_it(ask):
    done = ask("queues_worse_this_week")
    assert done.exit_code == 1
    assert "--cookbook queues_worse_this_week" in done.stderr


def test_a_terminal_says_that_there_are_no_rows():
    assert printed(pa.table({"queue": pa.array([], pa.string())}), 80)[-1] == "no rows"
