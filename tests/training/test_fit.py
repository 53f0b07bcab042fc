from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ser_batch.emotions import EMOTIONS
from ser_batch.errors import LeakError
from ser_batch.features.dataset import joined
from ser_batch.lab.bench.faults.retraining import QUICK
from ser_batch.scoring.calibration import fit_calibration
from ser_batch.scoring.linear import fit_linear, weighed
from ser_batch.training.crossvalidate import align, cross_validate
from ser_batch.training.fit import train
from tests.training.datasets import CLASSES, blobs


def test_the_same_data_give_the_same_bytes():
    one, other = train(blobs(), QUICK), train(blobs(), QUICK)
    assert one.trees.text == other.trees.text
    assert one.linear.weights.tobytes() == other.linear.weights.tobytes()
    assert one.calibration == other.calibration


def test_other_data_give_another_model():
    assert train(blobs(), QUICK).trees.text != train(blobs(seed=1), QUICK).trees.text


def test_it_learns_what_can_be_learnt_and_not_what_cannot():
    assert cross_validate(blobs(n_clips=30), recipe=QUICK).evaluation.uar > 0.75
    noise = blobs(n_clips=30)
    rng = np.random.default_rng(0)
    shuffled = type(noise)(
        **{**vars(noise), "emotions": tuple(rng.permutation(noise.emotions).tolist())}
    )
    assert cross_validate(shuffled, recipe=QUICK).evaluation.uar < 0.5


def test_calibrated_confidence_is_accuracy_on_unseen_speakers():
    assert cross_validate(blobs(n_clips=60), recipe=QUICK).evaluation.ece < 0.08


def test_every_clip_is_tested_by_a_model_without_its_speaker():
    checked = cross_validate(blobs(), n_folds=3, recipe=QUICK)
    assert checked.proof.n_folds == 3
    assert checked.proof.n_speakers == 6
    np.testing.assert_allclose(checked.probabilities.sum(axis=1), 1)


def test_an_emotion_of_one_speaker_only_can_still_be_trained_on():
    data = blobs()
    rare = tuple(
        "fear" if speaker == "made:0" and emotion == "sadness" else emotion
        for speaker, emotion in zip(data.speakers, data.emotions, strict=True)
    )
    model = train(type(data)(**{**vars(data), "emotions": rare}), QUICK)
    assert model.classes == ("anger", "fear", "neutral", "sadness")
    np.testing.assert_allclose(model.predict(data.features, data.names).sum(axis=1), 1)


def test_one_speaker_is_refused():
    with pytest.raises(LeakError):
        train(blobs(n_speakers=1), QUICK)


def test_the_temperature_undoes_a_scaling():
    data = blobs(n_clips=60)
    targets = data.targets(CLASSES)
    logits = fit_linear(data.features, targets, strength=1.0).logits(data.features)
    plain = fit_calibration(logits, targets).temperature
    assert fit_calibration(3 * logits, targets).temperature == pytest.approx(3 * plain, rel=0.01)


def test_an_outlier_cannot_decide():
    data = blobs()
    head = fit_linear(data.features, data.targets(CLASSES), strength=1.0)
    wild = data.features[:1].copy()
    wild[0, 0] = 1e6
    farther = wild.copy()
    farther[0, 0] = 1e9
    np.testing.assert_array_equal(head.logits(wild), head.logits(farther))


def test_classes_weigh_the_same():
    counted = weighed(np.eye(2)[[0, 0, 0, 1]])
    assert counted.sum(axis=0) == pytest.approx([2, 2])
    assert weighed(np.eye(2)[[0, 0, 0, 1]], balanced=False).sum(axis=0).tolist() == [3, 1]


