"""Nights without Prefect over a few real calls: ingest, analysis and scores in this process."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ser_batch.analysis.describe import CallJob, CallOutcome, describe_calls
from ser_batch.config import Settings
from ser_batch.features.sets import get_feature_set
from ser_batch.scoring.choose import load_model
from ser_batch.stages.analyse import AnalyseResult, analyse, stale_shards
from ser_batch.stages.ingest import ingest
from ser_batch.stages.score import score, unscored_shards
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    FILES,
    METADATA,
    RECORDINGS,
    SEGMENTS,
    features_contract,
    predictions_contract,
)

SETTINGS = Settings(ingest={"min_age_s": 0}, report={"min_calls": 1})


class InThisProcess:
    """The workers' interface without processes, which take seconds to start."""

    n_processes = 1

    def map(self, chunks: Sequence[Sequence[CallJob]]) -> Iterator[list[CallOutcome]]:
        return (describe_calls(chunk) for chunk in chunks)


def light_night(
    root: Root, audio: Path, metadata: Sequence[Path] = (), *, number: int = 1
) -> AnalyseResult:
    """One night up to the scores; what was analysed, bad and lost."""
    lake = Lake(root.lake)
    now = dt.datetime(2026, 11, 3, 2) + dt.timedelta(days=number)
    ingest(lake, [audio], metadata, SETTINGS, now=now, on_progress=lambda _done, _all: None)
    bundle = load_model(root, SETTINGS)
    n_analysed = n_bad = n_lost = 0
    for shard in stale_shards(lake, SETTINGS):
        workers: Any = InThisProcess()
        done = analyse(lake, shard, SETTINGS, workers, now=now, on_calls=lambda _count: None)
        n_analysed, n_bad = n_analysed + done.n_analysed, n_bad + done.n_bad
        n_lost += done.n_lost
    for shard in unscored_shards(lake, bundle.model_id, SETTINGS):
        score(lake, shard, bundle, SETTINGS)
    return AnalyseResult(n_analysed, n_bad, n_lost)


def everything(root: Root) -> dict[str, list[dict[str, Any]]]:
    """Rows of every table that a night makes of its calls."""
    lake = Lake(root.lake)
    feature_set = get_feature_set(SETTINGS.features.set)
    features = features_contract(feature_set.name, feature_set.names)
    predictions = predictions_contract(load_model(root, SETTINGS).model_id)
    tables = (FILES, METADATA, CALLS, RECORDINGS, CHANNELS, SEGMENTS, features, predictions)
    return {
        table.name: lake.read(table).sort_by("recording_id").to_pylist()
        if table is not METADATA
        else lake.read(table).to_pylist()
        for table in tables
    }
