"""A lake of callers whose emotions follow from their features, scored by a simulated model."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import soundfile

from ser_batch.config import FeatureSettings
from ser_batch.features.sets import get_feature_set
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    RECORDINGS,
    SEGMENTS,
    TableContract,
    features_contract,
    predictions_contract,
)
from tests.lakes import MODEL_ID
from tests.rows import MIDDAY, call, channel, prediction, recording, segment

FEATURE_SET = FeatureSettings().set
CLASSES = ("anger", "neutral", "sadness")
N_SEGMENTS = 4
SEGMENT_S = 3.0
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
    centres = np.random.default_rng(99).normal(size=(len(CLASSES), len(feature_set.names)))
    truth: dict[Key, str] = {}
    days: dict[dt.date, dict[str, list[dict[str, Any]]]] = {}
    for number in range(n_callers * calls_each):
        caller = number % n_callers
        recording_id = f"r{number:04}"
        started_at = MIDDAY - dt.timedelta(days=number % 3)
        rows = days.setdefault(
            started_at.date(),
            {
                name: []
                for name in (
                    "calls",
                    "recordings",
                    "channels",
                    "segments",
                    "features",
                    "predictions",
                )
            },
        )
        rows["calls"].append(
            call(
                recording_id,
                customer=f"customer-{caller}",
                started_at=started_at,
                audio_root=str(root.path / "audio"),
                path=f"{recording_id}.wav",
                **{"queue": ("billing", "technical")[number % 2], **of_calls},
            )
        )
        rows["recordings"].append(recording(recording_id, duration_s=N_SEGMENTS * SEGMENT_S))
        rows["channels"] += [channel(recording_id, 0), channel(recording_id, 1)]
        shift = 0.5 * rng.normal(size=len(feature_set.names))
        for place in range(N_SEGMENTS):
            label = (number + place) % len(CLASSES)
            truth[recording_id, 1, place] = CLASSES[label]
            span = {"start_s": place * SEGMENT_S, "end_s": (place + 1) * SEGMENT_S - 0.5}
            rows["segments"].append(segment(recording_id, 1, place, **span))
            values = centres[label] + shift + 2 * rng.normal(size=len(feature_set.names))
            rows["features"].append(((recording_id, 1, place), values))
            guess = rng.dirichlet(np.ones(len(CLASSES)) + 2 * np.eye(len(CLASSES))[label])
            known = dict(zip(CLASSES, guess.tolist(), strict=True))
            rows["predictions"].append(prediction(recording_id, 1, place, **known))
        if with_audio:
            _write_audio(root.path / "audio" / f"{recording_id}.wav", rng)
    features = features_contract(feature_set.name, feature_set.names)
    for day, rows in days.items():
        part = Part(day, f"shard-{day}")
        for contract in (CALLS, RECORDINGS, CHANNELS, SEGMENTS):
            lake.write(contract, part, contract.from_rows(rows[contract.name]))
        tags = {"feature_set": feature_set.digest, "content": str(seed)}
        keys, values = zip(*rows["features"], strict=True)
        lake.write(features, part, _feature_table(features, keys, np.array(values)), tags)
        scores = predictions_contract(MODEL_ID)
        lake.write(scores, part, scores.from_rows(rows["predictions"]))
    return truth


def _feature_table(contract: TableContract, keys: Sequence[Key], values: np.ndarray) -> pa.Table:
    columns = [*(pa.array(part) for part in zip(*keys, strict=True)), *values.T.astype(np.float32)]
    return contract.conform(pa.table(dict(zip(contract.arrow.names, columns, strict=True))))


def _write_audio(path: Path, rng: np.random.Generator) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = 0.05 * rng.normal(size=(int(N_SEGMENTS * SEGMENT_S * 8000), 2))
    soundfile.write(path, samples, 8000, subtype="ULAW")
