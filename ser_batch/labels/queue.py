"""Labels: queue segments for annotators, and take in what they said."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ser_batch.clock import utc_now
from ser_batch.config import Settings, digest
from ser_batch.emotions import EMOTIONS
from ser_batch.errors import NothingQueuedError
from ser_batch.ingest.late_rows import append
from ser_batch.labels.agreement import Agreement, agreement
from ser_batch.labels.candidates import KEY, channel_reasons, pick_segments
from ser_batch.labels.files import SNIPPETS, cut_snippets, suggested, write_tasks
from ser_batch.labels.gather import usable_labels
from ser_batch.labels.history import newest
from ser_batch.labels.judging import KnownSegments, Refusal, judge
from ser_batch.labels.label_studio import LOCAL_FILES
from ser_batch.labels.reading import read_label_file
from ser_batch.labels.segment_name import SegmentKey, segment_key, segment_name
from ser_batch.labels.session import Question, Session
from ser_batch.policy import NOT_SCORED
from ser_batch.store.lake import Lake, Part
from ser_batch.store.lock import only_run
from ser_batch.store.paths import Root
from ser_batch.tables import LABEL_QUEUE, LABELS, SEGMENTS


@dataclass(frozen=True)
class QueueResult:
    """What was queued.

    Attributes:
        batch_id: of this queueing, None where there was nothing to ask about
        folder: snippets, tasks.json and labelling.xml for Label Studio, queue.csv
        n_queued: segments
        reasons: how many of them by reason
        n_callers: callers that they come from
        n_without_audio: segments left out because their recording is not there any more
    """

    batch_id: str | None
    folder: Path | None
    n_queued: int
    reasons: dict[str, int]
    n_callers: int
    n_without_audio: int


@dataclass(frozen=True)
class ImportResult:
    """What was taken from a file.

    Attributes:
        n_taken: decisions that are new
        n_known: decisions that were taken from an earlier file
        n_empty: rows without an answer
        refused: rows that were not taken, with reasons
        agreement: of all labels of the lake
    """

    n_taken: int
    n_known: int
    n_empty: int
    refused: list[Refusal]
    agreement: Agreement


@dataclass(frozen=True)
class LabelStatus:
    """How far the labelling is.

    Attributes:
        n_queued: segments that annotators were asked about
        n_answered: of them, with an answer
        emotions: segments by emotion that most annotators named: `learn` and `measure`
        agreement: of all labels
    """

    n_queued: int
    n_answered: int
    emotions: dict[str, dict[str, int]]
    agreement: Agreement


def queue_labels(
    root: Root, settings: Settings, model_id: str, count: int, *, audio_url: str = LOCAL_FILES
) -> QueueResult:
    """Pick segments, cut their sound, and write tasks for annotators.

    Args:
        root: whose lake
        settings: labels, law and dissatisfaction
        model_id: the model in use; it has scored the lake
        count: how many are wanted; fewer are given where there are no more
        audio_url: put before `labels/<batch>/snippets/<segment>.wav` in Label Studio's tasks

    Raises:
        LockedError: while a run is at work
    """
    lake = Lake(root.lake)
    with only_run(root):
        n_before = lake.read(LABEL_QUEUE, columns=["rank"]).num_rows
        picks = pick_segments(
            lake, settings, model_id, count, seed=int(digest([model_id, n_before])[:8], 16)
        )
        now = utc_now()
        batch_id = now.strftime("%Y%m%dT%H%M%S") + f"{now.microsecond // 1000:03d}Z"
        folder = root.labels / batch_id
        lost = cut_snippets(picks, folder / SNIPPETS, settings)
        kept = picks.filter(~pl.col("recording_id").is_in(list(lost)))
        if not len(kept):
            return QueueResult(None, None, 0, {}, 0, len(picks))
        write_tasks(kept, folder, settings, model_id, f"{audio_url}labels/{batch_id}/{SNIPPETS}/")
        rows = [
            {
                **{name: pick[name] for name in (*KEY, "start_s", "end_s", "reason")},
                "batch_id": batch_id,
                "rank": rank,
                "model_id": model_id,
                "suggested": suggested(pick),
                "queued_at": now,
            }
            for rank, pick in enumerate(kept.iter_rows(named=True))
        ]
        # the table comes last: it vouches for the files
        lake.write(LABEL_QUEUE, Part(None, batch_id), LABEL_QUEUE.from_rows(rows))
    reasons = dict(Counter(kept["reason"].to_list()).most_common())
    n_callers = kept["caller"].n_unique()
    return QueueResult(batch_id, folder, len(kept), reasons, n_callers, len(picks) - len(kept))


def open_session(root: Root, settings: Settings) -> Session:
    """A labelling session over everything that is queued and may be labelled.

    Raises:
        NothingQueuedError: if there is nothing
    """
    lake = Lake(root.lake)
    barred = known_segments(lake, settings).barred
    queued = sorted(
        lake.read(LABEL_QUEUE).to_pylist(), key=lambda row: (row["batch_id"], row["rank"])
    )
    questions = [
        Question(
            key,
            (row["start_s"], row["end_s"]),
            root.labels / row["batch_id"] / SNIPPETS / f"{segment_name(key)}.wav",
        )
        for row in queued
        if (key := segment_key(row)) not in barred
    ]
    if not questions:
        raise NothingQueuedError
    return Session(
        lake,
        questions,
        emotions=settings.labels.emotions,
        annotators=settings.labels.annotators,
        part_name=f"page-{utc_now():%Y%m%dT%H%M%S}-{os.getpid()}",
    )


def import_labels(
    root: Root, settings: Settings, file: Path, *, annotator: str | None = None
) -> ImportResult:
    """Take in a file of labels, row by row; a decision that is known is not taken twice.

    Args:
        root: whose lake
        settings: whose voice may be labelled
        file: an export of Label Studio or a CSV
        annotator: who labelled, where a row does not say

    Raises:
        LabelFileError: if the file cannot be read
    """
    lake = Lake(root.lake)
    read = read_label_file(file).in_vocabulary(settings.labels.taxonomy)
    verdict = judge(read, known_segments(lake, settings), annotator=annotator, now=utc_now())
    known = set(lake.read(LABELS, columns=["label_id"])["label_id"].to_pylist())
    taken = verdict.taken
    fresh = {row["label_id"]: row for row in taken.values() if row["label_id"] not in known}
    not_added = append(lake, LABELS, f"{read.source}-{read.digest}", list(fresh.values()))
    erased = {row["label_id"] for row in not_added}
    erased_rows = [
        Refusal(number, segment_name(segment_key(row)), "its call was erased meanwhile")
        for number, row in taken.items()
        if row["label_id"] in erased
    ]
    return ImportResult(
        n_taken=len(fresh) - len(erased),
        n_known=len(taken) - len(fresh),
        n_empty=verdict.n_empty,
        refused=[*verdict.refused, *erased_rows],
        agreement=agreement(newest(lake.read(LABELS))),
    )


def label_status(root: Root, settings: Settings) -> LabelStatus:
    """How far the labelling is; labels that may not be used any more are not counted."""
    lake = Lake(root.lake)
    decisions = newest(lake.read(LABELS))
    queued = {tuple(row.values()) for row in lake.read(LABEL_QUEUE, columns=KEY).to_pylist()}
    answered = {tuple(row[name] for name in KEY) for row in decisions}
    gathered = usable_labels(lake, settings)
    emotions = {
        name: {
            use: sum(label.use == use and label.majority == name for label in gathered)
            for use in ("learn", "measure")
        }
        for name in EMOTIONS
    }
    return LabelStatus(
        len(queued),
        len(queued & answered),
        {name: counts for name, counts in emotions.items() if any(counts.values())},
        agreement(decisions),
    )


def known_segments(lake: Lake, settings: Settings) -> KnownSegments:
    """Every segment of the lake; those that were queued where they lay then.

    An agent's may not be labelled, nor that of a customer who objected.
    """
    columns = [*KEY, "start_s", "end_s"]
    spans: dict[SegmentKey, tuple[float, float]] = {}
    for contract in (SEGMENTS, LABEL_QUEUE):
        rows = lake.read(contract, columns=columns).to_pydict()
        for *key, start_s, end_s in zip(*(rows[name] for name in columns), strict=True):
            spans[key[0], key[1], key[2]] = (start_s, end_s)
    reasons = channel_reasons(lake, settings, [key[0] for key in spans])
    why = {
        (recording_id, channel): NOT_SCORED[reason].meaning
        for recording_id, channel, _, reason in reasons.iter_rows()
        if reason is not None
    }
    barred = {key: why[key[:2]] for key in spans if key[:2] in why}
    return KnownSegments(spans, barred)
