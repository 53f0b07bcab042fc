"""What annotators' files lose when a recording is erased, whatever program stored them last."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ser_batch.errors import StateFileError
from ser_batch.labels.files import SNIPPETS, TABLE, TASKS, forget_recordings
from ser_batch.store.paths import Root

GONE, KEPT = "a" * 32, "b" * 32
ENCODINGS = ["utf-8", "utf-8-sig", "cp1252", "mac-roman", "utf-16-le", "utf-16-be"]
ROWS = [
    ["segment", "audio", "queue", "day", "emotion", "annotator", "made_at"],
    [f"{GONE}.1.0", f"snippets/{GONE}.1.0.wav", "Störung", "2026-11-03", "anger", "ann", ""],
    [f"{KEPT}.1.0", f"snippets/{KEPT}.1.0.wav", "Störung", "2026-11-03", "calm", "ann", ""],
]


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    folder = Root(tmp_path).labels / "batch"
    (folder / SNIPPETS).mkdir(parents=True)
    for name in (GONE, KEPT):
        (folder / SNIPPETS / f"{name}.1.0.wav").write_bytes(b"RIFF")
    tasks = [{"data": {"segment": f"{name}.1.0"}} for name in (GONE, KEPT)]
    (folder / TASKS).write_text(json.dumps(tasks), encoding="utf-8")
    return folder


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_stored_by_a_spreadsheet_loses_the_erased_rows_alone(
    tmp_path: Path, batch: Path, separator: str, encoding: str, end: str
):
    mark = "\ufeff" if encoding.startswith("utf-16") else ""  # as spreadsheets begin it
    texts = [separator.join(row) + end for row in ROWS]
    lines = [text.encode(encoding) for text in (mark + texts[0], *texts[1:])]
    (batch / TABLE).write_bytes(b"".join(lines))
    assert forget_recordings(Root(tmp_path), {GONE}) == 3
    assert (batch / TABLE).read_bytes() == lines[0] + lines[2]
    assert [path.stem for path in (batch / SNIPPETS).iterdir()] == [f"{KEPT}.1.0"]
    assert GONE not in (batch / TASKS).read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [b"\xff\xfe[", b"[" * 100_000, b"[1]", b"[{}]"])
def test_tasks_that_cannot_be_read_are_named(tmp_path: Path, batch: Path, content: bytes):
    (batch / TASKS).write_bytes(content)
    with pytest.raises(StateFileError) as error:
        forget_recordings(Root(tmp_path), {GONE})
    assert str(batch / TASKS) in error.value.one_line()
