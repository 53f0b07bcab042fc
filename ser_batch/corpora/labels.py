"""Clips as a labels table, and back: the way in for recordings that are nobody's corpus."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ser_batch.config import nearest
from ser_batch.corpora.base import Clip, Sex
from ser_batch.emotions import EMOTIONS
from ser_batch.errors import CorpusError

COLUMNS = ("path", "corpus", "speaker", "sex", "emotion", "intensity", "language", "licence")
SEXES: dict[str, Sex] = {"female": "female", "f": "female", "male": "male", "m": "male"}


def labels_csv(clips: Sequence[Clip], folder: Path) -> str:
    """The clips as CSV, their paths relative to a folder."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for clip in clips:
        path = clip.path.relative_to(folder).as_posix()
        writer.writerow([path, *(getattr(clip, name) or "" for name in COLUMNS[1:])])
    return text.getvalue()


def read_labels(table: Path) -> list[Clip]:
    """Clips of a CSV table whose paths are relative to its folder.

    Args:
        table: with the columns path, speaker and emotion at least; corpus is the file's stem,
            sex and language unknown and licence `own` where they are not given

    Raises:
        CorpusError: naming the line and what is wrong with it
    """
    try:
        with table.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{table} cannot be read: {error}") from error
    missing = [name for name in ("path", "speaker", "emotion") if rows and name not in rows[0]]
    if missing or not rows:
        raise CorpusError(f"{table} has no column {missing[0]!r}" if rows else f"{table} is empty")
    return [_clip(table, row, number) for number, row in enumerate(rows, start=2)]


def _clip(table: Path, row: Mapping[str, str | None], number: int) -> Clip:
    """The clip of one line."""
    given = {name: value.strip() for name, value in row.items() if name and value}
    emotion, sex = given.get("emotion", ""), given.get("sex", "unknown")
    path = table.parent / given.get("path", "")
    if emotion not in EMOTIONS:
        raise CorpusError(
            f"{table}, line {number}: {emotion!r} is no emotion{nearest(emotion, EMOTIONS)}"
        )
    if not given.get("speaker"):
        raise CorpusError(f"{table}, line {number}: no speaker; without one nothing can be tested")
    if not path.is_file():
        raise CorpusError(f"{table}, line {number}: there is no file {path}")
    corpus = given.get("corpus", table.stem)
    speaker = given["speaker"]
    return Clip(
        path=path,
        corpus=corpus,
        speaker=speaker if speaker.startswith(f"{corpus}:") else f"{corpus}:{speaker}",
        sex=SEXES.get(sex.lower(), "unknown"),
        emotion=emotion,
        intensity=given.get("intensity"),
        language=given.get("language", "und"),
        licence=given.get("licence", "own"),
    )


def summary(clips: Sequence[Clip]) -> dict[str, Any]:
    """Counts of what was read."""
    return {
        "n_clips": len(clips),
        "n_speakers": len({clip.speaker for clip in clips}),
        "emotions": dict(sorted(Counter(clip.emotion for clip in clips).items())),
        "licences": sorted({clip.licence for clip in clips}),
    }
