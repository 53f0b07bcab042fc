"""One labelling session: who is asked what, and what they say, kept at once."""

from __future__ import annotations

import datetime as dt
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ser_batch.clock import utc_now
from ser_batch.ingest.late_rows import append
from ser_batch.ingest.tombstones import erased_of
from ser_batch.labels.history import CANNOT_TELL, Row, blind, label_row, newest
from ser_batch.labels.segment_name import SegmentKey, segment_key, segment_name
from ser_batch.store.lake import Lake
from ser_batch.tables import LABELS

SOURCE = "page"


class AnswerError(Exception):
    """What the page sent makes no sense; the message says why."""


class ErasedError(AnswerError):
    """The call was erased while its segment was asked about."""

    def __init__(self) -> None:
        super().__init__("This call was erased meanwhile: the answer was not stored.")


@dataclass(frozen=True)
class Question:
    """A segment to ask about.

    Attributes:
        key: the segment
        span: its start and end in the recording, seconds
        sound: its snippet
    """

    key: SegmentKey
    span: tuple[float, float]
    sound: Path

    @property
    def name(self) -> str:
        """The segment's name."""
        return segment_name(self.key)


class Session:
    """What is asked and what was said; safe to use from several threads.

    Args:
        lake: where every answer goes at once
        questions: in the order in which they are asked
        emotions: that may be chosen
        annotators: wanted for each segment
        part_name: the part of `labels` that this session alone writes
    """

    def __init__(
        self,
        lake: Lake,
        questions: Sequence[Question],
        *,
        emotions: Sequence[str],
        annotators: int,
        part_name: str,
    ) -> None:
        self.emotions = tuple(emotions)
        self._lake = lake
        self._questions = {question.name: question for question in questions}
        self._wanted = annotators
        self._part_name = part_name
        self._lock = threading.Lock()
        self._asked: dict[str, str] = {}
        self._last_made_at: dict[str, dt.datetime] = defaultdict(lambda: dt.datetime.min)
        self._answers: dict[str, dict[str, Row]] = defaultdict(dict)
        labels = blind(lake.read(LABELS))
        for made in labels.select(["annotator", "made_at"]).to_pylist():
            last = self._last_made_at[made["annotator"]]
            self._last_made_at[made["annotator"]] = max(last, made["made_at"])
        for row in newest(labels):
            self._answers[segment_name(segment_key(row))][row["annotator"]] = row

    def ask(self, annotator: str) -> Question | None:
        """The next segment that this annotator is asked about, None if there is none left."""
        with self._lock:
            asked = self._asked.get(annotator)
            if asked is not None and annotator not in self._answers[asked]:
                return self._questions[asked]
            taken = set(self._asked.values())
            for name, question in self._questions.items():
                answers = self._answers[name]
                n_coming = len(answers) + (name in taken and self._is_open(name))
                if annotator not in answers and n_coming < self._wanted:
                    self._asked[annotator] = name
                    return question
            self._asked.pop(annotator, None)
            return None

    def answer(self, annotator: str, name: str, emotion: str) -> None:
        """Store an answer.

        Raises:
            AnswerError: if there is no such segment or emotion
            ErasedError: if the call was erased; none of its segments is asked about any more
        """
        if emotion not in (*self.emotions, CANNOT_TELL):
            raise AnswerError(f"{emotion!r} is not offered")
        with self._lock:
            if name not in self._questions:
                raise AnswerError(f"there is no segment {name!r} in this queue")
            self._answers[name][annotator] = self._keep(annotator, name, emotion)

    def undo(self, annotator: str) -> Question | None:
        """Take back the annotator's newest answer and ask again; None if there is none.

        Raises:
            ErasedError: if its call was erased; none of its segments is asked about any more
        """
        with self._lock:
            own = [
                (answers[annotator]["made_at"], name)
                for name, answers in self._answers.items()
                if annotator in answers and name in self._questions
            ]
            if not own:
                return None
            _, name = max(own)
            self._keep(annotator, name, None)
            del self._answers[name][annotator]
            self._asked[annotator] = name
            return self._questions[name]

    def sound(self, name: str) -> Path | None:
        """The snippet of a segment of this queue."""
        question = self._questions.get(name)
        return question.sound if question else None

    def progress(self, annotator: str) -> tuple[int, int]:
        """Segments that this annotator answered, and all that are left for or done by them."""
        with self._lock:
            answered = sum(annotator in self._answers[name] for name in self._questions)
            left = sum(
                annotator not in self._answers[name] and len(self._answers[name]) < self._wanted
                for name in self._questions
            )
            return answered, answered + left

    def _is_open(self, name: str) -> bool:
        """Whether somebody was asked about it and has not answered."""
        return any(
            asked == name and annotator not in self._answers[name]
            for annotator, asked in self._asked.items()
        )

    def _keep(self, annotator: str, name: str, emotion: str | None) -> Row:
        question = self._questions[name]
        now = utc_now()
        # the newest counts: two answers of one microsecond, or of a clock that went back, too
        made_at = max(now, self._last_made_at[annotator] + dt.timedelta(microseconds=1))
        self._last_made_at[annotator] = made_at
        row = label_row(
            question.key,
            question.span,
            annotator=annotator,
            emotion=emotion,
            made_at=made_at,
            source=SOURCE,
            imported_at=now,
        )
        if append(self._lake, LABELS, self._part_name, [row]):
            self._forget_erased()
            raise ErasedError
        return row

    def _forget_erased(self) -> None:
        """Ask no more about calls that were erased since the session began."""
        keys = [question.key for question in self._questions.values()]
        erased = erased_of(self._lake, {key[0] for key in keys})
        for name in [segment_name(key) for key in keys if key[0] in erased]:
            del self._questions[name]
            self._answers.pop(name, None)
        self._asked = {who: name for who, name in self._asked.items() if name in self._questions}
