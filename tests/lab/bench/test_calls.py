from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ser_batch.config import DissatisfactionSettings
from ser_batch.corpora import get_corpus
from ser_batch.errors import CorpusError
from ser_batch.lab.bench.calls import HeardCall, Scored, judge
from ser_batch.lab.bench.simulated_calls import ARCS, acted_calls, anger_probability
from tests.corpora.made import made_corpus

CLASSES = ("anger", "neutral")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return get_corpus("emodb").read(made_corpus(tmp_path_factory.mktemp("corpora") / "emodb"))


@pytest.fixture(scope="module")
def calls(clips):
    return list(acted_calls(clips, n_calls=15, seed=1))


def heard(call) -> HeardCall:
    """The call as an analysis that misses nothing would cut it: a segment a turn."""
    turns = {}
    for row in call.truth:
        if row.kind == "speech" and row.role == "customer":
            start_s, end_s = turns.get(row.turn_no, (row.start_s, row.end_s))
            turns[row.turn_no] = (min(start_s, row.start_s), max(end_s, row.end_s))
    segments = np.array(sorted(turns.values()))
    return HeardCall(call, segments, np.zeros((len(segments), 0)), call.anger_of(segments))


def answers(calls: list[HeardCall], anger) -> list[Scored]:
    """A model that gives each segment the probability of anger that `anger` makes of the truth."""
    found = [np.asarray(anger(call.anger), float) for call in calls]
    return [Scored(np.stack([p, 1 - p], axis=1), CLASSES) for p in found]


def judged(calls, scored):
    return judge(calls, scored, DissatisfactionSettings(), ("test", ("made",), ("made",)))


def test_a_seed_gives_the_same_calls_and_another_gives_others(clips, calls):
    again = list(acted_calls(clips, n_calls=2, seed=1))
    np.testing.assert_array_equal(again[1].audio.samples, calls[1].audio.samples)
    other = next(acted_calls(clips, n_calls=1, seed=2))
    assert not np.array_equal(other.audio.samples, calls[0].audio.samples)


def test_every_arc_and_every_speaker_has_its_turn(calls):
    assert {call.arc for call in calls} == set(ARCS)
    assert len({(call.speaker, call.arc) for call in calls}) == 15


def test_the_arc_says_how_the_anger_goes(calls):
    for call in calls:
        anger = heard(call).anger
        if call.arc == "stayed positive":
            assert call.true_share == 0
            assert call.true_change == "steady"
        elif call.arc == "stayed negative":
            assert call.true_share > 0.5
        elif call.arc == "worsening":
            assert anger[-2:].mean() == 1
            assert anger[:2].mean() == 0
            assert call.true_change == "worsening"
        elif call.arc == "improving":
            assert anger[:2].mean() == 1
            assert anger[-2:].mean() == 0
            assert call.true_change == "improving"
    assert anger_probability("mixed", 5).tolist() == [0.4] * 5


def test_the_agent_is_somebody_else_and_carries_no_emotion(calls):
    for call in calls:
        agent = [row for row in call.truth if row.role == "agent"]
        assert agent
        assert {row.emotion for row in agent} == {""}


def test_a_call_keeps_its_level_and_a_turn_its_difference(clips):
    loud = next(acted_calls(clips, n_calls=1, seed=5)).audio.samples[1]
    assert -45 < 10 * np.log10(np.mean(loud**2)) < -20


def test_calls_need_anger_and_several_speakers(clips):
    with pytest.raises(CorpusError, match="calls need anger"):
        next(acted_calls([c for c in clips if c.emotion != "anger"], n_calls=1, seed=1))
    with pytest.raises(CorpusError, match="several speakers"):
        next(acted_calls([c for c in clips if c.speaker == "emodb:03"], n_calls=1, seed=1))


def test_a_model_that_knows_is_judged_so(calls):
    cut = [heard(call) for call in calls]
    # as sure as a change of half the thirds' anger is one of `dissatisfaction.arc_change`
    found = judged(cut, answers(cut, lambda anger: 0.25 + 0.5 * anger))
    assert found.segment_auc_anger == 1
    assert found.spearman > 0.95
    assert found.precision_at_10 == 1
    assert found.arc_accuracy > 0.8


def test_a_model_that_errs_or_knows_nothing_is_judged_so(calls):
    cut = [heard(call) for call in calls]
    wrong = judged(cut, answers(cut, lambda anger: 0.95 - 0.9 * anger))
    assert wrong.segment_auc_anger == 0
    assert wrong.spearman < -0.9
    assert wrong.precision_at_10 == 0
    rng = np.random.default_rng(0)
    blind = judged(cut, answers(cut, lambda anger: rng.uniform(size=len(anger))))
    assert 0.3 < blind.segment_auc_anger < 0.7


def test_a_call_in_which_nothing_was_heard_is_ranked_last_and_counted(calls):
    cut = [heard(call) for call in calls]
    worst = max(range(len(cut)), key=lambda i: cut[i].call.true_share)
    cut[worst] = replace(
        cut[worst], segments=np.zeros((0, 2)), features=np.zeros((0, 0)), anger=np.zeros(0)
    )
    found = judged(cut, answers(cut, lambda anger: 0.05 + 0.9 * anger))
    assert found.n_unheard == 1
    assert found.spearman < 0.95
