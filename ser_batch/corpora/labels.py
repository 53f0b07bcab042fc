"""Clips as a labels table, and back: the way in for recordings that are nobody's corpus."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ser_batch.config import no_emotion
from ser_batch.corpora.base import Clip, Sex, Votes, most_voted
from ser_batch.dimensions import DIMENSIONS, HIGHEST, LOWEST
from ser_batch.emotions import EMOTIONS
from ser_batch.errors import CorpusError
from ser_batch.serialise import csv_table, csv_text, read_cell

PLAIN = ("path", "corpus", "speaker", "sex", "emotion", "intensity", "language", "licence")
OPTIONAL = ("acted", "sentence", *DIMENSIONS)
VOTES = "votes_"
"""Before an emotion: the column that counts the listeners or annotators who name it."""
SEXES: dict[str, Sex] = {"female": "female", "f": "female", "male": "male", "m": "male"}


def labels_csv(clips: Sequence[Clip], folder: Path) -> str:
    """The clips as CSV, their paths relative to a folder; with their votes where there are any."""
    extra = [name for name in OPTIONAL if any(_written(clip, name) for clip in clips)]
    voted = sorted({name for clip in clips for name, _ in clip.votes})
    rows = []
    for clip in clips:
        path, votes = clip.path.relative_to(folder).as_posix(), dict(clip.votes)
        values = [_written(clip, name) for name in (*PLAIN[1:], *extra)]
        counts = [f"{votes[name]:g}" if name in votes else "" for name in voted]
        rows.append([path, *values, *counts])
    return csv_text([*PLAIN, *extra, *(f"{VOTES}{name}" for name in voted)], rows)


def _written(clip: Clip, name: str) -> str:
    """A value of a clip as its cell holds it."""
    if name in DIMENSIONS:
        return "" if clip.rated is None else f"{clip.rated[[*DIMENSIONS].index(name)]:g}"
    return getattr(clip, name) or ""


def read_labels(table: Path) -> list[Clip]:
    """Clips of a CSV table whose paths are relative to its folder.

    Args:
        table: comma, semicolon or tab separated, with the columns path, speaker and emotion at
            least; corpus is the file's stem, sex and language unknown and licence `own` where
            they are not given. Columns such as `votes_anger` count the annotators who name an
            emotion: the clip's label is then their distribution, and the column emotion may be
            missing or empty. The columns arousal and valence hold ratings from 1 to 5

    Raises:
        CorpusError: naming the line and what is wrong with it
    """
    try:
        reader = csv_table(table.read_text(encoding="utf-8-sig"))
        names = reader.fieldnames or ()
        rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{table} cannot be read: {error}") from error
    needed = ["path", "speaker"]
    if not any(name.startswith(VOTES) for name in names):
        needed.append("emotion")
    if not names:
        raise CorpusError(f"{table} is empty: its first line must name the columns")
    if missing := [name for name in needed if name not in names]:
        raise CorpusError(f"{table} has no column {missing[0]!r}; it has {', '.join(names)}")
    if not rows:
        raise CorpusError(f"{table} has no line below its header")
    return [_clip(table, row, number) for number, row in enumerate(rows, start=2)]


def _clip(table: Path, row: Mapping[str, str | None], number: int) -> Clip:
    """The clip of one line."""
    given = {name: read_cell(value).strip() for name, value in row.items() if name and value}
    votes = _votes(table, given, number)
    emotion = (
        most_voted(dict(votes), given.get("acted")) if votes else given.get("emotion", "").lower()
    )
    path = table.parent / given.get("path", "")
    if emotion not in EMOTIONS:
        raise CorpusError(f"{table}, line {number}: {no_emotion(emotion)}")
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
        sex=SEXES.get(given.get("sex", "").lower(), "unknown"),
        emotion=emotion,
        intensity=given.get("intensity"),
        language=given.get("language", "und"),
        licence=given.get("licence", "own"),
        votes=votes,
        acted=given.get("acted"),
        sentence=given.get("sentence"),
        rated=_rated(table, given, number),
    )


def _rated(table: Path, given: Mapping[str, str], number: int) -> tuple[float, float] | None:
    """Arousal and valence of one line; None where a cell is empty or there is no column."""
    values = []
    for name in DIMENSIONS:
        if not (text := given.get(name)):
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not LOWEST <= value <= HIGHEST:
            raise CorpusError(f"{table}, line {number}: {name} is no number from 1 to 5: {text}")
        values.append(value)
    arousal, valence = values
    return arousal, valence


def _votes(table: Path, given: Mapping[str, str], number: int) -> Votes:
    """The counts of the columns `votes_<emotion>` of one line, empty where nobody voted."""
    votes = []
    for column, text in sorted(given.items()):
        if not column.startswith(VOTES):
            continue
        name = column.removeprefix(VOTES)
        if name not in EMOTIONS:
            raise CorpusError(f"{table}: column {column!r}: {no_emotion(name)}")
        try:
            count = float(text)
        except ValueError as error:
            raise CorpusError(f"{table}, line {number}: {column} is no number: {text}") from error
        if count < 0:
            raise CorpusError(f"{table}, line {number}: {column} is below 0")
        if count:
            votes.append((name, count))
    return tuple(votes)


def summary(clips: Sequence[Clip]) -> dict[str, Any]:
    """Counts of what was read."""
    return {
        "n_clips": len(clips),
        "n_speakers": len({clip.speaker for clip in clips}),
        "emotions": dict(sorted(Counter(clip.emotion for clip in clips).items())),
        "licences": sorted({clip.licence for clip in clips}),
    }
