"""Align: the champion fitted to what this root's customers usually sound like, without a label."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.arrays import FloatArray
from ser_batch.config import Settings
from ser_batch.errors import ModelError
from ser_batch.features.sets import get_feature_set
from ser_batch.labels.gather import held_out_recordings
from ser_batch.monitoring.drift import write_aligned_reference
from ser_batch.scoring.alignment import aligned
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.bundle_writer import BundleFacts, write_bundle
from ser_batch.scoring.choose import load_model
from ser_batch.scoring.manifest import ALIGNED_TO, CARD
from ser_batch.scoring.registry import Registry
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.tables import TableContract, features_contract

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
    fitted = replace(champion, predictor=aligned(champion.predictor, features, n_calls=n_calls))
    basis = (
        f"fitted to {n_calls} calls, {len(features)} segments, of {usual.parts[0].date} to "
        f"{usual.parts[-1].date}, without labels"
    )
    bundle = _written(root, fitted, basis, usual.recordings)
    registry = Registry(root.models)
    if all(entry.model_id != bundle.model_id for entry in registry.entries()):
        why = (f"{champion.model_id} {basis}",)
        registry.add("registered", bundle.model_id, bundle.folder.name, who=who, why=why)
    first, last = usual.parts[0].date, usual.parts[-1].date
    assert first is not None
    assert last is not None
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


def _written(root: Root, fitted: Bundle, basis: str, recordings: set[str]) -> Bundle:
    """The bundle in its place below models/, whole or not at all."""
    manifest = fitted.manifest
    name = manifest.name.removesuffix(SUFFIX) + SUFFIX
    root.models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.models, prefix=".") as place:
        building = Path(place) / name
        card = (fitted.folder / CARD).read_text(encoding="utf-8")
        facts = BundleFacts(
            name=name,
            feature_set=manifest.feature_set,
            band=manifest.band,
            training=manifest.training,
            licence=manifest.licence,
            made_with=manifest.made_with,
            evaluation={**fitted.evaluation, ALIGNED_TO: sorted(recordings)},
        )
        bundle = write_bundle(
            building,
            fitted.predictor,
            facts,
            card=f"# {name}\n\nThis model is the one below, {basis} by `ser-batch models align`. "
            f"The figures are of the model that it was made from.\n\n{card}",
        )
        assert fitted.predictor.shift is not None
        write_aligned_reference(fitted.folder, building, fitted.predictor.shift)
        target = root.models / bundle.model_id
        if not target.exists():
            building.rename(target)
    return Bundle.load(target)
