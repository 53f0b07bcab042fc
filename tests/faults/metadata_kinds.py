"""Bad and odd metadata of every kind: the file's ending and its bytes; the recording is a.wav."""

from __future__ import annotations

import datetime as dt
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

MOMENT = dt.datetime(2026, 3, 2, 9, 30)


def csv(*lines: str, header: str = "file,started_at") -> tuple[str, bytes]:
    return ".csv", "\n".join([header, *lines, ""]).encode()


def field(name: str, text: str) -> tuple[str, bytes]:
    return ".jsonl", json.dumps(
        {"file": "a.wav", "started_at": "2026-03-02T09:30", name: text}
    ).encode()


def jsonl(*lines: str) -> tuple[str, bytes]:
    return ".jsonl", "\n".join(lines).encode("utf-8", "surrogatepass")


def parquet(columns: dict[str, Any] | pa.Table, **options: Any) -> tuple[str, bytes]:
    table = columns if isinstance(columns, pa.Table) else pa.table({"file": ["a.wav"], **columns})
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return ".parquet", sink.getvalue()


def damaged(place: bytes) -> tuple[str, bytes]:
    table = pa.table({"file": ["a.wav", "b.wav"], "queue": ["billing", "repair"]})
    options = {"use_dictionary": False, "compression": "none", "write_statistics": False}
    ending, data = parquet(table, write_page_checksum=True, **options)
    at = data.index(place)
    return ending, data[:at] + b"?" + data[at + 1 :]


GOOD = '{"file": "a.wav", "started_at": "2026-03-02T09:30"}'
GOOD_PARQUET = parquet({"started_at": [MOMENT]})[1]
STARTED = {"started_at": [MOMENT]}

