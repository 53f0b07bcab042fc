from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser_batch.config import Settings
from ser_batch.erasure.erase import learnt_from
from ser_batch.errors import ModelError
from ser_batch.features.sets import get_feature_set
from ser_batch.labels.callers import caller_of, is_held_out
from ser_batch.monitoring.reference import read_reference, write_reference
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.manifest import FITTED_TO
from ser_batch.scoring.models import known_models, promote
from ser_batch.scoring.registry import Registry
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS, features_contract
from ser_batch.training.align import align
from tests.bundles import put_bundle
from tests.stages.test_drift import put_day
from tests.training.datasets import blobs

SET = get_feature_set(Settings().features.set)
EVERYBODY = Settings(labels={"held_out_share": 0})
FEATURES = features_contract(SET.name, SET.names)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    root = Root(tmp_path / "root")
    put_bundle(root.models / "first")
    promote(root, Settings(), "first", who="ann", why=("to test",))
    return root


def put_calls(root: Root, *days_ago: int) -> None:
    lake = Lake(root.lake)
    for days in days_ago:
        put_day(lake, days, pitch=3)
    for part in lake.parts(FEATURES):
        lake.write(FEATURES, part, lake.read(FEATURES, [part]), {"feature_set": SET.digest})


def test_the_fitted_model_hears_the_median_call_as_the_median_clip(root: Root):
    put_calls(root, 0, 1)
    found = align(root, EVERYBODY, days=28, who="ann")
    assert (found.n_calls, found.n_segments) == (120, 120)
    assert (found.last - found.first).days == 1
    model, lake = Bundle.load(found.bundle.folder).predictor, Lake(root.lake)
    table = lake.read(FEATURES)
    raw_features = np.stack([table[name].to_numpy() for name in SET.names], axis=1)
    usual = np.median(model.read(raw_features, SET.names), axis=0)
    raw = np.median(raw_features, axis=0)[[SET.names.index(name) for name in model.feature_names]]
    belief = 120 / 140
    expected = (1 - belief) * raw + belief * model.linear.centre
    np.testing.assert_allclose(usual, expected, atol=1e-5)


def test_calls_are_compared_with_the_training_data_as_the_fitted_model_hears_them(root: Root):
    put_calls(root, 0, 1)
    first = Bundle.load(root.models / "first").predictor
    rng = np.random.default_rng(0)
    clips = replace(
        blobs(n_speakers=20),
        features=rng.normal(size=(240, len(first.feature_names))).astype(np.float32),
        names=first.feature_names,
    )
    write_reference(root.models / "first", clips, first.feature_names)
    found = align(root, EVERYBODY, days=28, who="ann")
    table = Lake(root.lake).read(FEATURES)
    raw_features = np.stack([table[name].to_numpy() for name in SET.names], axis=1)
    model = Bundle.load(found.bundle.folder).predictor
    plain, fitted = (read_reference(f) for f in (root.models / "first", found.bundle.folder))
    as_read = plain.counts(model.read(raw_features, SET.names), model.feature_names)
    assert np.abs(fitted.counts(raw_features, SET.names) - as_read).max() <= 1  # a value on an edge
    assert (fitted.clips == plain.clips).all()


def test_it_is_registered_once_and_scores_only_when_it_is_promoted(root: Root):
    put_calls(root, 0)
    for _ in range(2):
        found = align(root, EVERYBODY, days=28, who="ann")
    events = [entry.event for entry in Registry(root.models).entries()]
    assert events == ["promoted", "registered"]
    status = {model.model_id: model.status for model in known_models(root, Settings())}
    assert status[found.bundle.model_id] == "challenger"
    (model,) = [m for m in known_models(root, Settings()) if m.model_id == found.bundle.model_id]
    assert model.uar is None, "it was not measured: its parent was"
    promote(root, Settings(), found.bundle.folder.name, who="ann", why=("fits",))
    with pytest.raises(ModelError, match="aligned already"):
        align(root, EVERYBODY, days=28, who="ann")


def test_an_erased_call_is_known_to_have_shaped_it(root: Root):
    put_calls(root, 0)
    found = align(root, EVERYBODY, days=28, who="ann")
    raw_features = (
        Lake(root.lake).read(FEATURES, columns=["recording_id"])["recording_id"].to_pylist()
    )
    assert learnt_from(root, {raw_features[0]}) == (found.bundle.folder.name,)
    assert learnt_from(root, {"another"}) == ()


def test_only_the_latest_days_are_used(root: Root):
    put_calls(root, 0, 9)
    assert align(root, EVERYBODY, days=9, who="ann").n_calls == 60


def test_too_few_calls_are_said(root: Root):
    with pytest.raises(ModelError, match="0 scored calls"):
        align(root, EVERYBODY, days=28, who="ann")


def test_callers_that_models_are_measured_by_are_not_fitted_to(root: Root):
    put_calls(root, 0, 1)
    found = align(root, Settings(labels={"held_out_share": 0.3}), days=28, who="ann")
    used = set(found.bundle.evaluation[FITTED_TO])
    calls = Lake(root.lake).read(CALLS).to_pylist()
    measuring = {
        call["recording_id"]
        for call in calls
        if is_held_out(caller_of(call["customer"], call["recording_id"]), 0.3)
    }
    assert measuring
    assert used == {call["recording_id"] for call in calls} - measuring
