"""A lake from a few rows, for tests of what is built on it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from ser_batch.lake import Lake, Part
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    RECORDINGS,
    SEGMENTS,
    TableContract,
    predictions_contract,
)
from tests.rows import MIDDAY, call, channel, recording, segment

Row = dict[str, Any]
TODAY = MIDDAY.date()
MODEL_ID = "test-model"
PREDICTIONS = predictions_contract(MODEL_ID)


def put(lake: Lake, contract: TableContract, *rows: Row, date: dt.date = TODAY) -> Path:
    """Write rows as a part of their own, named by what they hold."""
    part = Part(date if contract.partitioned else None, f"part-{abs(hash(str(rows))):x}")
    return lake.write(contract, part, contract.from_rows(rows))


def put_call(lake: Lake, *predictions: Row, **given: Any) -> None:
    """A call with one recording, both channels, and a ten-second segment a prediction."""
    recording_id = given.pop("recording_id", "r1")
    segments = given.pop("segments", None) or [
        segment(recording_id, row["channel"], row["segment_no"]) for row in predictions
    ]
    put(lake, CALLS, call(recording_id, **given))
    put(lake, RECORDINGS, recording(recording_id))
    put(lake, CHANNELS, channel(recording_id, 0), channel(recording_id, 1))
    if segments:
        put(lake, SEGMENTS, *segments)
    if predictions:
        put(lake, PREDICTIONS, *({**row, "recording_id": recording_id} for row in predictions))
