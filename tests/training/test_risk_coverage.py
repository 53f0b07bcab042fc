from __future__ import annotations

import numpy as np
import pytest

from ser_batch.training.risk_coverage import risk_coverage


def test_confidence_that_knows_leaves_the_errors_for_last():
    is_right = np.array([True] * 8 + [False] * 2)
    found = risk_coverage(is_right, np.linspace(1, 0, 10))
    assert found["risk"] == 0.2
    assert found["risk_at"] == {"0.5": 0, "0.7": 0, "0.9": pytest.approx(1 / 9)}
    assert found["area"] == pytest.approx((1 / 9 + 2 / 10) / 10)
    assert found["curve"][-1] == [1, 0.2]


def test_confidence_that_says_nothing_has_the_same_risk_at_every_coverage():
    found = risk_coverage(np.array([True, False, True, False] * 5), np.full(20, 0.7))
    assert {risk for _, risk in found["curve"]} == {0.5}
    assert found["area"] == found["risk"] == 0.5


def test_confidence_that_misleads_has_more_risk_where_it_is_sure():
    rng = np.random.default_rng(0)
    confidence = rng.random(500)
    found = risk_coverage(rng.random(500) > confidence, confidence)
    assert found["risk_at"]["0.5"] > found["risk_at"]["0.7"] > found["risk"]
    assert found["area"] > found["risk"]
