"""Contract of what customers say, where the policy lets words be kept."""

from __future__ import annotations

import pyarrow as pa

from ser_batch.tables.contract import (
    CHANNEL,
    RECORDING_ID,
    SEGMENT_KEY,
    SEGMENT_NO,
    TableContract,
    column,
)

TRANSCRIPTS = TableContract(
    name="transcripts",
    version=1,
    grain="one row a segment of a customer that may be scored, of calls with a transcript",
    key=SEGMENT_KEY,
    arrow=pa.schema(
        [
            RECORDING_ID,
            CHANNEL,
            SEGMENT_NO,
            column("text", pa.string(), "words without numbers, addresses and names; may be empty"),
            column("analysis_id", pa.string(), "digest of the settings that cut the segment"),
            column("source", pa.string(), "digest of the transcript and of whose words are whose"),
            column("redaction", pa.string(), "digest of the rules by which words were taken out"),
        ]
    ),
)
