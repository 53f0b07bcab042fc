"""Contracts of what annotators are asked and what they decide."""

from __future__ import annotations

import pyarrow as pa

from ser_batch.tables.contract import (
    CHANNEL,
    RECORDING_ID,
    SEGMENT_KEY,
    SEGMENT_NO,
    TIME,
    TableContract,
    column,
)

LABEL_QUEUE = TableContract(
    name="label_queue",
    version=1,
    grain="one row a segment that annotators are asked about",
    key=SEGMENT_KEY,
    partitioned=False,
    irreplaceable=True,
    arrow=pa.schema(
        [
            RECORDING_ID,
            CHANNEL,
            SEGMENT_NO,
            column("start_s", pa.float32(), "start in the recording when it was queued, seconds"),
            column("end_s", pa.float32(), "end in the recording when it was queued, seconds"),
            column("batch_id", pa.string(), "the queueing that it belongs to, time-ordered"),
            column("rank", pa.int32(), "order in its batch, from 0"),
            column("reason", pa.string(), "why it was picked; random: for honest measuring"),
            column("model_id", pa.string(), "model whose scores it was picked by"),
            column("suggested", pa.string(), "predicted emotion; null if random", nullable=True),
            column("queued_at", TIME, "UTC"),
        ]
    ),
)


LABELS = TableContract(
    name="labels",
    version=1,
    grain="one row a decision of an annotator; none is ever changed, the newest counts",
    key=("label_id",),
    partitioned=False,
    irreplaceable=True,
    arrow=pa.schema(
        [
            column("label_id", pa.string(), "digest of segment, annotator, time and decision"),
            RECORDING_ID,
            CHANNEL.with_nullable(True),
            SEGMENT_NO.with_nullable(True),
            column("start_s", pa.float32(), "start of the labelled audio, seconds"),
            column("end_s", pa.float32(), "end of the labelled audio, seconds"),
            column("annotator", pa.string(), "who decided"),
            column(
                "emotion",
                pa.string(),
                "or cannot_tell; null: taken back, or a review of a whole call, which has no "
                "channel and segment_no",
                nullable=True,
            ),
            column("made_at", TIME, "when it was decided, UTC"),
            column("source", pa.string(), "page, label_studio, csv, or review: the model was seen"),
            column("imported_at", TIME, "when it came into the lake, UTC"),
            column(
                "verdict",
                pa.string(),
                "of a review: right, wrong, cannot_tell or note",
                nullable=True,
            ),
            column(
                "shown",
                pa.string(),
                "what a review judges: predicted emotion, or dissatisfied or not_flagged of a call",
                nullable=True,
            ),
            column("note", pa.string(), "what the listener wrote", nullable=True),
        ]
    ),
)
