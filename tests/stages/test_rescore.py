from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from ser_batch.config import Settings
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.models import set_shadow
from ser_batch.stages.rescore import rescore, shadow_models
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import predictions_contract
from ser_batch.testing.callers import N_SEGMENTS, put_callers
from ser_batch.testing.lakes import MODEL_ID, TODAY
from tests.bundles import put_bundle

BY_ANN = {"who": "ann", "why": ("to test",)}


@pytest.fixture
def root(tmp_path: Path) -> Root:
    root = Root(tmp_path / "root")
    put_callers(root, n_callers=6)  # two a day, on three days
    put_bundle(root.models / "other")
    return root


def other(root: Root) -> Bundle:
    return Bundle.load(root.models / "other")


def test_another_models_scores_come_beside_those_that_are_there(root: Root):
    lake, bundle = Lake(root.lake), other(root)
    before = lake.read(predictions_contract(MODEL_ID))
    result = rescore(lake, Settings(), bundle)
    assert (result.n_shards, result.n_segments) == (3, 6 * N_SEGMENTS)
    scored = lake.read(predictions_contract(bundle.model_id))
    assert scored.num_rows == before.num_rows
    assert lake.read(predictions_contract(MODEL_ID)).equals(before)


def test_only_the_days_that_are_asked_for_are_scored(root: Root):
    lake, bundle = Lake(root.lake), other(root)
    yesterday = TODAY - dt.timedelta(days=1)
    rescore(lake, Settings(), bundle, since=yesterday, until=yesterday)
    assert [part.date for part in lake.parts(predictions_contract(bundle.model_id))] == [yesterday]
    rescore(lake, Settings(), bundle, since=yesterday)
    assert len(lake.parts(predictions_contract(bundle.model_id))) == 2


def test_what_was_scored_is_not_scored_again(root: Root):
    lake, bundle = Lake(root.lake), other(root)
    rescore(lake, Settings(), bundle)
    again = rescore(lake, Settings(), bundle)
    assert (again.n_shards, again.n_current) == (0, 3)


def test_a_shadow_that_is_gone_or_reads_other_features_stops_nothing(root: Root):
    put_bundle(root.models / "gone", seed=1)
    for name in ("other", "gone"):
        set_shadow(root, Settings(), name, on=True, **BY_ANN)
    assert len(shadow_models(root, Settings())[0]) == 2
    shutil.rmtree(root.models / "gone")
    bundles, left_out = shadow_models(root, Settings())
    assert [bundle.folder for bundle in bundles] == [root.models / "other"]
    assert left_out == ["gone"]
    (root.models / "other" / "trees.txt").write_text("changed", encoding="utf-8")
    assert shadow_models(root, Settings()) == ([], ["other", "gone"])
