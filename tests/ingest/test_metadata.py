from __future__ import annotations

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
        lines, bad = read_lines(path)
        assert [line.fields for line in lines] == ROWS
        assert bad == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_csv_is_read_as_spreadsheets_write_it(
    tmp_path: Path, delimiter: str, encoding: str
) -> None:
    path = tmp_path / "m.csv"
    text = (
        delimiter.join(["file", "queue"]) + "\r\n" + delimiter.join(["a.wav", "Störung"]) + "\r\n"
    )
    path.write_bytes(text.encode(encoding))

    (line,), _ = read_lines(path)

    assert line.fields == {"file": "a.wav", "queue": "Störung"}


def test_a_line_that_makes_no_sense_is_named_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"file": "a.wav"}\n{"file": \n[1]\n{"file": "b.wav"}\n')

    lines, bad = read_lines(path)

    assert [line.fields["file"] for line in lines] == ["a.wav", "b.wav"]
    assert [line.place for line in bad] == ["m.jsonl, row 2", "m.jsonl, row 3"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("m.csv", b"\n"), ("m.parquet", b"PAR?"), ("m.xlsx", b"PK"), ("m.json", b'[{"file": "a"}]')],
)
def test_a_file_that_is_no_metadata_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(MetadataError, match=name.replace(".", r"\.")):
        read_lines(tmp_path / name)
