from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, precision_score

from ser_batch.training.evaluation import evaluate, expected_calibration_error, uar_interval

CLASSES = ("anger", "neutral", "sadness")


@pytest.fixture(scope="module")
def guesses() -> tuple[list[str], np.ndarray, list[str]]:
    rng = np.random.default_rng(0)
    truth = rng.choice(CLASSES, 300, p=[0.6, 0.3, 0.1]).tolist()
    logits = rng.normal(size=(300, 3)) + 1.5 * np.eye(3)[[CLASSES.index(t) for t in truth]]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return truth, p, [f"s{i % 10}" for i in range(300)]


def test_figures_are_scikit_learns(guesses):
    truth, p, speakers = guesses
    found = evaluate(truth, p, CLASSES, speakers)
    predicted = [CLASSES[i] for i in p.argmax(axis=1)]
    assert found.uar == pytest.approx(balanced_accuracy_score(truth, predicted))
    assert found.wa == pytest.approx(np.mean(np.array(truth) == predicted))
    precision = precision_score(truth, predicted, labels=CLASSES, average=None)
    for name, theirs in zip(CLASSES, precision, strict=True):
        assert found.per_class[name].precision == pytest.approx(theirs)
    assert sum(map(sum, found.confusion)) == 300


def test_the_interval_holds_the_figure_and_widens_with_speakers_that_differ(guesses):
    truth, p, speakers = guesses
    found = evaluate(truth, p, CLASSES, speakers)
    assert found.uar_low < found.uar < found.uar_high
    true = np.repeat([0, 1], 50)
    alike = np.where(np.arange(100) % 5 == 0, 1 - true, true)
    uneven = np.where(np.arange(100) % 10 < 2, 1 - true, true)  # two speakers always wrong
    names = [f"s{i % 10}" for i in range(100)]
    narrow = np.ptp(uar_interval(true, alike, [f"s{i // 10}" for i in range(100)], 2))
    assert np.ptp(uar_interval(true, uneven, names, 2)) > 2 * narrow + 0.05


def test_a_class_that_does_not_occur_does_not_count():
    found = evaluate(
        ["anger", "anger"], np.array([[0.9, 0.1], [0.8, 0.2]]), CLASSES[:2], ["a", "b"]
    )
    assert found.uar == 1.0


def test_ece_is_the_gap_between_confidence_and_accuracy():
    confidence = np.repeat([0.95, 0.55], 100)
    correct = np.concatenate([np.ones(75), np.zeros(25), np.ones(55), np.zeros(45)]).astype(bool)
    assert expected_calibration_error(confidence, correct) == pytest.approx(0.1)
