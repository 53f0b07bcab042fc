from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ser_batch.errors import StateFileError
from ser_batch.store.journal import Journal

CHECKOUT = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from ser_batch.store.journal import Journal
journal = Journal(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    journal.add({"writer": sys.argv[2], "number": number, "text": "ü" * 3000})
    print(number, flush=True)
"""


def writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    assert process.stdout.readline() == "ready\n"
    return process


def begin(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "log.jsonl")


def test_a_log_that_is_not_there_is_empty(journal: Journal):
    assert journal.read() == []


def test_lines_come_back_in_order_with_their_text(journal: Journal):
    records = [{"text": "ü\n\udc80", "figures": {"a": 0.1, "b": None}}, {"text": ""}]
    for record in records:
        journal.add(record)
    assert journal.read() == records


def test_programs_that_write_at_once_lose_no_line(journal: Journal):
    processes = [writer(journal.path, str(name), 40) for name in range(4)]
    begin(*processes)
    for process in processes:
        process.communicate()
    found = [(record["writer"], record["number"]) for record in journal.read()]
    assert sorted(found) == sorted((str(name), number) for name in range(4) for number in range(40))
    for name in range(4):
        assert [number for who, number in found if who == str(name)] == list(range(40))


def test_a_writer_that_is_killed_loses_nothing_that_it_had_written(journal: Journal):
    for number in range(5):
        killed, other = (
            writer(journal.path, f"killed-{number}", 10_000),
            writer(journal.path, f"other-{number}", 5),
        )
        begin(killed, other)
        n_said = 1 + int(next(line for line in killed.stdout if int(line) >= 3 * number))
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        other.communicate()
        records = [each for each in journal.read() if each["writer"] == f"killed-{number}"]
        found = [record["number"] for record in records]
        assert len(found) >= n_said
        assert found == list(range(len(found)))
    assert sum(record["writer"].startswith("other") for record in journal.read()) == 25


def test_an_unfinished_last_line_is_named_kept_aside_and_written_over(
    journal: Journal, caplog: pytest.LogCaptureFixture
):
    journal.add({"number": 1})
    with journal.path.open("ab") as file:
        file.write(b'{"number": 2, "te')
    with caplog.at_level(logging.WARNING):
        assert journal.read() == [{"number": 1}]
    assert f"{journal.path}: the unfinished last line does not count" in caplog.text
    assert '{"number": 2, "te' in caplog.text
    journal.add({"number": 3})
    assert journal.read() == [{"number": 1}, {"number": 3}]
    assert journal.path.with_name("log.jsonl.torn").read_bytes() == b'{"number": 2, "te\n'


def test_a_last_line_without_an_end_counts_if_it_is_complete(journal: Journal):
    journal.add({"number": 1})
    journal.path.write_bytes(journal.path.read_bytes().rstrip(b"\n"))
    assert journal.read() == [{"number": 1}]
    journal.add({"number": 2})
    assert journal.read() == [{"number": 1}, {"number": 2}]


def test_lines_without_a_checksum_are_those_of_earlier_versions(journal: Journal):
    journal.path.write_text('{"number": 1}\n', encoding="utf-8")
    journal.add({"number": 2})
    assert journal.read() == [{"number": 1}, {"number": 2}]


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda line: line.replace(b"grown", b"shown"), "line 1 is not as it was written"),
        (lambda line: line.replace(b"grown", b"gr\xe4wn"), "line 1 is no JSON object in UTF-8"),
        (lambda _line: b"promote b please\n", "line 1 is no JSON object"),
        (lambda _line: b"[1]\n", "line 1 is no JSON object"),
        (lambda _line: b"[" * 100_000 + b"\n", "line 1 is no JSON object"),
    ],
)
def test_a_damaged_line_is_one_line_with_file_and_remedy(journal: Journal, damage, problem):
    journal.add({"text": "grown"})
    journal.add({"text": "other"})
    first, second, _ = journal.path.read_bytes().split(b"\n")
    journal.path.write_bytes(damage(first + b"\n") + second + b"\n")
    with pytest.raises(StateFileError, match=problem) as error:
        journal.read()
    line = error.value.one_line()
    assert str(journal.path) in line
    assert "restore it from a backup" in line
    assert "\n" not in line


def test_each_line_is_plain_json(journal: Journal):
    journal.add({"text": "ü"})
    assert json.loads(journal.path.read_text(encoding="utf-8"))["text"] == "ü"
