"""Align: the champion fitted to what this root's customers usually sound like, without a label."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.arrays import FloatArray
from ser_batch.config import Settings
from ser_batch.errors import ModelError
from ser_batch.features.sets import get_feature_set
from ser_batch.labels.gather import held_out_recordings
from ser_batch.monitoring.reference import write_aligned_reference
from ser_batch.scoring.alignment import aligned
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.choose import load_model
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.tables import TableContract, features_contract
from ser_batch.training.derive import derive

SUFFIX = "-aligned"
MIN_CALLS = 20
MOST_SEGMENTS = 40_000
"""Segments that the median is taken of, spread evenly over the days."""


@dataclass(frozen=True)
class Aligned:
    """A model fitted to a place.

    Attributes:
        bundle: of the model
        n_calls, n_segments: what it was fitted to
        first, last: call dates of these
    """

    bundle: Bundle
    n_calls: int
    n_segments: int
    first: dt.date
    last: dt.date


def align(root: Root, settings: Settings, *, days: int, who: str) -> Aligned:
    """Fit the champion to the calls of some days and register it; to be called with the root held.

    Its scores are on another level than the champion's: it scores once it is promoted.

    Args:
        root: whose calls, and whose champion
        settings: of the features
        days: call dates up to the latest one that are used
        who: for the log

    Raises:
        ModelError: if the champion is aligned already, or there are too few calls
    """
    champion, lake = load_model(root, settings), Lake(root.lake)
    if champion.predictor.shift is not None:
        raise ModelError(
            f"{champion.model_id} is aligned already: promote the model that it was made from "
            "(`ser-batch models list`), then align again"
        )
    usual = _usual(lake, settings, days)
    n_calls = len(usual.recordings)
    if n_calls < MIN_CALLS:
        raise ModelError(
            f"{n_calls} scored calls in {days} days, without those of callers that measure models: "
            f"{MIN_CALLS} are needed to know how customers usually sound here; give more --days if "
            "there are any, or wait for more nights"
        )
    names = get_feature_set(settings.features.set).names
    features = champion.predictor.read(usual.features, names)
    first, last = usual.parts[0].date, usual.parts[-1].date
    assert first is not None
    assert last is not None
    fitted = aligned(champion.predictor, features, n_calls=n_calls)
    assert fitted.shift is not None
    bundle = derive(
        root,
        replace(champion, predictor=fitted),
        suffix=SUFFIX,
        basis=f"fitted by `ser-batch models align` to {n_calls} calls, {len(features)} segments, "
        f"of {first} to {last}, without labels",
        recordings=usual.recordings,
        write_reference=partial(write_aligned_reference, champion.folder, shift=fitted.shift),
        who=who,
    )
    return Aligned(bundle, n_calls, len(features), first, last)


@dataclass(frozen=True)
class _Heard:
    features: FloatArray
    recordings: set[str]
    parts: list[Part]


def _usual(lake: Lake, settings: Settings, days: int) -> _Heard:
    """Features of customers' segments, without those of callers that models are measured by.

    The features of customers who object were taken out of the lake.
    """
    feature_set = get_feature_set(settings.features.set)
    contract = features_contract(feature_set.name, feature_set.names)
    parts = [part for part in lake.parts(contract) if _fits(lake, contract, part, settings)]
    latest = max((part.date for part in parts if part.date), default=None)
    chosen = [part for part in parts if part.date and latest and (latest - part.date).days < days]
    rows: list[FloatArray] = []
    recordings: set[str] = set()
    measuring = held_out_recordings(lake, settings.labels.held_out_share)
    for part in chosen:
        table = lake.read(contract, [part])
        table = table.filter(pc.invert(pc.is_in(table["recording_id"], measuring)))
        recordings |= {str(name) for name in table["recording_id"].unique().to_pylist()}
        rows.append(_matrix(table, feature_set.names, MOST_SEGMENTS // len(chosen)))
    empty = np.zeros((0, len(feature_set.names)), np.float32)
    return _Heard(np.concatenate([empty, *rows]), recordings, chosen)


def _fits(lake: Lake, contract: TableContract, part: Part, settings: Settings) -> bool:
    """Whether the features are of this definition."""
    digest = get_feature_set(settings.features.set).digest
    return (lake.tags(contract, part) or {}).get("feature_set") == digest


def _matrix(table: pa.Table, names: tuple[str, ...], most: int) -> FloatArray:
    """Every so many rows of a shard as an array."""
    step = max(-(-len(table) // max(most, 1)), 1)
    taken = table.take(np.arange(0, len(table), step))
    columns = [taken[name].to_numpy() for name in names]
    return np.stack(columns, axis=1).astype(np.float32)
