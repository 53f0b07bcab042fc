from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ser_batch.config import ModelSettings
from ser_batch.dimensions import DIMENSIONS
from ser_batch.errors import BundleError
from ser_batch.features.sets import get_feature_set
from ser_batch.lab.bench.faults.retraining import QUICK
from ser_batch.scoring.bundle import Bundle, default_bundle_path
from ser_batch.scoring.bundle_writer import BundleFacts, write_bundle
from ser_batch.scoring.manifest import FILES
from ser_batch.scoring.predictor import Predictor
from ser_batch.stages.score import Described, prediction_rows
from ser_batch.training.dimensions import fit_dimensions
from ser_batch.training.fit import train
from tests.training.datasets import CLASSES, blobs


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return train(blobs(), QUICK)


def written(folder: Path, predictor: Predictor) -> Bundle:
    return write_bundle(
        folder,
        predictor,
        BundleFacts(
            name="made",
            feature_set="descriptors_v1",
            band="telephone",
            training=[{"corpus": "made"}],
            licence="CC0-1.0",
            made_with={"numpy": "2"},
            evaluation={"uar": 0.5},
        ),
        card="# made\n",
    )


def test_what_is_read_predicts_what_was_written(tmp_path, predictor):
    bundle = written(tmp_path / "made", predictor)
    data = blobs(seed=3)
    for answer in ("predict", "dissatisfaction", "ood_score"):
        read, wrote = (
            getattr(model, answer)(data.features, data.names)
            for model in (bundle.predictor, predictor)
        )
        np.testing.assert_allclose(read, wrote, rtol=1e-4)  # numbers are kept in single precision
    assert bundle.classes == CLASSES
    assert bundle.feature_set == "descriptors_v1"
    assert bundle.evaluation == {"uar": 0.5}


def test_a_head_for_arousal_and_valence_is_kept_and_reaches_the_predictions(tmp_path, predictor):
    data = blobs(seed=3, n_speakers=8)
    rated = replace(data, dimensions=np.clip(3 + data.features[:, :2], 1, 5).astype(np.float64))
    bundle = written(tmp_path / "rated", replace(predictor, dimension_head=fit_dimensions(rated)))
    values = bundle.predictor.dimensions(data.features, data.names)
    assert 1 <= values.min() < 2
    assert 4 < values.max() <= 5
    assert np.corrcoef(values[:, 0], rated.dimensions[:, 0])[0, 1] > 0.8
    keys = {"recording_id": ["r"] * 96, "channel": [1] * 96, "segment_no": list(range(96))}
    for read, expected in ((bundle, values), (written(tmp_path / "plain", predictor), None)):
        described = Described(data.features, data.names)
        rows = prediction_rows(pa.table(keys), described, read, ModelSettings(), said=None)
        for number, name in enumerate(DIMENSIONS):
            if expected is None:
                assert rows[name].null_count == 96
            else:
                assert rows[name].to_pylist() == pytest.approx(expected[:, number], abs=1e-5)


def test_reordered_and_additional_columns_change_nothing(tmp_path, predictor):
    bundle = written(tmp_path / "made", predictor)
    data = blobs(seed=3)
    order = np.random.default_rng(0).permutation(8)
    shuffled = np.hstack([data.features[:, order], np.full((len(data.features), 1), 9, np.float32)])
    names = [*(data.names[i] for i in order), "unknown"]
    np.testing.assert_array_equal(
        bundle.predictor.predict(shuffled, names),
        bundle.predictor.predict(data.features, data.names),
    )


def test_a_missing_feature_is_named(tmp_path, predictor):
    bundle = written(tmp_path / "made", predictor)
    with pytest.raises(BundleError, match=r"zcr\.speech\.mean"):
        bundle.predictor.predict(np.zeros((1, 7), np.float32), bundle.feature_names[1:])


def test_no_segment_gives_no_row(tmp_path, predictor):
    bundle = written(tmp_path / "made", predictor)
    assert bundle.predictor.predict(np.zeros((0, 8), np.float32), bundle.feature_names).shape == (
        0,
        3,
    )


def test_the_same_model_has_the_same_id_and_another_has_not(tmp_path, predictor):
    first = written(tmp_path / "a", predictor).model_id
    assert first.startswith("made-")
    assert written(tmp_path / "b", predictor).model_id == first
    assert written(tmp_path / "c", train(blobs(seed=1), QUICK)).model_id != first


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_noticed(tmp_path, predictor, name):
    folder = written(tmp_path / "made", predictor).folder
    with (folder / name).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(BundleError, match=f"{name} was changed"):
        Bundle.load(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_noticed(tmp_path, predictor, name):
    folder = written(tmp_path / "made", predictor).folder
    (folder / name).unlink()
    with pytest.raises(BundleError, match=name):
        Bundle.load(folder)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format_version", 99, "bundle format 99"),
        ("feature_set_digest", "0", "another definition"),
        ("classes", ["anger", "joy", "sadness"], "'joy' is no emotion"),
        ("surprise", 1, "surprise"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(tmp_path, predictor, key, value, message):
    folder = written(tmp_path / "made", predictor).folder
    manifest = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps({**manifest, key: value}))
    with pytest.raises(BundleError, match=message):
        Bundle.load(folder)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path):
    with pytest.raises(BundleError, match="no model bundle"):
        Bundle.load(tmp_path)


def test_nothing_in_a_bundle_can_run_code(tmp_path, predictor):
    folder = written(tmp_path / "made", predictor).folder
    with np.load(folder / "linear.npz", allow_pickle=False) as stored:
        assert all(stored[key].dtype.kind == "f" for key in stored)
    assert {path.suffix for path in folder.iterdir()} == {".json", ".txt", ".npz", ".md"}


def test_the_bundled_model_reads_this_programs_features(tmp_path):
    copy = shutil.copytree(default_bundle_path(), tmp_path / "copy")
    bundle = Bundle.load(copy)
    feature_set = get_feature_set(bundle.feature_set)
    rng = np.random.default_rng(0)
    noise = (0.05 * rng.normal(size=16000)).astype(np.float32)
    features = feature_set.extract(noise, np.array([[0.0, 1.0], [1.0, 2.0]]))
    probabilities = bundle.predictor.predict(features, feature_set.names)
    assert probabilities.shape == (2, len(bundle.classes))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert bundle.manifest.licence == "ODbL-1.0"
    assert sum(path.stat().st_size for path in copy.iterdir()) < 2_000_000
