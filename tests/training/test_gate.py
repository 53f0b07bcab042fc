from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ser_batch.config import RetrainSettings
from ser_batch.training.gate import (
    Answers,
    HoldoutSet,
    ModelComparison,
    compare_models,
    spent_level,
)
from ser_batch.training.paired import auc

N = 400
TARGETS = {"anger": 1.0, "neutral": 0.0}


def measured(n_callers: int = 100, queues: tuple[str, ...] = ("billing",)) -> HoldoutSet:
    """Every fourth segment angry."""
    return HoldoutSet(
        shares=[{"anger" if i % 4 == 0 else "neutral": 1.0} for i in range(N)],
        callers=[f"c{i % n_callers}" for i in range(N)],
        slices=[{"queue": queues[(i // 4) % len(queues)]} for i in range(N)],
        names=[f"s{i}" for i in range(N)],
    )


def answers(by: HoldoutSet, distance: np.ndarray | float, *, seed: int = 0) -> Answers:
    """Calibrated probabilities of a model whose classes lie so far apart."""
    rng = np.random.default_rng(seed)
    is_angry = np.array([shares.get("anger", 0) for shares in by.shares])
    score = distance * is_angry + rng.normal(0, 1, len(is_angry))
    odds = distance * (score - distance / 2) - np.log(3)
    return Answers(1 / (1 + np.exp(-odds)), np.ones(len(odds), bool))


def compare(
    by: HoldoutSet, champion: Answers, challenger: Answers, *, n_uses: int = 0, **given
) -> ModelComparison:
    found = compare_models(
        by, champion, challenger, TARGETS, RetrainSettings(**given), n_uses=n_uses
    )
    assert found is not None
    return found


def test_a_clearly_better_model_may_take_over_and_the_reason_has_the_figures():
    by = measured()
    found = compare(by, answers(by, 0.8), answers(by, 2.0, seed=1))
    assert found.is_better
    assert found.low > 0
    assert f"{found.challenger_auc:.3f}" in found.reasons[0]
    assert "unseen callers" in found.reasons[0]


def test_the_same_model_never_takes_over():
    by = measured()
    found = compare(by, answers(by, 1.5), answers(by, 1.5))
    assert (found.is_better, found.difference) == (False, 0.0)
    assert "not better" in found.reasons[0]


def test_the_area_is_the_usual_one_and_ties_of_annotators_count_for_half():
    rng = np.random.default_rng(0)
    truth, scores = (rng.random(80) < 0.3).astype(float), rng.normal(size=80).round(1)
    assert auc(scores, truth).value == pytest.approx(roc_auc_score(truth, scores))
    assert auc(np.array([1.0, 0.0, 2.0]), np.array([0.5, 0.0, 0.5])).value == pytest.approx(
        (0.5 * 0.5 * 1 + 0.5 * 1 + 0.5 * 1) / (1 * 2 - 2 * 0.25)
    )
    assert auc(scores, np.zeros(80)) is None


def test_the_influence_gives_the_jackknifes_error():
    rng = np.random.default_rng(1)
    truth = (rng.random(120) < 0.3).astype(float)
    scores = truth + rng.normal(size=120)
    found = auc(scores, truth)
    left_out = [auc(np.delete(scores, i), np.delete(truth, i)).value for i in range(120)]
    jackknife = np.sqrt(119 / 120 * np.square(left_out - np.mean(left_out)).sum())
    assert np.sqrt(np.square(found.influence).sum()) == pytest.approx(jackknife, rel=0.05)
    assert found.influence.sum() == pytest.approx(0, abs=1e-9)


def test_segments_of_one_caller_are_not_taken_for_independent():
    by = measured()
    is_angry = np.array([shares.get("anger", 0.0) for shares in by.shares])
    caller_error = np.repeat(np.random.default_rng(0).normal(0, 1, 20), 20)
    found = auc(is_angry + caller_error, is_angry)
    few, many = [f"c{i // 20}" for i in range(N)], [f"c{i}" for i in range(N)]
    assert found.value - found.end(few, 0.05) > 1.5 * (found.value - found.end(many, 0.05))


def test_a_model_that_fails_one_queue_stays_a_challenger():
    by = measured(queues=("billing", "technical"))
    billing = np.array([slices["queue"] == "billing" for slices in by.slices])
    champion, challenger = answers(by, 1.2), answers(by, np.where(billing, 0.2, 4.0), seed=1)
    found = compare(by, champion, challenger)
    assert found.low > 0
    assert not found.is_better
    assert any("queue 'billing' falls" in reason for reason in found.reasons)
    assert compare(by, champion, challenger, max_slice_fall=0.9).is_better


def test_a_fall_in_a_small_slice_that_chance_may_make_is_no_veto():
    by = measured(queues=("billing",) * 9 + ("small",))
    small = np.array([slices["queue"] == "small" for slices in by.slices])
    champion, challenger = answers(by, 1.2), answers(by, np.where(small, 0.6, 2.5), seed=3)
    found = compare(by, champion, challenger)
    part = next(each for each in found.slices if each.value == "small")
    assert part.difference < -0.05 < 0 < part.high
    assert found.is_better


def test_a_model_whose_probabilities_lie_stays_a_challenger():
    by = measured()
    better = answers(by, 2.0, seed=1)
    lying = Answers(1 - (1 - better.dissatisfaction) ** 6, better.is_scored)
    found = compare(by, answers(by, 0.8), lying)
    assert found.low > 0
    assert not found.is_better
    assert any("Brier" in reason for reason in found.reasons)


def test_a_model_that_abstains_more_stays_a_challenger():
    by = measured()
    better = answers(by, 2.0, seed=1)
    silent = Answers(better.dissatisfaction, np.arange(N) % 3 > 0)
    found = compare(by, answers(by, 0.8), silent)
    assert not found.is_better
    assert any("fewer segments" in reason for reason in found.reasons)


def test_too_few_segments_or_callers_decide_nothing():
    by = measured(n_callers=5)
    found = compare(by, answers(by, 0.5), answers(by, 3.0, seed=1))
    assert not found.is_better
    assert "5 callers" in found.reasons[0]
    assert "label more" in found.reasons[0]


def test_labels_used_before_need_a_clearer_difference():
    by = measured()
    both = answers(by, 0.8), answers(by, 1.25, seed=1)
    ends = [compare(by, *both, n_uses=n_uses).low for n_uses in range(4)]
    assert ends == sorted(ends, reverse=True)
    assert sum(spent_level(0.95, n_uses) for n_uses in range(50)) == pytest.approx(0.05)


def test_what_no_annotator_can_tell_and_what_a_model_does_not_know_is_counted_apart():
    by = measured()
    shares = [*({} for _ in range(40)), *({"fear": 1.0} for _ in range(20)), *by.shares[60:]]
    odd = HoldoutSet(shares, by.callers, by.slices, by.names)
    found = compare(odd, answers(by, 0.8), answers(by, 2.0, seed=1))
    assert (found.n_cannot_tell, found.n_unknown, found.n_segments) == (40, 20, N - 60)
    assert found.coverage_cannot_tell == 1


def test_segments_that_are_all_content_decide_nothing():
    by = measured()
    content = HoldoutSet([{"neutral": 1.0}] * N, by.callers, by.slices, by.names)
    both = answers(by, 1.0), answers(by, 2.0)
    assert compare_models(content, *both, TARGETS, RetrainSettings()) is None
