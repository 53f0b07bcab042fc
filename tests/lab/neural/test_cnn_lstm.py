"""A network over spectral sequences, from clips to a bundle that scores."""

# ruff: noqa: E402

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is missing: pip install ser-batch[neural]")

from ser_batch import resources
from ser_batch.features.dataset import LONG_SEGMENT
from ser_batch.features.sets import get_feature_set
from ser_batch.lab.neural.build import NetworkTask, build_network_bundle
from ser_batch.lab.neural.cnn_lstm import CnnLstm
from ser_batch.lab.neural.fit import fit
from ser_batch.lab.neural.material import AUGMENTATION, NeuralMaterial, read_material
from ser_batch.lab.neural.training import CHECKPOINT, Plan, Trainer
from ser_batch.scoring.bundle import Bundle
from tests.lab.neural.tones import write_tones

SMALL = CnnLstm(n_embedding=8, mfcc=(8, 8), scalar=(2, 2))
PLAN = Plan(epochs=12, patience=12, batch=8, rate=1e-2, warm=1)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> NeuralMaterial:
    return read_material(write_tones(tmp_path_factory.mktemp("tones")), "sequence")


def test_neighbours_in_a_batch_and_their_lengths_do_not_matter(material: NeuralMaterial):
    network = SMALL.network(material.inputs).eval()
    inputs = sorted(material.inputs, key=len)[:: len(material.inputs) // 6]
    assert len({len(one) for one in inputs}) > 3
    with torch.no_grad():
        together = network.features(SMALL.batch(inputs, None)).numpy()
        alone = [network(torch.from_numpy(one[None]))[0].numpy() for one in inputs]
    assert together == pytest.approx(np.array(alone), abs=1e-5)


def test_copies_follow_their_clip_and_long_segments_come_last(material: NeuralMaterial):
    copies = material.dataset.copies.tolist()
    n_clips = copies.count(0)
    assert copies[: 2 * n_clips] == [0, 1] * n_clips
    assert set(copies[2 * n_clips :]) == {LONG_SEGMENT}
    assert material.dataset.shares is not None
    assert len(material.clips.inputs) == n_clips


def test_unseen_speakers_are_classified_and_dissatisfaction_follows_the_votes(
    material: NeuralMaterial,
):
    is_seen = np.array([speaker != "tones:d" for speaker in material.dataset.speakers])
    fitted = fit(material.take(is_seen), SMALL, PLAN)
    tested = material.take(~is_seen).clips
    found = [fitted.classes[i] for i in fitted.probabilities(tested.inputs).argmax(axis=1)]
    assert found == list(tested.dataset.emotions)
    level = fitted.dissatisfaction(tested.inputs)
    is_angry = np.array(tested.dataset.emotions) == "anger"
    assert level[is_angry].min() > level[~is_angry].max()
    held_out = {material.take(is_seen).dataset.speakers[row] for row in fitted.held_out}
    assert len(held_out) == 1


def test_a_training_that_was_interrupted_ends_with_the_same_weights(
    material: NeuralMaterial, tmp_path: Path
):
    rows = np.flatnonzero(material.dataset.copies == 0)
    targets = np.column_stack(
        [material.dataset.targets(("anger", "neutral")), np.zeros(len(material.inputs))]
    )
    plan = replace(PLAN, epochs=4)

    def trainer(folder: Path) -> Trainer:
        learnt = [np.array([row]) for row in rows[6:]]
        return Trainer(SMALL, plan, material.inputs, targets, learnt, rows[:6], folder)

    whole, broken, resumed = (trainer(tmp_path / name) for name in ("whole", "broken", "broken"))
    whole.run("", lambda *_: None)
    broken.run("", lambda *_: None, until=2)
    assert (tmp_path / "broken" / CHECKPOINT).exists()
    epochs: list[int] = []
    resumed.run("", lambda _step, done, _total: epochs.append(done))
    assert epochs == [3, 4]
    assert resumed.history.held_out == whole.history.held_out
    assert resumed.history.seconds > 0
    for name, values in whole.network.state_dict().items():
        assert torch.equal(values, resumed.network.state_dict()[name]), name


@pytest.mark.slow
def test_a_bundle_scores_as_the_network_that_was_trained(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(resources, "_added_encoders", [])
    folder = tmp_path / "clips"
    folder.mkdir()
    clips = write_tones(folder)
    task = NetworkTask(SMALL, PLAN, "cnn-lstm", "A network", n_folds=2, augmentation=AUGMENTATION)
    out = tmp_path / "models" / "tones"
    bundle = build_network_bundle(clips, out, task, work=tmp_path / "work")
    assert bundle.evaluation["uar"] > 0.9
    assert bundle.evaluation["decisions"]["tones"]["encoder_labelled"] is False
    assert (
        bundle.manifest.hashes["trees.txt"] == bundle.manifest.hashes["dissatisfaction_trees.txt"]
    )
    described = get_feature_set(bundle.feature_set)
    material = read_material(clips, "sequence", None)
    features = described.features(material.inputs)
    fitted = fit(
        read_material(clips, "sequence"), SMALL, PLAN, folder=tmp_path / "work" / "all"
    )  # its checkpoint is the trained network
    predictor = Bundle.load(out).predictor
    found = predictor.predict(features, described.names)
    assert found == pytest.approx(fitted.probabilities(material.inputs), abs=1e-3)
    level = predictor.dissatisfaction(features, described.names)
    assert level == pytest.approx(fitted.dissatisfaction(material.inputs), abs=1e-3)
    assert predictor.ood_score(features, described.names).mean() < 1
