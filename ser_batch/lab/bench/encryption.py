"""What encryption costs: the same lake plain and under a key, in core seconds and bytes."""

from __future__ import annotations

import secrets
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ser_batch import warehouse
from ser_batch.config import EncryptionSettings, Settings
from ser_batch.features.sets import get_feature_set
from ser_batch.scoring.bundle import default_bundle_path
from ser_batch.scoring.manifest import read_manifest
from ser_batch.stages.publish import publish
from ser_batch.store.encrypt import begin
from ser_batch.store.lake import Lake
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
from ser_batch.testing.lakes import put_weeks

STATEMENT = "select queue, call_date, avg(dissatisfaction) from call_summary group by all"


def run(
    n_calls: int,
    n_days: int,
    settings: Settings,
    *,
    rounds: int = 5,
    on_step: Callable[[str], None] = lambda _said: None,
) -> dict[str, Any]:
    """Write, read, publish and query a lake of synthetic calls, plain and encrypted in turn.

    Args:
        n_calls: over all days
        n_days: call dates, a shard each
        settings: of publishing
        rounds: of which the median counts
        on_step: called with the step

    Returns:
        calls, segments, bytes of lake and warehouse, core seconds of each step in both forms, and
        `ratio_…`: encrypted over plain
    """
    model_id = read_manifest(default_bundle_path()).model_id
    seconds: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="ser-batch-bench-") as folder:
        source = Lake(Path(folder) / "source")
        on_step(f"making {n_calls} calls")
        n_segments = put_weeks(source, model_id, n_calls=n_calls, n_days=n_days)
        tables = _with_features(source, settings.features.set, model_id)
        sizes: dict[str, int] = {}
        for number in range(rounds):
            on_step(f"round {number + 1} of {rounds}")
            for form in ("plain", "encrypted"):
                root = Root(Path(folder) / f"{form}{number}")
                if form == "encrypted":
                    begin(root, EncryptionSettings(key=secrets.token_hex(16)))
                for step, took_s in _steps(source, root, tables, settings, model_id).items():
                    seconds[f"{step}_{form}_core_s"].append(took_s)
                sizes[f"lake_{form}_bytes"] = _bytes(root.lake)
                sizes[f"warehouse_{form}_bytes"] = root.warehouse.stat().st_size
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    measured: dict[str, float] = {**sizes, **medians}
    ratios = {
        f"ratio_{name.replace('_plain', '')}": measured[name.replace("plain", "encrypted")] / value
        for name, value in measured.items()
        if "_plain_" in name
    }
    return {"n_calls": n_calls, "n_segments": n_segments, **measured, **ratios}


def _with_features(source: Lake, name: str, model_id: str) -> list[TableContract]:
    """Features for every segment, drawn at random; the tables that a night writes."""
    feature_set = get_feature_set(name)
    features = features_contract(feature_set.name, feature_set.names)
    rng = np.random.default_rng(1)
    for part in source.parts(SEGMENTS):
        keys = source.read(SEGMENTS, [part], ["recording_id", "channel", "segment_no"])
        values = rng.normal(size=(len(feature_set.names), keys.num_rows)).astype(np.float32)
        columns = dict(zip(feature_set.names, map(pa.array, values), strict=True))
        rows = {**{name: keys[name] for name in keys.column_names}, **columns}
        source.write(features, part, pa.table(rows))
    return [CALLS, RECORDINGS, CHANNELS, SEGMENTS, features, predictions_contract(model_id)]


def _steps(
    source: Lake, root: Root, tables: list[TableContract], settings: Settings, model_id: str
) -> dict[str, float]:
    """Core seconds of each step on an empty root."""
    lake = Lake(root.lake)

    def write() -> None:
        for contract in tables:
            for part, rows in held[contract.name]:
                lake.write(contract, part, rows)

    def query() -> None:
        with warehouse.connect(root.warehouse) as con:
            warehouse.query(con, STATEMENT)

    held = {
        contract.name: [(part, source.read(contract, [part])) for part in source.parts(contract)]
        for contract in tables
    }
    work: dict[str, Callable[[], object]] = {
        "write": write,
        "read": lambda: [lake.read(contract) for contract in tables],
        "publish": lambda: publish(root, settings, model_id),
        "query": query,
    }
    return {name: _timed(step) for name, step in work.items()}


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
