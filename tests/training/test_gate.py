from __future__ import annotations

import numpy as np
import pytest

from ser_batch.config import RetrainSettings
from ser_batch.training.gate import HoldoutSet, ModelComparison, compare_models, paired_interval

CLASSES = ("anger", "neutral")
N = 200


def measured(n_callers: int = 20, queues: tuple[str, ...] = ("billing",)) -> HoldoutSet:
    return HoldoutSet(
        truth=[CLASSES[i % 2] for i in range(N)],
        callers=[f"c{i % n_callers}" for i in range(N)],
        slices=[{"queue": queues[(i // 2) % len(queues)]} for i in range(N)],
    )


def guesses(
    by: HoldoutSet, right: np.ndarray | float, *, sure: float = 0.8, seed: int = 0
) -> np.ndarray:
    """Probabilities that are right on some share of the segments."""
    rng = np.random.default_rng(seed)
    hit = rng.random(N) < right
    truth = np.array([CLASSES.index(name) for name in by.truth])
    guess = np.where(hit, truth, 1 - truth)
    return np.where(np.arange(2) == guess[:, None], sure, 1 - sure)


def compare(
    by: HoldoutSet, champion: np.ndarray, challenger: np.ndarray, **given
) -> ModelComparison:
    return compare_models(by, champion, challenger, CLASSES, RetrainSettings(**given))


def test_a_clearly_better_model_may_take_over_and_the_reason_has_the_figures():
    by = measured()
    found = compare(by, guesses(by, 0.6), guesses(by, 0.85))
    assert found.is_better
    assert found.low > 0
    assert f"{found.challenger_uar:.3f}" in found.reasons[0]
    assert "unseen callers" in found.reasons[0]


def test_the_same_model_never_takes_over():
    by = measured()
    found = compare(by, guesses(by, 0.8), guesses(by, 0.8))
    assert (found.is_better, found.difference) == (False, 0.0)
    assert "not better" in found.reasons[0]


def test_chance_promotes_as_seldom_as_the_confidence_says():
    by = measured(n_callers=40)
    wins = [
        compare(
            by, guesses(by, 0.7, seed=2 * i), guesses(by, 0.7, seed=2 * i + 1), max_slice_fall=1
        ).is_better
        for i in range(60)
    ]
    assert np.mean(wins) <= 0.15  # .05 is expected


def test_a_model_that_fails_one_queue_stays_a_challenger():
    by = measured(n_callers=50, queues=("billing", "technical"))
    billing = np.array([slices["queue"] == "billing" for slices in by.slices])
    champion = guesses(by, 0.6)
    challenger = guesses(by, np.where(billing, 0.45, 1.0))
    found = compare(by, champion, challenger)
    assert found.low > 0
    assert not found.is_better
    assert any("queue 'billing' falls" in reason for reason in found.reasons)
    assert compare(by, champion, challenger, max_slice_fall=0.5).is_better


def test_a_model_whose_probabilities_lie_stays_a_challenger():
    by = measured()
    champion, challenger = guesses(by, 0.6, sure=0.6), guesses(by, 0.85, sure=0.51)
    found = compare(by, champion, challenger)
    assert not found.is_better
    assert any("calibration" in reason for reason in found.reasons)


def test_too_few_segments_or_callers_decide_nothing():
    by = measured(n_callers=5)
    found = compare(by, guesses(by, 0.5), guesses(by, 0.95))
    assert not found.is_better
    assert "5 callers" in found.reasons[0]
    assert "label more" in found.reasons[0]


def test_segments_of_one_caller_are_not_taken_for_independent():
    truth = np.arange(N) % 2
    champion, challenger = truth.copy(), truth.copy()
    champion[:60] = 1 - champion[:60]
    one_each = [f"c{i}" for i in range(N)]
    few = [f"c{i // 20}" for i in range(N)]
    wide = paired_interval(truth, (champion, challenger), few, 2, 0.95)
    narrow = paired_interval(truth, (champion, challenger), one_each, 2, 0.95)
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


def test_an_emotion_that_a_model_does_not_know_counts_against_it():
    by = measured()
    blind = np.tile([0.0, 1.0], (N, 1))
    assert compare(by, blind, guesses(by, 0.9)).champion_uar == pytest.approx(0.5)
