"""Lakes of synthetic calls: a call from its predictions, and weeks of calls."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ser_batch.arrays import DoubleArray
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    PREDICTIONS,
    RECORDINGS,
    SEGMENTS,
    TableContract,
    predictions_contract,
)
from ser_batch.testing.rows import MIDDAY, Row, call, channel, prediction, recording, segment

TODAY = MIDDAY.date()
MODEL_ID = "test-model"
QUEUES = ("billing", "technical", None)
PRODUCTS = ("fibre", "mobile", "television", "landline")
CLASSES = ("anger", "disgust", "happiness", "neutral", "sadness")
REASONS = ("louder than this caller's usual", "higher voice", "faster", "more strained voice")
LEAST_CONFIDENCE = 0.35
OPENS, OPEN_HOURS = dt.time(8), 11
LEAST_SEGMENTS, MEAN_SEGMENTS = 3, 10
GAP_S = 6.0

Rows = dict[str, list[Row]]


def put(
    lake: Lake, contract: TableContract, *rows: Row, name: str = "shard", date: dt.date = TODAY
) -> Path:
    """Write rows as a part."""
    part = Part(date if contract.partitioned else None, name)
    return lake.write(contract, part, contract.from_rows(rows))


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


def put_rows(
    lake: Lake,
    *calls: Rows,
    name: str | None = None,
    date: dt.date = TODAY,
    model_id: str = MODEL_ID,
) -> None:
    """Write the rows of some calls as a shard, named by its first call unless a name is given."""
    name = name or f"shard-{calls[0][CALLS.name][0]['recording_id']}"
    tables = {table.name: table for table in (CALLS, RECORDINGS, CHANNELS, SEGMENTS)}
    for table, contract in {**tables, PREDICTIONS.name: predictions_contract(model_id)}.items():
        put(lake, contract, *(row for rows in calls for row in rows[table]), name=name, date=date)


def put_call(lake: Lake, *predictions: Row, **given: Any) -> None:
    """Write one call."""
    put_rows(lake, call_rows(*predictions, **given))


def put_weeks(
    lake: Lake,
    model_id: str = MODEL_ID,
    *,
    n_calls: int = 840,
    n_days: int = 35,
    queues: Sequence[str | None] = QUEUES,
    seed: int = 1,
) -> int:
    """Write calls of some weeks, a shard a day, as a night leaves them; how many segments.

    The first queue gets worse in the last seven days; holds make calls worse; one caller in fifty
    objected, and is not scored.

    Args:
        lake: an empty one
        model_id: whose scores they are
        n_calls: over all days
        n_days: call dates up to `TODAY`
        queues: of the calls, in turn
        seed: of all that is drawn
    """
    rng = np.random.default_rng(seed)
    numbers: dict[dt.date, list[int]] = defaultdict(list)
    for number, day in enumerate(np.sort(rng.integers(0, n_days, n_calls)).tolist()):
        numbers[TODAY - dt.timedelta(days=n_days - 1 - day)].append(number)
    n_segments = 0
    for date, own in numbers.items():
        is_late = date > TODAY - dt.timedelta(days=7)
        calls = []
        for number in own:
            queue = queues[number % len(queues)]
            gets_worse = is_late and queue == queues[0]
            calls.append(_synthetic_call(number, date, queue, gets_worse=gets_worse, rng=rng))
        put_rows(lake, *calls, name=f"synthetic-{date}", date=date, model_id=model_id)
        n_segments += sum(len(rows[SEGMENTS.name]) for rows in calls)
    return n_segments


def _synthetic_call(
    number: int, date: dt.date, queue: str | None, *, gets_worse: bool, rng: np.random.Generator
) -> Rows:
    """A call's rows by table; its segments lie a gap apart, and hold what is drawn for them."""
    recording_id = f"synthetic{number:08}"
    n_segments = LEAST_SEGMENTS + int(rng.poisson(MEAN_SEGMENTS - LEAST_SEGMENTS))
    length_s = rng.uniform(1.5, 12, n_segments)
    start_s = GAP_S + np.cumsum(length_s + GAP_S) - length_s
    hold_s = float(rng.choice([0, 0, 40, 80, 120]))
    level = rng.normal(-2.6, 1.0) + hold_s / 80 + 2.4 * gets_worse
    slope = rng.normal(0, 1.5) * np.linspace(-0.5, 0.5, n_segments)
    share = 1 / (1 + np.exp(-(level + slope + rng.normal(0, 0.7, n_segments))))
    objected = bool(rng.random() < 0.02)
    opened = dt.datetime.combine(date, OPENS)
    return call_rows(
        *([] if objected else _predictions(share, rng)),
        recording_id=recording_id,
        queue=queue,
        objected=objected,
        started_at=opened + dt.timedelta(hours=float(rng.uniform(0, OPEN_HOURS))),
        team=("north", "south", "west")[number % 3],
        language=("en", "de")[number % 2],
        attributes=[("product", PRODUCTS[int(rng.integers(len(PRODUCTS)))])],
        segments=[
            segment(recording_id, 1, i, start_s=start_s[i], end_s=start_s[i] + length_s[i])
            for i in range(n_segments)
        ],
        of_recording={
            "duration_s": float(start_s[-1] + length_s[-1] + GAP_S + hold_s),
            "hold_s": hold_s,
            "hold_longest_s": hold_s,
            "count_holds": int(hold_s > 0),
        },
        of_agent={"level_db": float(rng.normal(-24, 4)), "snr_db": float(rng.normal(32, 5))},
    )


def _predictions(share: DoubleArray, rng: np.random.Generator) -> Sequence[Row]:
    """Scores of a call's segments.

    Args:
        share: probability that is split among what counts as dissatisfied, shape (n_segments,)
        rng: draws the rest
    """
    rows = []
    for number, dissatisfaction in enumerate(share.tolist()):
        anger, disgust, sadness = dissatisfaction * rng.dirichlet((6, 1, 2))
        happiness, neutral = (1 - dissatisfaction) * rng.dirichlet((1, 6))
        known = dict(zip(CLASSES, (anger, disgust, happiness, neutral, sadness), strict=True))
        row = prediction(
            segment_no=number,
            emotion=None if max(known.values()) >= LEAST_CONFIDENCE else "uncertain",
            dissatisfaction=dissatisfaction,
            **known,
        )
        rows.append({**row, "reasons": [REASONS[int(rng.integers(len(REASONS)))]]})
    return rows
