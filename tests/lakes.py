"""A lake from a few rows, for tests of what is built on it."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import numpy as np

from ser_batch.store.lake import Lake, Part
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    RECORDINGS,
    SEGMENTS,
    TableContract,
    predictions_contract,
)
from tests.rows import MIDDAY, call, channel, prediction, recording, segment

Row = dict[str, Any]
TODAY = MIDDAY.date()
MODEL_ID = "test-model"
PREDICTIONS = predictions_contract(MODEL_ID)


def put(lake: Lake, contract: TableContract, *rows: Row, name: str = "shard") -> Path:
    """Write rows as a part."""
    part = Part(TODAY if contract.partitioned else None, name)
    return lake.write(contract, part, contract.from_rows(rows))


Rows = dict[str, list[Row]]


def call_rows(*predictions: Row, **given: Any) -> Rows:
    """A call's rows by table: one recording, both channels, a ten-second segment a prediction.

    Args:
        predictions: of its segments
        given: columns of the call; `of_recording` and `of_agent` hold columns of the recording and
            of the agent's channel, `segments` rows in place of the usual ones
    """
    recording_id = given.pop("recording_id", "r1")
    of_recording, of_agent = given.pop("of_recording", {}), given.pop("of_agent", {})
    segments = given.pop("segments", None) or [
        segment(recording_id, row["channel"], row["segment_no"]) for row in predictions
    ]
    return {
        CALLS.name: [call(recording_id, **given)],
        RECORDINGS.name: [recording(recording_id, **of_recording)],
        CHANNELS.name: [channel(recording_id, 0, **of_agent), channel(recording_id, 1)],
        SEGMENTS.name: segments,
        PREDICTIONS.name: [{**row, "recording_id": recording_id} for row in predictions],
    }


def put_rows(lake: Lake, *calls: Rows) -> None:
    """Write the rows of some calls as a shard, named by its first call."""
    name = f"shard-{calls[0][CALLS.name][0]['recording_id']}"
    for contract in (CALLS, RECORDINGS, CHANNELS, SEGMENTS, PREDICTIONS):
        rows = [row for tables in calls for row in tables[contract.name]]
        put(lake, contract, *rows, name=name)


def put_call(lake: Lake, *predictions: Row, **given: Any) -> None:
    """Write one call."""
    put_rows(lake, call_rows(*predictions, **given))


def put_weeks(lake: Lake, *, n_days: int = 35, calls_a_day: int = 24, seed: int = 0) -> None:
    """Weeks of calls in three queues, of which billing gets worse in the last seven days.

    The longer the hold, the more calls are dissatisfied.
    """
    rng = np.random.default_rng(seed)
    calls = []
    for day_no, call_no in itertools.product(range(n_days), range(calls_a_day)):
        queue = ("billing", "technical", None)[call_no % 3]
        angry = 0.9 if queue == "billing" and day_no >= n_days - 7 else 0.25
        recording_id = f"r{day_no:03}-{call_no:04}"
        started_at = MIDDAY - dt.timedelta(
            days=n_days - 1 - day_no, hours=4 - call_no % 9, minutes=-(call_no * 7 % 60)
        )
        hold_s = float(rng.integers(0, 4)) * 40
        angry += hold_s / 400
        level = (0.75 if rng.random() < angry else 0.08) + rng.normal(0, 0.1, 12)
        level += rng.choice([-0.3, 0.0, 0.3]) * np.linspace(-1, 1, 12)
        start_s = np.arange(12) * 24.0 + 4
        end_s = start_s + rng.uniform(4, 16, 12)
        calls.append(
            call_rows(
                *(
                    prediction(segment_no=number, anger=float(anger), neutral=1 - float(anger))
                    for number, anger in enumerate(np.clip(level, 0, 1))
                ),
                recording_id=recording_id,
                queue=queue,
                started_at=started_at,
                objected=call_no % 17 == 16,
                attributes=[("product", ("fibre", "mobile")[call_no % 2])],
                of_recording={"hold_s": hold_s, "hold_longest_s": hold_s},
                segments=[
                    segment(recording_id, 1, number, start_s=start_s[number], end_s=end_s[number])
                    for number in range(12)
                ],
            )
        )
    put_rows(lake, *calls)
