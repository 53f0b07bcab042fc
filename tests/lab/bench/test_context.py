from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ser_batch.config import Settings
from ser_batch.lab.bench import call_figures, context
from ser_batch.lab.bench.analysed_calls import AnalysedCall
from ser_batch.lab.bench.context import compare, described, fit, in_context
from ser_batch.lab.bench.scored_calls import ScoredCall


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (call_figures, context):
        monkeypatch.setattr(module, "N_BOOTSTRAP", 30)


def call(number: int, *, noise: float = 2.0) -> ScoredCall:
    """Angry in one half; each segment alone says little."""
    rng = np.random.default_rng(number)
    start_s = np.arange(12) * 10.0
    angry = np.zeros(12)
    if number % 3:
        half = slice(6, 12) if number % 3 == 1 else slice(0, 6)
        angry[half] = 1.0
    odds = 2 * angry - 1 + noise * rng.normal(size=12)
    analysed = AnalysedCall(
        speaker=f"made:{number % 8}",
        corpus="made",
        kind="mixed",
        true_share=float(angry.mean()),
        true_change="steady",
        segments=np.stack([start_s, start_s + 4], axis=1),
        features=np.zeros((12, 0), np.float32),
        anger=angry,
        agent_turns=np.stack([start_s - 5, start_s - 1], axis=1),
    )
    return ScoredCall(analysed, 1 / (1 + np.exp(-odds)), np.zeros(12, bool))


def test_segments_are_judged_better_by_those_around_them() -> None:
    trained, tested = [call(n) for n in range(90)], [call(n) for n in range(200, 260)]
    found = compare(trained, tested, Settings())
    gain = found["gain"]["segment_auc"]
    assert gain["low"] > 0.03
    assert gain["low"] <= gain["value"] <= gain["high"]
    after, before = (found[name]["segment_auc"]["value"] for name in ("in_context", "plain"))
    assert after - before == pytest.approx(gain["value"])
    assert found["n_customers"] == {"trained": 8, "tested": 8}


def test_nothing_is_gained_where_calls_say_nothing() -> None:
    def shuffled(number: int) -> ScoredCall:
        one = call(number)
        order = np.random.default_rng(number).permutation(12)
        odds = np.random.default_rng(number + 1).normal(size=12) + 2 * one.call.anger[order]
        return replace(
            one, call=replace(one.call, anger=one.call.anger[order]), value=1 / (1 + np.exp(-odds))
        )

    calls = [shuffled(n) for n in range(90)]
    found = compare(calls[:60], calls[60:], Settings())
    assert found["gain"]["segment_auc"]["low"] < 0.03


def test_the_agent_is_known_by_when_they_speak_alone() -> None:
    one = call(1)
    rows = described(one)
    assert rows.shape == (12, 17)
    assert rows[3, 10:13] == pytest.approx([1.0, 4.0, 16 / 32])
    silent = replace(one, call=replace(one.call, agent_turns=np.zeros((0, 2))))
    assert np.isnan(described(silent)[:, 10:13]).all()


def test_a_call_without_segments_stays_as_it_is() -> None:
    head = fit([call(n) for n in range(20)])
    one = call(1)
    nothing = replace(
        one,
        call=replace(one.call, segments=np.zeros((0, 2)), anger=np.zeros(0)),
        value=np.zeros(0),
        is_uncertain=np.zeros(0, bool),
    )
    assert in_context(head, nothing) is nothing
