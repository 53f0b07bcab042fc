from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from ser_batch.config import Settings
from ser_batch.erasure.erase import learnt_from
from ser_batch.errors import ModelError
from ser_batch.features.sets import get_feature_set
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.calibration import BinaryCalibration
from ser_batch.scoring.choose import load_model
from ser_batch.scoring.models import known_models, promote, roll_back
from ser_batch.scoring.registry import Registry
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import features_contract
from ser_batch.testing.callers import FEATURE_SET, Key, put_callers
from ser_batch.training.calibrate import calibrate
from ser_batch.training.evaluation import expected_calibration_error
from ser_batch.training.material import gather
from ser_batch.training.refit import refitted
from tests.bundles import put_bundle
from tests.training.test_retrain import put_labels

SETTINGS = Settings(labels={"held_out_share": 0.5})
SHIFT = BinaryCalibration(slope=0.5, offset=-1.5)
"""Of the log-odds here: the model is too sure, and fewer customers are dissatisfied."""


def log_odds_of_segments(root: Root, champion: Bundle) -> dict[Key, float]:
    feature_set = get_feature_set(FEATURE_SET)
    table = Lake(root.lake).read(features_contract(feature_set.name, feature_set.names))
    keys = [
        (row["recording_id"], row["channel"], row["segment_no"])
        for row in table.select(["recording_id", "channel", "segment_no"]).to_pylist()
    ]
    features = np.stack([table[name].to_numpy() for name in feature_set.names], axis=1)
    model = champion.predictor
    read = model.read(features, feature_set.names)
    return dict(zip(keys, model.head.log_odds(read, model.feature_names).tolist(), strict=True))


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root whose annotators hear dissatisfaction as often as `SHIFT` says."""
    root = Root(tmp_path / "root")
    put_callers(root, n_callers=120)
    champion = put_bundle(root.models / "first")
    promote(root, SETTINGS, "first", who="ann", why=("to test",))
    rng = np.random.default_rng(0)
    put_labels(
        root,
        {
            key: "anger" if rng.random() < SHIFT.probabilities(np.array(odds)) else "neutral"
            for key, odds in log_odds_of_segments(root, champion).items()
        },
    )
    return root


def test_probabilities_come_to_mean_what_they_say_and_the_ranking_stays(root: Root):
    champion = load_model(root, SETTINGS)
    found = calibrate(root, SETTINGS, who="ann")
    assert found.refit.ece_after < 0.5 * found.refit.ece_before
    assert found.refit.loss_after < found.refit.loss_before
    material = gather(Lake(root.lake), SETTINGS)
    names = get_feature_set(FEATURE_SET).names
    before, after = (
        model.predictor.dissatisfaction(material.features, names)
        for model in (champion, found.bundle)
    )
    assert (np.argsort(before, kind="stable") == np.argsort(after, kind="stable")).all()
    said = np.array([shares.get("anger", 0.0) for shares in material.measured_by.shares])
    assert expected_calibration_error(after, said) < expected_calibration_error(before, said)


def test_it_is_an_entry_of_its_own_that_can_be_rolled_back(root: Root):
    found = calibrate(root, SETTINGS, who="ann")
    name, first = found.bundle.folder.name, load_model(root, SETTINGS).model_id
    entry = Registry(root.models).entries()[-1]
    assert (entry.event, entry.model_id) == ("registered", found.bundle.model_id)
    assert entry.figures["n_labels"] == len(entry.figures["measured"]) == found.refit.n_labels
    [model] = [m for m in known_models(root, SETTINGS) if m.folder == name]
    assert (model.status, model.uar) == ("challenger", None)
    promote(root, SETTINGS, name, who="ann", why=("fits",))
    assert load_model(root, SETTINGS).model_id == found.bundle.model_id
    roll_back(root, SETTINGS, who="ann", why=("does not fit",))
    assert load_model(root, SETTINGS).model_id == first


def test_an_erased_call_is_known_to_have_calibrated_it(root: Root):
    found = calibrate(root, SETTINGS, who="ann")
    material = gather(Lake(root.lake), SETTINGS)
    assert learnt_from(root, {material.measured_recordings[0]}) == (found.bundle.folder.name,)


def test_a_model_that_is_calibrated_already_is_not_changed(root: Root):
    promote(
        root, SETTINGS, calibrate(root, SETTINGS, who="ann").bundle.folder.name, who="a", why=()
    )
    with pytest.raises(ModelError, match="nothing was changed"):
        calibrate(root, SETTINGS, who="ann")


def test_too_few_random_labels_are_said_with_their_numbers(tmp_path: Path):
    root = Root(tmp_path / "root")
    truth = put_callers(root, n_callers=12)
    put_bundle(root.models / "first")
    promote(root, SETTINGS, "first", who="ann", why=("to test",))
    put_labels(root, dict.fromkeys(truth, "neutral"))
    with pytest.raises(ModelError, match=r"random labels of \d+ callers, 0 of them dissatisfied"):
        calibrate(root, SETTINGS, who="ann")


def test_the_intervals_hold_the_truth_as_often_as_they_say():
    """Callers who differ in how often they are dissatisfied: the interval is of the population."""
    held = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        callers = np.repeat(np.arange(80), 4)
        odds = rng.normal(-1, 2, len(callers))
        truth = (rng.random(len(odds)) < expit(0.5 * odds - 1)).astype(float)
        found = refitted(odds, truth, [f"c{i:02}" for i in callers], BinaryCalibration(2.0, 0.0))
        assert found.slope is not None
        held.append(found.slope[0] <= 0.5 <= found.slope[1])
    assert np.mean(held) > 0.88
