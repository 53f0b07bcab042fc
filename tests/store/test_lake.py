"""The lake: whole parts or none, tags, versions, damaged files named."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import pickle
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ser_batch import tables
from ser_batch.errors import ContractError, DamagedPartError, LakeError
from ser_batch.store.atomic import sweep
from ser_batch.store.drop import drop_rows
from ser_batch.store.lake import Lake, Part
from ser_batch.store.settled import SETTLED_S, TURNS, is_turn, sweep_unsettled
from ser_batch.tables import CALLS, RECORDINGS, RUNS, column
from ser_batch.testing.rows import MIDDAY, recording, run

PART = Part(MIDDAY.date(), "shard-1")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def rows(*names: str) -> pa.Table:
    return RECORDINGS.from_rows(recording(name) for name in names)


def test_rows_come_back_in_order_of_the_key_with_the_contracts_types(lake):
    lake.write(RECORDINGS, PART, rows("b", "a"))
    table = lake.read(RECORDINGS)
    assert table["recording_id"].to_pylist() == ["a", "b"]
    assert table.schema.equals(RECORDINGS.arrow)


def test_a_part_lies_under_its_call_date_and_an_undated_table_under_none(lake):
    assert lake.write(RECORDINGS, PART, rows("a")).relative_to(lake.folder).as_posix() == (
        "recordings/date=2026-11-03/shard-1.parquet"
    )
    path = lake.write(RUNS, Part(None, "run-1"), RUNS.from_rows([run()]))
    assert path.relative_to(lake.folder).as_posix() == "runs/run-1.parquet"
    assert lake.parts(RUNS) == [Part(None, "run-1")]


def test_parts_are_read_alone_together_or_not_at_all(lake):
    later = Part(MIDDAY.date() + dt.timedelta(days=1), "shard-2")
    lake.write(RECORDINGS, later, rows("b"))
    lake.write(RECORDINGS, PART, rows("a"))
    assert lake.parts(RECORDINGS) == [PART, later]
    assert lake.read(RECORDINGS, [later])["recording_id"].to_pylist() == ["b"]
    assert lake.read(RECORDINGS, [PART, Part(None, "missing")]).num_rows == 1
    assert lake.read(RECORDINGS, []).schema.equals(RECORDINGS.arrow)


def test_writing_again_replaces_and_removing_removes(lake):
    lake.write(RECORDINGS, PART, rows("a", "b"))
    lake.write(RECORDINGS, PART, rows("c"))
    assert lake.read(RECORDINGS)["recording_id"].to_pylist() == ["c"]
    lake.remove(RECORDINGS, PART)
    lake.remove(RECORDINGS, PART)
    assert lake.parts(RECORDINGS) == []


def test_tags_say_what_a_part_was_made_from(lake):
    assert lake.tags(RECORDINGS, PART) is None
    lake.write(RECORDINGS, PART, rows("a"), {"settings": "s1"})
    assert lake.tags(RECORDINGS, PART) == {"settings": "s1"}
    lake.write(RECORDINGS, PART, rows("a"))
    assert lake.tags(RECORDINGS, PART) == {}


def test_dropped_rows_leave_the_footer_and_a_file_without_rows_goes(lake):
    lake.write(RECORDINGS, PART, rows("a", "b"), {"model": "m"})
    lake.write(RECORDINGS, Part(PART.date, "only-a"), rows("a"))
    lake.write(RUNS, Part(None, "run-1"), RUNS.from_rows([run()]))
    dropped = drop_rows(lake, ["recording_id"], lambda table: pc.equal(table["recording_id"], "a"))
    assert dropped == {"recordings": 2}
    assert lake.parts(RECORDINGS) == [PART]
    assert lake.read(RECORDINGS)["recording_id"].to_pylist() == ["b"]
    assert lake.tags(RECORDINGS, PART) == {"model": "m"}
    assert lake.read(RUNS).num_rows == 1


@pytest.mark.parametrize(
    "table",
    [
        rows("a").drop_columns(["codec"]),
        rows("a").append_column("extra", pa.array([1])),
        rows("a").set_column(4, "n_channels", pa.array(["two"])),
        rows("a").set_column(5, "duration_s", pa.nulls(1, pa.float64())),
    ],
    ids=["missing", "extra", "type", "null"],
)
def test_rows_that_break_the_contract_are_refused_and_the_old_part_stays(lake, table):
    lake.write(RECORDINGS, PART, rows("old"))
    with pytest.raises(ContractError, match="recordings"):
        lake.write(RECORDINGS, PART, table)
    assert lake.read(RECORDINGS)["recording_id"].to_pylist() == ["old"]


def test_a_damaged_part_is_named_with_what_to_do(lake):
    path = lake.write(RECORDINGS, PART, rows("a"))
    path.write_bytes(path.read_bytes()[:-20])
    for ask in (lake.read, lambda contract: lake.tags(contract, PART)):
        with pytest.raises(LakeError, match=r"shard-1\.parquet is damaged"):
            ask(RECORDINGS)


def test_no_flipped_bit_changes_what_is_read(lake):
    path = lake.write(RECORDINGS, PART, rows("a", "b"), {"settings": "s1"})
    before, content = lake.read(RECORDINGS), path.read_bytes()
    for position in range(0, len(content), len(content) // 150):
        flipped = bytearray(content)
        flipped[position] ^= 1 << position % 8
        path.write_bytes(flipped)
        read = None
        with suppress(DamagedPartError):
            read = lake.read(RECORDINGS)
        assert read is None or read.equals(before)


def test_half_written_files_are_no_parts_and_are_swept(lake):
    path = lake.write(RECORDINGS, PART, rows("a"))
    half = path.with_name(".tmp-1-shard-2.parquet")
    half.write_bytes(b"half")
    assert lake.parts(RECORDINGS) == [PART]
    assert lake.read(RECORDINGS).num_rows == 1
    assert sweep(lake.folder) == 1
    assert not half.exists()
    assert path.exists()


def test_a_killed_writer_leaves_whole_parts_only(lake):
    """Kill a process that writes one part over and over: what is there can be read."""
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from ser_batch.store.lake import Lake, Part\n"
        "from ser_batch.tables import RECORDINGS\n"
        "from ser_batch.testing.rows import MIDDAY, recording\n"
        "lake = Lake(Path(sys.argv[1]))\n"
        "table = RECORDINGS.from_rows(recording(f'r{i:05}') for i in range(20000))\n"
        "while True:\n"
        "    lake.write(RECORDINGS, Part(MIDDAY.date(), 'shard-1'), table)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for _ in range(3):
        command = [sys.executable, "-c", script, str(lake.folder)]
        with subprocess.Popen(command, env=environment) as writer:
            while not lake.parts(RECORDINGS):
                time.sleep(0.01)
            time.sleep(0.05)
            writer.send_signal(signal.SIGKILL)
        assert lake.read(RECORDINGS).num_rows == 20000
        lake.remove(RECORDINGS, PART)


def test_a_newer_version_is_refused_and_an_older_one_brought_up(lake, monkeypatch):
    lake.write(RECORDINGS, PART, rows("a"))
    second = dataclasses.replace(
        RECORDINGS,
        version=2,
        arrow=RECORDINGS.arrow.append(column("bits", pa.int8(), "bits a sample")),
    )
    with pytest.raises(ContractError, match="no way from version 1 to 2"):
        lake.read(second)

    def with_bits(table: pa.Table) -> pa.Table:
        return table.append_column("bits", pa.array([8] * table.num_rows, pa.int8()))

    monkeypatch.setitem(tables.MIGRATIONS, ("recordings", 1), with_bits)
    assert lake.read(second)["bits"].to_pylist() == [8]
    lake.write(second, PART, lake.read(second))
    with pytest.raises(ContractError, match="newer ser-batch"):
        lake.read(RECORDINGS)


def test_the_footer_carries_the_version_and_the_doc_of_each_column(lake):
    schema = pq.read_schema(lake.write(RECORDINGS, PART, rows("a")))
    assert schema.metadata[b"ser_batch.version"] == b"1"
    assert schema.field("duration_s").metadata[b"doc"] == b"length, seconds"


def test_a_folder_that_is_long_as_it_is_is_listed_once_until_a_part_changes(lake):
    lake.write(CALLS, PART, CALLS.empty())
    folder = lake.path(CALLS, PART).parent
    other = Part(PART.date, "other")
    assert lake.files(CALLS).keys() == {PART}
    lake.write(CALLS, other, CALLS.empty())  # a moment after it was listed
    assert lake.files(CALLS).keys() == {PART, other}
    long_ago = folder.stat().st_mtime_ns - 3600 * 10**9
    os.utime(folder, ns=(long_ago, long_ago))
    before = lake.files(CALLS)
    lake.path(CALLS, other).write_bytes(b"changed in place")
    assert lake.files(CALLS) == before
    assert pickle.loads(pickle.dumps(lake)).files(CALLS) != before
    lake.remove(CALLS, other)
    assert lake.files(CALLS).keys() == {PART}
    assert lake.dates(CALLS) == [PART.date]


def test_the_dates_of_a_span_before_the_newest_are_those_that_hold_a_part(lake):
    days = [dt.date(2026, 11, number) for number in (1, 2, 9)]
    for day in days:
        lake.write(CALLS, Part(day, "a"), CALLS.empty())
    (lake.folder / CALLS.name / "date=2026-11-30").mkdir()
    assert lake.dates(CALLS) == days
    assert lake.dates(CALLS, dt.timedelta(days=8)) == days[1:]
    assert lake.dates(CALLS, dt.timedelta(days=7)) == days[2:]


def test_leftovers_of_settled_days_are_swept_when_it_is_their_turn(lake):
    now_s = time.time()
    dates = [dt.date(2026, 1, 1) + dt.timedelta(days) for days in range(TURNS)]
    for date in dates:
        folder = lake.path(CALLS, Part(date, "a")).parent
        folder.mkdir(parents=True)
        (folder / ".tmp-1-a.parquet").write_bytes(b"half")
        os.utime(folder, (now_s - SETTLED_S - 60,) * 2)
    os.utime(folder)
    assert sweep_unsettled(lake) == len(
        {dates[-1]} | {d for d in dates if is_turn(d.toordinal(), now_s)}
    )
    assert sweep(lake.folder) > 0
