"""Metadata of every format, damaged at random: nothing raises, and no good line is lost.

`HYPOTHESIS_PROFILE=fuzz pytest tests/ingest/test_metadata_fuzz.py` tries 20,000 files a test.
"""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from ser_batch.config import Settings
from ser_batch.errors import MetadataContentError
from ser_batch.ingest.calls import resolve_calls
from ser_batch.ingest.matching import FILE_COLUMNS, KnownFile, MetadataIndex, line_issues
from ser_batch.ingest.metadata import MetadataFile, read_lines
from ser_batch.tables import CALLS, METADATA
from tests.ingest.named import count_named

NOW = dt.datetime(2026, 3, 2, 9, 0)
SETTINGS = Settings()

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).map(str.strip)
cells = texts.filter(lambda text: text[:1] not in ('"', ",", ""))
edges = st.sampled_from(
    ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2026-03-02T09:30+99:99", "yes", "2"]
)
names = st.sampled_from(["queue", "started_at", "objected", "customer_channel", "first_speaker"])
raw_lines = st.binary(max_size=40).map(lambda data: data.translate(None, b'"\r\n'))
numbers = st.integers() | st.floats() | st.booleans() | st.none()
values = st.recursive(numbers | texts, lambda inner: st.lists(inner, max_size=3), max_leaves=5)


def kept(data: bytes, ending: str) -> MetadataFile:
    """What is read of a file, and proof that tables and calls can be made of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"m{ending}")
        path.write_bytes(data)
        read = read_lines(path)
    METADATA.from_rows(
        {
            "source": line.source,
            "line_no": line.line_no,
            "source_name": line.source_name,
            "arrived_at": NOW,
            "fields": list(line.fields.items()),
        }
        for line in read.lines
    )
    index = MetadataIndex(read.lines, {})
    named = {text for line in read.lines for text in map(line.fields.get, FILE_COLUMNS) if text}
    files = [(KnownFile(text, text, "/calls", 1, 0, NOW),) for text in named]
    rows, _ = resolve_calls(files, index, SETTINGS)
    CALLS.from_rows(rows)
    line_issues(index, count_named(files, SETTINGS))
    assert all(bad.place.startswith("m.") and bad.message for bad in read.bad)
    return read


def by_file(read: MetadataFile) -> dict[str, dict[str, str]]:
    return {line.fields["file"]: line.fields for line in read.lines if "file" in line.fields}


@given(st.lists(cells), names, st.lists(raw_lines | st.just(b'x,"open'), max_size=4), st.data())
def test_no_good_line_of_csv_is_lost(
    good: list[str], name: str, bad: list[bytes], data: st.DataObject
) -> None:
    lines = []
    for number, cell in enumerate(good):
        line = io.StringIO(newline="")
        csv.writer(line).writerow([f"good-{number}", cell])
        lines.append(line.getvalue().encode())
    for line in bad:
        lines.insert(data.draw(st.integers(0, len(lines))), line + b"\n")

    found = by_file(kept(f"file,{name}\n".encode() + b"".join(lines), ".csv"))

    for number, cell in enumerate(good):
        assert found[f"good-{number}"].get(name, "") == cell


@given(
    st.lists(st.dictionaries(names, values | edges)),
    st.lists(
        raw_lines
        | st.sampled_from([b"[" * 5000, b'{"a":' * 5000, b'{"file": ' + b"7" * 5000, b'{"a": "'])
    ),
    st.data(),
)
def test_no_good_line_of_json_is_lost(
    good: list[dict[str, Any]], bad: list[bytes], data: st.DataObject
) -> None:
    lines = [
        json.dumps({"file": f"good-{n}", **row}, ensure_ascii=data.draw(st.booleans())).encode()
        for n, row in enumerate(good)
    ]
    for line in bad:
        lines.insert(data.draw(st.integers(0, len(lines))), line)

    read = kept(b'{"file": "first"}\n' + b"\n".join(lines), ".jsonl")

    found = by_file(read)
    for number, row in enumerate(good):
        texts = {key: text for key, text in row.items() if isinstance(text, str) and text}
        assert texts.items() <= found[f"good-{number}"].items()


@given(st.lists(st.dictionaries(names, values)), st.binary(max_size=30))
def test_no_object_before_the_damage_of_an_array_is_lost(
    good: list[dict[str, Any]], rest: bytes
) -> None:
    objects = [json.dumps({"file": f"good-{n}", **row}) for n, row in enumerate(good)]
    text = "[\n" + ",\n".join([*objects, '{"file": '])

    found = by_file(kept(text.encode() + rest, ".json"))

    assert {f"good-{number}" for number in range(len(good))} <= found.keys()


columns = st.sampled_from(
    [
        pa.array([2**62, -(2**62), 0], pa.timestamp("us")),
        pa.array([2**62, 1, None], pa.timestamp("ns", "Europe/Berlin")),
        pa.array([2**62, 1, None], pa.timestamp("us", "No/Where")),
        pa.array([2**30, -(2**30), None], pa.date32()),
        pa.array([2**62, 1, None], pa.duration("s")),
        pa.array([[NOW], [], None], pa.list_(pa.timestamp("ns"))),
        pa.array([{"a": b"\xff", "b": [NOW]}, None, {"a": None, "b": []}]),
        pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
        pa.array([b"\xff\x00", b"text", b""]),
        pa.array([float("nan"), float("inf"), None]),
        pa.array(["x" * 100_001, "\x00", ""]),
        pa.array(["a", "b", "a"]).dictionary_encode(),
        pa.nulls(3),
    ]
)


@given(
    st.lists(st.tuples(names | st.just("file") | texts, columns), max_size=4),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=3),
    st.booleans(),
    st.sampled_from(["none", "zstd", "snappy"]),
)
def test_parquet_of_any_type_with_flipped_bytes_raises_nothing(
    others: list[tuple[str, pa.Array]],
    flips: list[tuple[float, int]],
    with_checksums: bool,
    compression: str,
) -> None:
    arrays = [pa.array([f"good-{n}" for n in range(3)]), *(array for _, array in others)]
    sink = pa.BufferOutputStream()
    table = pa.table(arrays, names=["call_id", *(name for name, _ in others)])
    pq.write_table(
        table,
        sink,
        row_group_size=2,
        compression=compression,
        write_page_checksum=with_checksums,
    )
    damaged = bytearray(sink.getvalue().to_pybytes())
    for place, mask in flips:
        damaged[int(place * len(damaged))] ^= mask
    try:
        read = kept(bytes(damaged), ".parquet")
    except MetadataContentError:
        assert flips, "a whole file is read"
        return
    if not flips and "call_id" not in (name for name, _ in others):
        assert [line.fields["call_id"] for line in read.lines] == ["good-0", "good-1", "good-2"]


@given(st.binary(max_size=300), st.sampled_from([".csv", ".tsv", ".jsonl", ".json", ".parquet"]))
def test_bytes_of_no_format_raise_nothing_but_a_named_refusal(data: bytes, ending: str) -> None:
    with contextlib.suppress(MetadataContentError):
        kept(data, ending)