METADATA_KINDS: dict[str, tuple[str, bytes]] = {
    "no byte": (".csv", b""),
    "a byte order mark alone": (".csv", b"\xef\xbb\xbf"),
    "blank lines": (".jsonl", b"\n\n \n"),
    "a spreadsheet": (".xlsx", b"PK\3\4"),
    "no ending": ("", b"file\na.wav\n"),
    "CSV, header of delimiters": (".csv", b",,,\na.wav,x,y\n"),
    "CSV, header alone": csv(),
    "CSV, one line without header": (".csv", b"a.wav,billing\n"),
    "CSV, lines without header": (".csv", b"a.wav,billing\nb.wav,repair\n"),
    "CSV, no column that names recordings": csv("x,2026-03-02T09:30", header="name,started_at"),
    "CSV, unclosed quotation mark": csv('b.wav,"open', "a.wav,2026-03-02T09:30"),
    "CSV, unclosed quotation mark in the last line": csv("a.wav,2026-03-02T09:30", 'a.wav,"open'),
    "CSV, text after a quotation mark": csv("a.wav,2026-03-02T09:30", '"a"b.wav,x'),
    "CSV, quotation marks doubled": csv(
        'a.wav,2026-03-02T09:30,"say ""no"""', header="file,started_at,q"
    ),
    "CSV, a cell over two lines": csv('a.wav,2026-03-02T09:30,"x\ny"', header="file,started_at,q"),
    "CSV, more cells than columns": csv("a.wav,2026-03-02T09:30", "a.wav,x,y,z"),
    "CSV, fewer cells than columns": csv("a.wav,2026-03-02T09:30", header="file,started_at,queue"),
    "CSV, a cell of 200,000 characters": csv(
        f"a.wav,2026-03-02T09:30,{'x' * 200_000}", header="file,started_at,q"
    ),
    "CSV, two columns of one name": csv("a.wav,2026-03-02T09:30,x,y", header="file,started_at,q,q"),
    "CSV, a column without name": csv("a.wav,2026-03-02T09:30,x", header="file,started_at,"),
    "CSV, NUL characters": csv("a.wav,2026-03-02T09:30,\0\0", header="file,started_at,q"),
    "CSV, semicolons": (".csv", b"file;started_at\na.wav;2026-03-02T09:30\n"),
    "CSV, carriage returns": (".csv", b"file,started_at\ra.wav,2026-03-02T09:30\r"),
    "CSV, UTF-16": (".csv", "file,started_at\na.wav,2026-03-02T09:30\n".encode("utf-16")),
    "CSV, Windows-1252 in one line": (".csv", csv("a.wav,2026-03-02T09:30")[1] + b"b\xf6.wav,\n"),
    "CSV, random bytes": (".csv", bytes(range(1, 256))),
    "CSV, a formula": csv('=HYPERLINK("x"),2026-03-02T09:30'),
    "JSON, a line cut off": jsonl(GOOD, '{"file": "b.w'),
    "JSON, a list for an object": jsonl(GOOD, '["b.wav"]'),
    "JSON, a number for an object": jsonl(GOOD, "17"),
    "JSON, text": jsonl(GOOD, "no such export"),
    "JSON, 100,000 brackets": jsonl(GOOD, "[" * 100_000),
    "JSON, a cell of 900 brackets": jsonl(
        GOOD.replace("}", ', "q": ' + "[" * 900 + "]" * 900 + "}")
    ),
    "JSON, an integer of 5,000 digits": jsonl(GOOD.replace("}", ', "q": ' + "7" * 5000 + "}")),
    "JSON, half a surrogate pair": jsonl(GOOD.replace("}", r', "q": "\ud800"}')),
    "JSON, half a surrogate pair in a name": jsonl(GOOD.replace("}", r', "\udfff": "q"}')),
    "JSON, half a surrogate pair in raw bytes": jsonl(GOOD.replace("}", ', "q": "\ud800"}')),
    "JSON, a text of 200,000 characters": jsonl(
        GOOD.replace("}", f', "q": "{"x" * 200_000}"' + "}")
    ),
    "JSON, a name twice": jsonl(GOOD, '{"file": "b.wav", "file": "c.wav"}'),
    "JSON, U+2028 and U+0085 in a text": jsonl(GOOD.replace("}", ', "q": "a\u2028b\u0085c"}')),
    "JSON, NaN and infinity": jsonl(GOOD.replace("}", ', "q": [NaN, -Infinity, 1e999]}')),
    "JSON, nested objects": jsonl(GOOD.replace("}", ', "q": {"a": [1, {"b": null}]}}')),
    "JSON, an array of objects": (".json", f"[{GOOD}]".encode()),
    "JSON, an array cut off": (".json", f'[{GOOD}, {{"file"'.encode()),
    "JSON, an array of texts": (".json", f'[{GOOD}, "b.wav"]'.encode()),
    "JSON, an object over lines": (".json", b'{\n"file": "a.wav"\n}'),
    "JSON, no name for the recording": jsonl('{"queue": "billing"}'),
    "Parquet, the marks alone": (".parquet", b"PAR1PAR1"),
    "Parquet, cut off": (".parquet", GOOD_PARQUET[: len(GOOD_PARQUET) // 2]),
    "Parquet, its footer damaged": (
        ".parquet",
        GOOD_PARQUET[:-300] + bytes(200) + GOOD_PARQUET[-100:],
    ),
    "Parquet, text under its ending": (".parquet", b"file,queue\na.wav,billing\n"),
    "Parquet, one column damaged": damaged(b"billing"),
    "Parquet, the names of recordings damaged": damaged(b"a.wav"),
    "Parquet, no row": parquet({"file": pa.array([], pa.string())}),
    "Parquet, two columns of one name": parquet(
        pa.table([["a.wav"], [MOMENT], ["x"], ["y"]], names=["file", "started_at", "q", "q"])
    ),
    "Parquet, structs with bytes": parquet({**STARTED, "q": [{"a": b"\xff"}]}),
    "Parquet, lists of times": parquet({**STARTED, "q": [[MOMENT, None]]}),
    "Parquet, a time beyond the calendar": parquet(
        {"started_at": pa.array([2**62], pa.timestamp("us"))}
    ),
    "Parquet, a day beyond the calendar": parquet({**STARTED, "q": pa.array([2**30], pa.date32())}),
    "Parquet, a time zone that is none": parquet(
        {**STARTED, "q": pa.array([1], pa.timestamp("us", "No/Where"))}
    ),
    "Parquet, text that is not UTF-8": parquet(
        {**STARTED, "q": pa.array([b"\xff"]).view(pa.binary())}
    ),
    "Parquet, nanoseconds": parquet(
        {"started_at": pa.array([1_772_443_800_000_000_001], pa.timestamp("ns"))}
    ),
    "a time before the calendar by its offset": field("started_at", "0001-01-01T00:00:00+14:00"),
    "a time after the calendar by its offset": field("started_at", "9999-12-31T23:59:59-12:00"),
    "a time in 1970": field("started_at", "1970-01-01T00:00:00"),
    "a time in 2199": field("started_at", "2199-01-01T00:00:00"),
    "a day that is none": field("started_at", "2026-02-30T09:30:00"),
    "an offset that is none": field("started_at", "2026-03-02T09:30:00+99:99"),
    "a time in words": field("started_at", "last Monday"),
    "a word for yes or no that is neither": field("objected", "perhaps"),
    "a customer's channel that is none": field("customer_channel", "2"),
    "a role that is none": field("channel_0_role", "caller"),
    "a first speaker that is none": field("first_speaker", "both"),
    "a recording that is not there": jsonl(GOOD, '{"file": "b.wav"}'),
    "two lines that differ": jsonl(GOOD, GOOD.replace("}", ', "queue": "q"}')),
}
