"""Which rows of a file become labels, and why the others do not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from ser_batch.config import no_emotion
from ser_batch.emotions import EMOTIONS
from ser_batch.labels.history import CANNOT_TELL, Row, label_row
from ser_batch.labels.raw_label import RawLabel
from ser_batch.labels.reading import LabelFile
from ser_batch.labels.segment_name import SegmentKey, parse_segment_name

KNOWN = (*EMOTIONS, CANNOT_TELL)
LONGEST_NAME = 120


@dataclass(frozen=True)
class Refusal:
    """A row that is not taken.

    Attributes:
        row: number in the file, from 1
        segment: what the row names
        reason: why it is not taken, in words
    """

    row: int
    segment: str
    reason: str


@dataclass(frozen=True)
class Verdict:
    """A file's rows, judged.

    Attributes:
        taken: rows of `labels`, by their number in the file
        refused: with reasons
        n_empty: rows in which nothing was chosen yet
    """

    taken: dict[int, Row]
    refused: list[Refusal]
    n_empty: int


@dataclass(frozen=True)
class KnownSegments:
    """What can be labelled.

    Attributes:
        spans: start and end of every known segment, seconds
        barred: why some of them may not be labelled
    """

    spans: Mapping[SegmentKey, tuple[float, float]]
    barred: Mapping[SegmentKey, str]


class _RowError(Exception):
    """Why a row is not taken."""


def judge(
    file: LabelFile,
    segments: KnownSegments,
    *,
    annotator: str | None,
    now: dt.datetime,
) -> Verdict:
    """Judge each row by itself.

    Args:
        file: the rows
        segments: what can be labelled
        annotator: who labelled, where a row does not say
        now: UTC
    """
    taken, refused = {}, []
    answered = [row for row in file.rows if row.emotions]
    for row in answered:
        try:
            taken[row.row] = _label(row, file, segments, annotator, now)
        except _RowError as error:
            refused.append(Refusal(row.row, row.segment, str(error)))
    return Verdict(taken, refused, len(file.rows) - len(answered))


def unknown_emotion(name: str) -> str:
    """What to say of a name that is no emotion."""
    return no_emotion(name, KNOWN)


def _label(
    raw: RawLabel,
    file: LabelFile,
    segments: KnownSegments,
    annotator: str | None,
    now: dt.datetime,
) -> Row:
    key = _segment(raw.segment, segments)
    return label_row(
        key,
        segments.spans[key],
        annotator=_annotator(raw.annotator or annotator or ""),
        emotion=_emotion(raw.emotions),
        made_at=_utc(raw.made_at) if raw.made_at else now,
        source=file.source,
        imported_at=now,
        undated_in=None if raw.made_at else file.digest,
    )


def _segment(name: str, segments: KnownSegments) -> SegmentKey:
    key = parse_segment_name(name)
    if key is None:
        raise _RowError(f"{name!r} is no segment's name" if name else "no segment is named")
    if key in segments.barred:
        raise _RowError(f"may not be labelled: {segments.barred[key]}")
    if key not in segments.spans:
        raise _RowError("there is no such segment")
    return key


def _annotator(name: str) -> str:
    if not name:
        raise _RowError("does not say who labelled it; name the annotator")
    return name[:LONGEST_NAME]


def _emotion(emotions: tuple[str, ...]) -> str:
    if len(emotions) > 1:
        raise _RowError(f"names {len(emotions)} emotions, one is wanted")
    name = emotions[0].strip().lower()
    if name not in KNOWN:
        raise _RowError(unknown_emotion(emotions[0]))
    return name


def _utc(text: str) -> dt.datetime:
    try:
        when = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise _RowError(f"{text!r} is no time in ISO 8601") from error
    return when.astimezone(dt.UTC).replace(tzinfo=None) if when.tzinfo else when
