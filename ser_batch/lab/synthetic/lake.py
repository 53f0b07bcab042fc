"""Simulated rows of many analysed calls, without any audio: for what is built upon the lake."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

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

QUEUES = ("billing", "technical", "sales", "delivery", "retention", "general")
PRODUCTS = ("fibre", "mobile", "television", "landline")
CLASSES = ("anger", "disgust", "happiness", "neutral", "sadness")
REASONS = ("louder than this caller's usual", "higher voice", "faster", "more strained voice")
OPENS_HOUR, OPEN_HOURS = 8, 11
MEAN_SEGMENTS = 10
GAP_S = 6.0

Row = dict[str, Any]
Rows = dict[str, list[Row]]


@dataclass(frozen=True)
class MadeLake:
    """What was made.

    Attributes:
        n_calls, n_segments: rows
        first, last: call dates
    """

    n_calls: int
    n_segments: int
    first: dt.date
    last: dt.date


def fill_lake(
    lake: Lake, model_id: str, *, n_calls: int, n_days: int, last: dt.date, seed: int = 1
) -> MadeLake:
    """Write the rows of many calls, a shard a day, as a night leaves them.

    Of six queues one gets worse in the last week; holds make calls worse; one caller in fifty
    objected.

    Args:
        lake: an empty one
        model_id: whose scores they are
        n_calls: over all days
        n_days: call dates up to the last
        last: call date
        seed: of all that is drawn
    """
    rng = np.random.default_rng(seed)
    scores = predictions_contract(model_id)
    days = np.sort(rng.integers(0, n_days, n_calls))
    numbers: dict[int, list[int]] = defaultdict(list)
    for number, day in enumerate(days.tolist()):
        numbers[day].append(number)
    n_segments = 0
    for day, own in numbers.items():
        date = last - dt.timedelta(days=n_days - 1 - day)
        calls = [_call(number, date, is_late=day >= n_days - 7, rng=rng) for number in own]
        tables = {table.name: table for table in (CALLS, RECORDINGS, CHANNELS, SEGMENTS)}
        for name, contract in {**tables, PREDICTIONS.name: scores}.items():
            rows = [row for call in calls for row in call[name]]
            lake.write(contract, Part(date, f"made-{date}"), filled(contract, rows))
        n_segments += sum(len(call[SEGMENTS.name]) for call in calls)
    first = last - dt.timedelta(days=n_days - 1 - min(numbers))
    return MadeLake(n_calls, n_segments, first, last - dt.timedelta(days=n_days - 1 - max(numbers)))


def filled(contract: TableContract, rows: Iterable[Row]) -> pa.Table:
    """Rows with what a column holds where nothing happened for every one that they leave out."""
    blank = {field.name: None if field.nullable else _blank(field.type) for field in contract.arrow}
    return contract.from_rows({**blank, **row} for row in rows)


def _blank(kind: pa.DataType) -> object:
    if pa.types.is_boolean(kind):
        return False
    if pa.types.is_string(kind):
        return ""
    return [] if pa.types.is_nested(kind) else 0


def _call(number: int, date: dt.date, *, is_late: bool, rng: np.random.Generator) -> Rows:
    """A call's rows by table: agent on channel 0, customer on channel 1."""
    recording_id, queue = f"made{number:08}", QUEUES[number % len(QUEUES)]
    n_segments = 1 + int(rng.poisson(MEAN_SEGMENTS - 1))
    length_s = rng.uniform(1.5, 12, n_segments)
    start_s = GAP_S + np.cumsum(length_s + GAP_S) - length_s
    duration_s = float(start_s[-1] + length_s[-1] + GAP_S)
    hold_s = float(rng.choice([0, 0, 20, 90]))
    level = rng.normal(-1.6, 1.0) + hold_s / 90 + 1.2 * (is_late and queue == QUEUES[0])
    slope = rng.normal(0, 1.5) * np.linspace(-0.5, 0.5, n_segments)
    bad = 1 / (1 + np.exp(-(level + slope + rng.normal(0, 0.7, n_segments))))
    objected = bool(rng.random() < 0.02)
    key = {"recording_id": recording_id}
    call = {**_facts(number, date, recording_id), "queue": queue, "objected": objected}
    call["attributes"] = [("product", PRODUCTS[int(rng.integers(len(PRODUCTS)))])]
    opened = dt.datetime.combine(date, dt.time(OPENS_HOUR))
    call["started_at"] = opened + dt.timedelta(hours=float(rng.uniform(0, OPEN_HOURS)))
    segments = [
        {**key, "channel": 1, "segment_no": i, "start_s": start_s[i], "snr_db": 30.0}
        | {"end_s": start_s[i] + length_s[i], "speech_ratio": 0.9, "bandwidth_hz": 3400.0}
        for i in range(n_segments)
    ]
    return {
        CALLS.name: [call],
        RECORDINGS.name: [_recording(recording_id, duration_s, hold_s)],
        CHANNELS.name: [_channel(recording_id, side, duration_s, rng) for side in (0, 1)],
        SEGMENTS.name: segments,
        PREDICTIONS.name: [] if objected else list(_predictions(recording_id, bad, rng)),
    }


