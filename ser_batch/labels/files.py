"""The files that annotators are given: snippets, tasks for Label Studio, a table."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import polars as pl

from ser_batch.audio.call_audio import call_files
from ser_batch.config import Settings
from ser_batch.emotions import UNCERTAIN
from ser_batch.errors import FileError, StateFileError
from ser_batch.labels.candidates import KEY
from ser_batch.labels.history import Row
from ser_batch.labels.label_studio import labelling_config, task
from ser_batch.labels.reading import ANNOTATOR, EMOTION, SEGMENT, TIMES
from ser_batch.labels.segment_name import parse_segment_name, segment_key, segment_name
from ser_batch.labels.selection import RANDOM
from ser_batch.labels.snippets import Span, write_snippets
from ser_batch.serialise import csv_text
from ser_batch.store.atomic import write_bytes_atomic, write_text_atomic
from ser_batch.store.content import read_bytes
from ser_batch.store.disk import disk
from ser_batch.store.paths import Root

SNIPPETS, TASKS, CONFIG, TABLE = "snippets", "tasks.json", "labelling.xml", "queue.csv"
CSV_COLUMNS = (SEGMENT, "audio", "queue", "day", EMOTION, ANNOTATOR, TIMES[0])


def cut_snippets(picks: pl.DataFrame, folder: Path, settings: Settings) -> set[str]:
    """Write the snippets; the recordings that cannot be read any more."""
    lost = set()
    for (recording_id,), rows in picks.group_by("recording_id", maintain_order=True):
        first = rows.row(0, named=True)
        spans = {
            tuple(row[name] for name in KEY): Span(row["start_s"], row["end_s"])
            for row in rows.iter_rows(named=True)
        }
        try:
            write_snippets(call_files(first), spans, folder, settings.audio)
        except FileError:
            lost.add(str(recording_id))
    return lost


def write_tasks(
    picks: pl.DataFrame, folder: Path, settings: Settings, model_id: str, audio_url: str
) -> None:
    """Files for Label Studio and for spreadsheets."""
    tasks = [_task(pick, audio_url, model_id) for pick in picks.iter_rows(named=True)]
    text = json.dumps(tasks, indent=1, ensure_ascii=False)
    write_text_atomic(folder / TASKS, text + "\n")
    write_text_atomic(folder / CONFIG, labelling_config(settings.labels.emotions))
    rows = [
        [_name(pick), f"{SNIPPETS}/{_name(pick)}.wav", pick["queue"], pick["day"], "", "", ""]
        for pick in picks.iter_rows(named=True)
    ]
    write_text_atomic(folder / TABLE, csv_text(CSV_COLUMNS, rows))


def _task(pick: Row, audio_url: str, model_id: str) -> dict[str, Any]:
    return task(
        _name(pick),
        audio_url=f"{audio_url}{_name(pick)}.wav",
        shown={"queue": pick["queue"] or "", "day": pick["day"]},
        suggested=suggested(pick),
        model_id=model_id,
    )


def _name(pick: Row) -> str:
    return segment_name(segment_key(pick))


def suggested(pick: Row) -> str | None:
    """The predicted emotion; not shown for segments drawn at random, lest the measure follow it."""
    if pick["reason"] == RANDOM or pick["emotion"] == UNCERTAIN:
        return None
    return str(pick["emotion"])


def forget_recordings(root: Root, recordings: Collection[str]) -> int:
    """Take recordings out of every batch; how many snippets and tasks there were of them."""
    n_gone = 0
    for batch in sorted(root.labels.glob("*/")):
        for sound in (batch / SNIPPETS).glob("*.wav"):
            if _is_of(sound.stem, recordings):
                disk().unlink(sound)
                n_gone += 1
        n_gone += _forget_tasks(batch / TASKS, recordings) + _forget_rows(batch / TABLE, recordings)
    return n_gone


def _forget_tasks(file: Path, recordings: Collection[str]) -> int:
    if not file.exists():
        return 0
    try:
        tasks = json.loads(read_bytes(file))
        kept = [each for each in tasks if not _is_of(each["data"].get("segment", ""), recordings)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise StateFileError(file, f"is no list of tasks: {error!r}") from None
    if len(kept) < len(tasks):
        write_text_atomic(file, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    return len(tasks) - len(kept)


def _forget_rows(file: Path, recordings: Collection[str]) -> int:
    """By lines, whatever separator and encoding a spreadsheet has stored the table with."""
    if not file.exists():
        return 0
    content = read_bytes(file)
    encoding = _encoding(content)
    text = content.decode(encoding, "surrogatepass")
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    kept = [line for line in lines if not any(_is_of(name, recordings) for name in _names(line))]
    if len(kept) < len(lines):
        write_bytes_atomic(file, "".join(kept).encode(encoding, "surrogatepass"))
    return len(lines) - len(kept)


def _encoding(content: bytes) -> str:
    """UTF-16 where that is what it is; else one that takes every byte for a character."""
    if len(content) % 2 == 0:
        for encoding, first in (("utf-16-le", 1), ("utf-16-be", 0)):
            # of the names of segments, in either order of bytes, every second byte is zero
            if content[first::2].count(0) > len(content) // 4:
                return encoding
    return "latin-1"


def _names(line: str) -> list[str]:
    """What may be a segment's name in a line of a table."""
    return re.findall(r"[\w.-]+", line, re.ASCII)


def _is_of(segment: str, recordings: Collection[str]) -> bool:
    key = parse_segment_name(segment)
    return key is not None and key[0] in recordings
