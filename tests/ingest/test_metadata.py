from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ser_batch.errors import MetadataError
from ser_batch.ingest.metadata import read_lines

ROWS = [
    {"file": "a.wav", "queue": 'billing, "VIP"', "wait_s": "12"},
    {"file": "ü.wav", "wait_s": "7.5"},
]


def test_the_same_rows_come_from_csv_json_lines_and_parquet(tmp_path: Path) -> None:
    csv, jsonl, parquet = (tmp_path / f"m.{ending}" for ending in ("csv", "jsonl", "parquet"))
    csv.write_text('file,queue,wait_s\na.wav,"billing, ""VIP""",12\nü.wav,,7.5\n', "utf-8")
    jsonl.write_text(
        '{"file": "a.wav", "queue": "billing, \\"VIP\\"", "wait_s": 12}\n\n'
        '{"file": "ü.wav", "queue": null, "wait_s": 7.5}\n',
        "utf-8",
    )
    columns = {
        "file": ["a.wav", "ü.wav"],
        "queue": ['billing, "VIP"', None],
        "wait_s": ["12", "7.5"],
    }
    pq.write_table(pa.table(columns), parquet)

    for path in (csv, jsonl, parquet):
        read = read_lines(path)
        assert [line.fields for line in read.lines] == ROWS
        assert read.bad == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_csv_is_read_as_spreadsheets_write_it(
    tmp_path: Path, delimiter: str, encoding: str
) -> None:
    path = tmp_path / "m.csv"
    text = (
        delimiter.join(["file", "queue"]) + "\r\n" + delimiter.join(["a.wav", "Störung"]) + "\r\n"
    )
    path.write_bytes(text.encode(encoding))

    (line,) = read_lines(path).lines

    assert line.fields == {"file": "a.wav", "queue": "Störung"}


def test_a_line_that_makes_no_sense_is_named_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"file": "a.wav"}\n{"file": \n[1]\n{"file": "b.wav"}\n')

    read = read_lines(path)

    assert [line.fields["file"] for line in read.lines] == ["a.wav", "b.wav"]
    assert [(bad.code, bad.place) for bad in read.bad] == [
        ("bad_line", "m.jsonl, row 2"),
        ("bad_line", "m.jsonl, row 3"),
    ]


def test_one_array_of_objects_is_read_up_to_its_damage(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text('[\n {"file": "a.wav"},\n {"file": "b.wav"},\n {"file": \n]')

    read = read_lines(path)

    assert [line.fields["file"] for line in read.lines] == ["a.wav", "b.wav"]
    assert [bad.place for bad in read.bad] == ["m.json, row 3"]


@pytest.mark.parametrize(
    ("name", "content"), [("m.csv", b"\n"), ("m.parquet", b"PAR?"), ("m.xlsx", b"PK")]
)
def test_a_file_that_is_no_metadata_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(MetadataError, match=name.replace(".", r"\.")):
        read_lines(tmp_path / name)


def test_an_unclosed_quotation_mark_costs_its_own_line_only(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text('file,queue\na.wav,q\nb.wav,"open\nc.wav,"two\nlines, quoted"\nd.wav,q\n')

    read = read_lines(path)

    assert {line.fields["file"]: line.fields["queue"] for line in read.lines} == {
        "a.wav": "q",
        "c.wav": "two\nlines, quoted",
        "d.wav": "q",
    }
    assert [bad.place for bad in read.bad] == ["m.csv, row 2"]


def test_one_byte_that_is_not_utf_8_changes_no_other_line(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes("file,queue\na.wav,Störung\n".encode() + b"b.wav,St\xf6rung\n")

    read = read_lines(path)

    assert [line.fields["queue"] for line in read.lines] == ["Störung", "Störung"]


def test_a_cell_that_no_table_can_hold_is_left_out_and_the_line_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    rows = ['"note": "\\ud800"', f'"note": "{"x" * 200_000}"', f'"note": {"[" * 300}{"]" * 300}']
    path.write_text("\n".join(f'{{"file": "{n}.wav", {row}}}' for n, row in enumerate(rows)))

    read = read_lines(path)

    assert [line.fields["file"] for line in read.lines] == ["0.wav", "1.wav", "2.wav"]
    assert [(bad.code, bad.place) for bad in read.bad] == [
        ("bad_cell", "m.jsonl, row 1"),
        ("bad_cell", "m.jsonl, row 2"),
    ]


def test_a_line_separator_inside_a_json_text_ends_no_line(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"file": "a.wav", "note": "one\u2028two\u0085three"}\n', "utf-8")

    (line,) = read_lines(path).lines

    assert line.fields["note"] == "one\u2028two\u0085three"


def test_columns_of_one_name_are_named_and_neither_is_read(tmp_path: Path) -> None:
    csv, parquet = tmp_path / "m.csv", tmp_path / "m.parquet"
    csv.write_text("file,queue,queue\na.wav,x,y\n")
    table = pa.table([["a.wav"], ["x"], ["y"]], names=["file", "queue", "queue"])
    pq.write_table(table, parquet)

    for path in (csv, parquet):
        read = read_lines(path)
        assert [line.fields for line in read.lines] == [{"file": "a.wav"}]
        assert [(bad.code, bad.place) for bad in read.bad] == [("bad_metadata", path.name)]


def test_columns_without_a_name_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    pq.write_table(pa.table([["a.wav"], ["x"], ["y"]], names=["file", "", ""]), path)

    read = read_lines(path)

    assert ([line.fields for line in read.lines], read.bad) == ([{"file": "a.wav"}], [])


def test_a_damaged_column_of_parquet_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    files = [f"call-{number:04}.wav" for number in range(400)]
    table = pa.table({"file": files, "queue": [f"queue {number}" for number in range(400)]})
    options = {"use_dictionary": False, "compression": "none", "write_page_checksum": True}
    pq.write_table(table, path, row_group_size=200, **options)
    data = bytearray(path.read_bytes())
    data[data.index(b"queue 250")] ^= 0xFF
    path.write_bytes(data)

    read = read_lines(path)

    assert [line.fields["file"] for line in read.lines] == files
    assert [line.fields.get("queue") for line in read.lines[:200]] == table["queue"].to_pylist()[
        :200
    ]
    assert all("queue" not in line.fields for line in read.lines[200:])
    (bad,) = read.bad
    assert "'queue' cannot be read in rows 201 to 400" in bad.message


def test_values_that_parquet_can_hold_and_python_cannot_are_named(tmp_path: Path) -> None:
    path = tmp_path / "m.parquet"
    moment = dt.datetime(2026, 3, 2, 9, 30)
    columns = {
        "file": ["a.wav"],
        "started_at": pa.array([2**62], pa.timestamp("us")),
        "nested": pa.array([{"at": [moment], "raw": b"\xff"}]),
        "raw": pa.array([b"text"]),
        "ns": pa.array([1_772_443_800_000_000_001], pa.timestamp("ns")),
    }
    pq.write_table(pa.table(columns), path)

    (line,) = (read := read_lines(path)).lines

    assert line.fields == {
        "file": "a.wav",
        "nested": '{"at": ["2026-03-02T09:30:00"], "raw": "ff"}',
        "raw": "text",
        "ns": "2026-03-02T09:30:00",
    }
    assert [bad.code for bad in read.bad] == ["bad_cell"]
