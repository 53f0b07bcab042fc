"""The history of labels: every decision is kept, the newest of each annotator counts."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.config import digest
from ser_batch.labels.segment_name import SegmentKey, segment_key

CANNOT_TELL = "cannot_tell"
"""What an annotator says who cannot decide; it is an answer, but no label."""

REVIEW = "review"
"""Source of what people say who see what the model says: no sample drawn by chance."""

Row = dict[str, Any]


@dataclass(frozen=True)
class SoftLabel:
    """What the annotators of a segment say together.

    Attributes:
        key: the segment
        start_s, end_s: the audio that they labelled, seconds
        shares: of the annotators who name an emotion, by emotion, in order of the names; sum to
            1; empty where all say that they cannot tell
        n_annotators: who named an emotion
    """

    key: SegmentKey
    start_s: float
    end_s: float
    shares: dict[str, float]
    n_annotators: int

    @property
    def majority(self) -> str | None:
        """The emotion that most name, None where two are named as often, or none is."""
        most = max(self.shares.values(), default=0)
        named = [name for name, share in self.shares.items() if share == most]
        return named[0] if len(named) == 1 else None


def label_row(
    key: tuple[str, int | None, int | None],
    span: tuple[float, float],
    *,
    annotator: str,
    emotion: str | None,
    made_at: dt.datetime,
    source: str,
    imported_at: dt.datetime,
    undated_in: str | None = None,
) -> Row:
    """A row of `labels`.

    Args:
        key: the segment; a whole call has no channel and number
        span: its start and end, seconds
        annotator: who decided
        emotion: emotion or `CANNOT_TELL`; None takes the annotator's label back
        made_at: when, UTC
        source: page, label_studio, csv or review
        imported_at: UTC
        undated_in: digest of the file that does not say when: the row then counts once a file
    """
    when = undated_in or made_at.isoformat()
    return {
        "label_id": digest([*key, annotator, emotion, when, source]),
        "recording_id": key[0],
        "channel": key[1],
        "segment_no": key[2],
        "start_s": span[0],
        "end_s": span[1],
        "annotator": annotator,
        "emotion": emotion,
        "made_at": made_at,
        "source": source,
        "imported_at": imported_at,
    }


def newest(labels: pa.Table) -> list[Row]:
    """The newest decision of each annotator on each segment, without those taken back."""
    latest: dict[tuple[SegmentKey, str], Row] = {}
    of_segments = (row for row in labels.to_pylist() if row["segment_no"] is not None)
    for row in sorted(of_segments, key=_age):
        latest[segment_key(row), row["annotator"]] = row
    return [row for row in latest.values() if row["emotion"] is not None]


def blind(labels: pa.Table) -> pa.Table:
    """The labels of those who did not see what the model says: by them it may be measured."""
    return labels.filter(pc.not_equal(labels["source"], pa.scalar(REVIEW)))


def soft_labels(labels: pa.Table) -> dict[SegmentKey, SoftLabel]:
    """What annotators say together of every segment that anybody decided about."""
    by_segment: dict[SegmentKey, list[Row]] = defaultdict(list)
    for row in newest(labels):
        by_segment[segment_key(row)].append(row)
    return {key: _soft(key, rows) for key, rows in sorted(by_segment.items())}


def _soft(key: SegmentKey, rows: Sequence[Row]) -> SoftLabel:
    names = [row["emotion"] for row in rows if row["emotion"] != CANNOT_TELL]
    shares = {name: names.count(name) / len(names) for name in sorted(set(names))}
    last = max(rows, key=_age)
    return SoftLabel(key, last["start_s"], last["end_s"], shares, len(names))


def _age(row: Row) -> tuple[dt.datetime, dt.datetime, str]:
    return row["made_at"], row["imported_at"], row["label_id"]
