"""What people say who open a call and see what the model says of it: reviews, kept as labels."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.clock import utc_now
from ser_batch.emotions import EMOTIONS, UNCERTAIN
from ser_batch.ingest.late_rows import append
from ser_batch.labels.history import CANNOT_TELL, REVIEW, Row, label_row
from ser_batch.labels.session import AnswerError, ErasedError
from ser_batch.store.lake import Lake
from ser_batch.tables import LABELS

RIGHT, WRONG, NOTE = "right", "wrong", "note"
DISSATISFIED, NOT_FLAGGED = "dissatisfied", "not_flagged"
"""What is shown of a whole call."""

LONGEST_NOTE = 2000


@dataclass(frozen=True)
class Reviewed:
    """A segment, or a whole call, as a listener sees it.

    Attributes:
        recording_id: of the call
        channel: of the segment; None: the whole call
        segment_no: of the segment; None: the whole call
        span: start and end, seconds
        shown: its predicted emotion, or whether the call is flagged
    """

    recording_id: str
    channel: int | None
    segment_no: int | None
    span: tuple[float, float]
    shown: str

    @property
    def is_call(self) -> bool:
        """Whether it is the whole call."""
        return self.segment_no is None


class Reviews:
    """The reviews of a lake; safe to use from several threads.

    Args:
        lake: where each is kept at once
        part_name: the part of `labels` that this writer alone writes
    """

    def __init__(self, lake: Lake, part_name: str) -> None:
        self._lake = lake
        self._part_name = part_name
        self._lock = threading.Lock()
        self._read_at: list[tuple[str, int | None]] | None = None
        self._by_call: dict[str, list[Row]] = {}

    def add(
        self, reviewed: Reviewed, *, annotator: str, verdict: str, emotion: str | None, note: str
    ) -> None:
        """Keep what somebody says.

        Args:
            reviewed: what is judged
            annotator: who judges
            verdict: right, wrong, cannot_tell or note
            emotion: what a segment shows instead, where the verdict is wrong
            note: empty for none

        Raises:
            AnswerError: if it makes no sense
            ErasedError: if the call was erased
        """
        now = utc_now()
        said_before = (
            row["made_at"]
            for row in self._calls().get(reviewed.recording_id, [])
            if row["annotator"] == annotator
        )
        # the newest counts, though the clock went back
        last = max(said_before, default=dt.datetime.min)
        row = label_row(
            (reviewed.recording_id, reviewed.channel, reviewed.segment_no),
            reviewed.span,
            annotator=annotator,
            emotion=None if reviewed.is_call else _emotion(reviewed, verdict, emotion),
            made_at=max(now, last + dt.timedelta(microseconds=1)),
            source=REVIEW,
            imported_at=now,
        )
        if verdict not in (RIGHT, WRONG, CANNOT_TELL, NOTE) or (verdict == NOTE and not note):
            raise AnswerError("say right, wrong or can't tell, or write a note")
        if len(note) > LONGEST_NOTE:
            raise AnswerError(f"a note has at most {LONGEST_NOTE} characters")
        said = {**row, "verdict": verdict, "shown": reviewed.shown, "note": note or None}
        with self._lock:
            if append(self._lake, LABELS, self._part_name, [said]):
                raise ErasedError

    def of(self, recording_id: str) -> list[Row]:
        """What was said of a call, oldest first: everybody's newest on each segment, and notes."""
        latest: dict[object, Row] = {}
        for row in self._calls().get(recording_id, []):
            is_note = row["verdict"] == NOTE
            key = row["label_id"] if is_note else (row["channel"], row["segment_no"])
            latest[row["annotator"], key] = row
        return sorted(latest.values(), key=lambda row: row["made_at"])

    def marks(self, recordings: Iterable[str]) -> dict[str, Row]:
        """Who reviewed each of some calls last, and when: the newest row of those reviewed."""
        calls = self._calls()
        return {name: calls[name][-1] for name in recordings if name in calls}

    def _calls(self) -> dict[str, list[Row]]:
        """All reviews by call, oldest first; read again where somebody wrote."""
        with self._lock:
            parts = self._lake.parts(LABELS)
            state = [(part.name, self._lake.changed_ns(LABELS, part)) for part in parts]
            if state != self._read_at:
                table = self._lake.read(LABELS, parts)
                rows = table.filter(pc.equal(table["source"], pa.scalar(REVIEW))).to_pylist()
                self._by_call = {}
                for row in sorted(rows, key=lambda row: row["made_at"]):
                    self._by_call.setdefault(row["recording_id"], []).append(row)
                self._read_at = state
            return self._by_call


def _emotion(reviewed: Reviewed, verdict: str, emotion: str | None) -> str:
    """The label that a verdict on a segment is."""
    if verdict == CANNOT_TELL:
        return CANNOT_TELL
    if verdict == RIGHT and reviewed.shown != UNCERTAIN:
        return reviewed.shown
    if verdict == WRONG and emotion in EMOTIONS:
        return emotion
    raise AnswerError("say right, can't tell, or which emotion it is")