def _facts(number: int, date: dt.date, recording_id: str) -> Row:
    """What metadata would say of a call."""
    return {
        "recording_id": recording_id,
        "call_id": f"{date:%Y%m%d}-{number:08}",
        "path": f"{date}/{recording_id}.wav",
        "audio_root": "/simulated",
        "started_at_source": "metadata",
        "team": ("north", "south", "west")[number % 3],
        "customer": f"customer-{number // 2}",
        "language": ("en", "de")[number % 2],
        "notice_given": True,
        "roles": ["agent", "customer"],
        "single_role": "unknown",
        "metadata_found": True,
    }


def _recording(recording_id: str, duration_s: float, hold_s: float) -> Row:
    return {
        "recording_id": recording_id,
        "container": "WAV",
        "codec": "ULAW",
        "sample_rate_hz": 8000,
        "n_channels": 2,
        "duration_s": duration_s + hold_s,
        "hold_s": hold_s,
        "count_holds": int(hold_s > 0),
        "hold_longest_s": hold_s,
        "analysis_id": "made",
    }


def _channel(recording_id: str, side: int, duration_s: float, rng: np.random.Generator) -> Row:
    return {
        "recording_id": recording_id,
        "channel": side,
        "speech_s": duration_s * 0.4,
        "talk_s": duration_s * 0.45,
        "talk_share": 0.5,
        "count_turns": 12,
        "level_db": float(rng.normal(-24, 4)),
        "noise_db": -58.0,
        "snr_db": float(rng.normal(32, 5)),
        "bandwidth_hz": 3400.0,
        "side_overtalk_share": float(rng.uniform(0, 0.1)),
        "count_interruptions": int(rng.poisson(1)),
        "response_time_median_s": float(rng.gamma(2, 0.5)),
        "syllable_rate_hz": float(rng.normal(4.2, 0.4)),
    }


def _predictions(recording_id: str, bad: DoubleArray, rng: np.random.Generator) -> Iterable[Row]:
    """Scores of a call's segments.

    Args:
        recording_id: the call's
        bad: probability that is shared among what counts as dissatisfied, shape (n_segments,)
        rng: draws the rest
    """
    for number, share in enumerate(bad.tolist()):
        anger, disgust, sadness = share * rng.dirichlet((6, 1, 2))
        happiness, neutral = (1 - share) * rng.dirichlet((1, 6))
        known = dict(zip(CLASSES, (anger, disgust, happiness, neutral, sadness), strict=True))
        likeliest = max(known, key=lambda name: known[name])
        yield {
            "recording_id": recording_id,
            "channel": 1,
            "segment_no": number,
            "dissatisfaction": share,
            "is_uncertain": known[likeliest] < 0.35,
            "emotion": likeliest if known[likeliest] >= 0.35 else "uncertain",
            "confidence": known[likeliest],
            "ood_score": 0.3,
            "reasons": [REASONS[int(rng.integers(len(REASONS)))]],
            **{f"p_{name}": value for name, value in known.items()},
        }
