"""A lake of callers whose emotions follow from their features, scored by a simulated model."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ser_batch.config import FeatureSettings
from ser_batch.features.sets import get_feature_set
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.tables import features_contract
from ser_batch.testing.lakes import Rows, call_rows, put_rows
from ser_batch.testing.rows import MIDDAY, Row, prediction, segment

FEATURE_SET = FeatureSettings().set
CLASSES = ("anger", "neutral", "sadness")
N_SEGMENTS = 4
SEGMENT_S = 3.0
N_DAYS = 3
RATE_HZ = 8000
Key = tuple[str, int, int]


def put_callers(
    root: Root,
    *,
    n_callers: int = 12,
    calls_each: int = 1,
    with_audio: bool = False,
    seed: int = 0,
    **of_calls: Any,
) -> dict[Key, str]:
    """Write calls of some callers into the lake; what each of their segments truly shows.

    Args:
        root: whose lake
        n_callers: customers, in two queues and over three days
        calls_each: calls of each of them
        with_audio: also a short recording each, which the calls name
        seed: of everything that is drawn
        of_calls: columns of every call
    """
    rng = np.random.default_rng(seed)
    lake, feature_set = Lake(root.lake), get_feature_set(FEATURE_SET)
    truth: dict[Key, str] = {}
    days: dict[dt.date, list[tuple[Rows, list[Row]]]] = defaultdict(list)
    for number in range(n_callers * calls_each):
        recording_id = f"r{number:04}"
        started_at = MIDDAY - dt.timedelta(days=number % N_DAYS)
        given = {
            "started_at": started_at,
            "customer": f"customer-{number % n_callers}",
            "queue": ("billing", "technical")[number % 2],
            "audio_root": str(root.path / "audio"),
            "path": f"{recording_id}.wav",
            **of_calls,
        }
        labels = [CLASSES[(number + i) % len(CLASSES)] for i in range(N_SEGMENTS)]
        truth |= {(recording_id, 1, i): label for i, label in enumerate(labels)}
        days[started_at.date()].append(_call(recording_id, labels, feature_set.names, rng, given))
        if with_audio:
            _write_audio(root.path / "audio" / f"{recording_id}.wav", rng)
    contract = features_contract(feature_set.name, feature_set.names)
    tags = {"feature_set": feature_set.digest, "content": str(seed)}
    for date, calls in days.items():
        part = Part(date, f"shard-{date}")
        put_rows(lake, *(rows for rows, _ in calls), name=part.name, date=date)
        features = contract.from_rows(row for _, own in calls for row in own)
        lake.write(contract, part, features, tags)
    return truth


def _call(
    recording_id: str,
    labels: Sequence[str],
    names: Sequence[str],
    rng: np.random.Generator,
    given: Row,
) -> tuple[Rows, list[Row]]:
    """A call's rows by table, and the features of its segments.

    Features lie around their class's centre, and off it as far as the caller's voice does.
    """
    centres = np.random.default_rng(99).normal(size=(len(CLASSES), len(names)))
    shift = 0.5 * rng.normal(size=len(names))
    segments, features, guesses = [], [], []
    for i, label in enumerate(map(CLASSES.index, labels)):
        start_s, end_s = i * SEGMENT_S, (i + 1) * SEGMENT_S - 0.5
        segments.append(segment(recording_id, 1, i, start_s=start_s, end_s=end_s))
        values = centres[label] + shift + 2 * rng.normal(size=len(names))
        key = {"recording_id": recording_id, "channel": 1, "segment_no": i}
        features.append({**key, **dict(zip(names, values.tolist(), strict=True))})
        guess = rng.dirichlet(np.ones(len(CLASSES)) + 2 * np.eye(len(CLASSES))[label])
        known = dict(zip(CLASSES, guess.tolist(), strict=True))
        guesses.append(prediction(recording_id, 1, i, **known))
    length = {"duration_s": N_SEGMENTS * SEGMENT_S}
    whole = {"recording_id": recording_id, "segments": segments, "of_recording": length}
    return call_rows(*guesses, **whole, **given), features


def _write_audio(path: Path, rng: np.random.Generator) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = 0.05 * rng.normal(size=(int(N_SEGMENTS * SEGMENT_S * RATE_HZ), 2))
    soundfile.write(path, samples, RATE_HZ, subtype="ULAW")
