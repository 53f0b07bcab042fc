from __future__ import annotations

import numpy as np

from ser_batch.labels.callers import caller_of, is_held_out
from ser_batch.labels.selection import Pool, entropy, worth_asking


def pool(probabilities: np.ndarray, **given: object) -> Pool:
    n = len(probabilities)
    rng = np.random.default_rng(0)
    usual = {
        "features": rng.normal(size=(n, 40)).astype(np.float32),
        "disagreement": np.zeros(n),
        "impact": np.zeros(n),
        "groups": [[f"caller-{i}" for i in range(n)]],
    }
    return Pool(probabilities, **{**usual, **given})


def sure(n: int) -> np.ndarray:
    return np.tile([0.98, 0.01, 0.01], (n, 1))


def test_a_sure_row_is_less_uncertain_than_one_that_is_all_alike():
    least, most = entropy(np.array([[1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]]))
    assert (round(least, 6), round(most, 6)) == (0.0, 1.0)


def test_uncertain_segments_are_asked_about_first():
    probabilities = sure(60)
    probabilities[20:30] = [0.34, 0.33, 0.33]
    picks = worth_asking(pool(probabilities), 10)
    assert {pick.row for pick in picks} == set(range(20, 30))
    assert {pick.reason for pick in picks} == {"uncertain"}


def test_what_models_dispute_is_asked_about_with_that_reason():
    disagreement = np.zeros(60)
    disagreement[7] = 0.9
    first = worth_asking(pool(sure(60), disagreement=disagreement), 1)[0]
    assert (first.row, first.reason) == (7, "disputed")


def test_the_reason_is_that_by_which_a_segment_stands_out():
    rng = np.random.default_rng(2)
    probabilities, impact = rng.dirichlet((8, 2, 2), 40), rng.uniform(0, 0.5, 40)
    features = rng.normal(size=(40, 40)).astype(np.float32)
    probabilities[3], impact[5] = 1 / 3, 0.9
    features[9] = 4
    every = worth_asking(pool(probabilities, features=features, impact=impact), 40)
    reasons = {pick.row: pick.reason for pick in every}
    assert (reasons[3], reasons[5], reasons[9]) == ("uncertain", "high_impact", "unusual")


def test_a_second_segment_like_the_first_waits():
    probabilities = sure(40)
    probabilities[[3, 4, 30]] = [0.34, 0.33, 0.33]
    features = np.random.default_rng(1).normal(size=(40, 40)).astype(np.float32)
    features[4] = features[3]
    rows = [pick.row for pick in worth_asking(pool(probabilities, features=features), 3)]
    assert (3 in rows) != (4 in rows)


def test_picks_are_spread_over_callers():
    groups = [[f"caller-{min(i // 18, 5)}" for i in range(100)]]  # the last has ten segments
    probabilities = sure(100)
    probabilities[:18] = [0.34, 0.33, 0.33]  # the first is all uncertain
    picked = [groups[0][pick.row] for pick in worth_asking(pool(probabilities, groups=groups), 18)]
    assert len(set(picked)) == 6
    assert picked.count("caller-0") < 18


def test_a_caller_stands_on_one_side_for_ever_and_shares_are_kept():
    callers = [caller_of(f"c{i}", "r") for i in range(4000)]
    held_out = [is_held_out(caller, 0.3) for caller in callers]
    assert abs(np.mean(held_out) - 0.3) < 0.03
    assert is_held_out(callers[0], 0.3) == held_out[0]
    # a larger share only adds callers
    assert all(is_held_out(c, 0.5) for c, out in zip(callers, held_out, strict=True) if out)


def test_a_call_without_a_customer_is_a_caller_of_its_own():
    assert caller_of(None, "r1") != caller_of(None, "r2")
    assert caller_of("r1", "r2") != caller_of(None, "r1")