def test_a_weight_counts_as_a_clip_that_stands_there_so_often():
    targets = np.eye(2)[[0, 0, 1, 1]]
    doubled = weighed(np.eye(2)[[0, 0, 0, 1, 1]]).sum(axis=1)
    counted = weighed(targets, np.array([2.0, 1, 1, 1])).sum(axis=1)
    assert counted == pytest.approx([doubled[0] * 2, *doubled[2:]])
    logits = np.random.default_rng(0).normal(size=(4, 2))
    repeated = fit_calibration(logits[[0, 0, 1, 2, 3]], targets[[0, 0, 1, 2, 3]])
    assert fit_calibration(logits, targets, np.array([2.0, 1, 1, 1])).temperature == pytest.approx(
        repeated.temperature, rel=1e-4
    )


def test_a_corpus_counts_by_its_weight():
    """Two corpora of the same clips that contradict each other: the heavier is believed."""
    one, other = blobs(), blobs(seed=1)
    turned = {"anger": "sadness", "sadness": "anger", "neutral": "neutral"}
    other = dataclasses.replace(
        other,
        emotions=tuple(turned[name] for name in other.emotions),
        speakers=tuple(f"other {name}" for name in other.speakers),
        contents=tuple(f"other {name}" for name in other.contents),
        corpora=("other",) * len(other.corpora),
    )
    both = joined(one, other)
    unseen = blobs(seed=2)

    def right(weight: float) -> float:
        model = train(both.weighed({"other": weight}), QUICK)
        found = model.predict(unseen.features, unseen.names).argmax(axis=1)
        said = np.array(model.classes)[found]
        angry = np.isin(unseen.emotions, ("anger", "sadness"))
        return float((said == np.array(unseen.emotions))[angry].mean())

    assert right(0.1) > 0.7
    assert right(10) < 0.3
    alike = train(both.weighed({"other": 1.0}), QUICK)
    assert alike.linear.weights.tobytes() == train(both, QUICK).linear.weights.tobytes()


def test_aligned_probabilities_keep_their_emotion():
    found = align(np.array([[0.7, 0.3]]), ("sadness", "anger"), ("anger", "fear", "sadness"))
    assert found.tolist() == [[0.3, 0.0, 0.7]]


def test_annotators_who_disagree_teach_a_middle_probability():
    """Clips without any difference in sound, of which a third of the listeners perceive anger."""
    data = blobs(n_clips=30)
    shares = np.zeros((len(data.emotions), len(EMOTIONS)), np.float32)
    shares[:, EMOTIONS.index("anger")] = 1 / 3
    shares[:, EMOTIONS.index("neutral")] = 2 / 3
    voted = dataclasses.replace(data, emotions=("neutral",) * len(data.emotions), shares=shares)
    voted = dataclasses.replace(voted, emotions=("anger", *voted.emotions[1:]))
    found = train(voted, QUICK).dissatisfaction(data.features, data.names)
    assert found == pytest.approx(np.full(len(found), 1 / 3), abs=0.03)


def test_dissatisfaction_is_learnt_in_its_own_right_on_unseen_speakers():
    checked = cross_validate(blobs(n_clips=60), recipe=QUICK)
    angry = np.array(blobs(n_clips=60).emotions) == "anger"
    assert roc_auc_score(angry, checked.decided.dissatisfaction) > 0.85
    assert checked.decided.dissatisfaction.mean() == pytest.approx(angry.mean(), abs=0.05)


def test_labels_on_a_scale_are_learnt_by_their_level():
    data = blobs(n_clips=30)
    scale = dataclasses.replace(QUICK, target={"anger": 1.0, "sadness": 0.5})
    found = train(data, scale).dissatisfaction(data.features, data.names)
    by_emotion = [found[np.array(data.emotions) == name].mean() for name in CLASSES]
    anger, neutral, sadness = by_emotion
    assert anger > sadness > neutral
    assert sadness == pytest.approx(0.5, abs=0.15)


def test_a_label_of_two_names_is_enough():
    data = blobs(n_clips=24).merged({"sadness": "neutral"})
    model = train(data, QUICK)
    assert model.classes == ("anger", "neutral")
    np.testing.assert_allclose(model.predict(data.features, data.names).sum(axis=1), 1)
