from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ser_batch.config import Settings
from ser_batch.corpora import get_corpus
from ser_batch.errors import CorpusError
from ser_batch.features.sets import get_feature_set
from ser_batch.lab.bench.analysed_calls import AnalysedCall, analysed_calls
from ser_batch.lab.bench.call_figures import CallResult, call_figures, seed_figures
from ser_batch.lab.bench.calls import Task, run
from ser_batch.lab.bench.flag import tune_flag
from ser_batch.lab.bench.scored_calls import Benchmark, ScoredCall, call_result
from ser_batch.lab.bench.simulated_calls import (
    FURIOUS_END,
    KINDS,
    CallKind,
    angry_turns,
    simulated_calls,
    voices_of,
)
from tests.corpora.made import made_corpus

SETTINGS = Settings()


def silent(*_: object) -> None:
    """Report no progress."""


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    return get_corpus("emodb").read(made_corpus(tmp_path_factory.mktemp("corpora") / "emodb"))


@pytest.fixture(scope="module")
def calls(clips):
    return list(simulated_calls(voices_of(clips), n_calls=25, seed=1))


def analysed(call) -> AnalysedCall:
    """The call as an analysis that misses nothing would cut it: a segment a turn."""
    turns = {}
    for row in call.truth:
        if row.kind == "speech" and row.role == "customer":
            start_s, end_s = turns.get(row.turn_no, (row.start_s, row.end_s))
            turns[row.turn_no] = (min(start_s, row.start_s), max(end_s, row.end_s))
    segments = np.array(sorted(turns.values()))
    return AnalysedCall(
        speaker=call.speaker,
        corpus=call.corpus,
        kind=call.kind,
        true_share=call.true_share,
        true_change=call.true_change,
        segments=segments,
        features=np.zeros((len(segments), 0), np.float32),
        anger=call.anger_of(segments),
        agent_turns=np.array(
            [
                (row.start_s, row.end_s)
                for row in call.truth
                if row.kind == "speech" and row.role == "agent"
            ]
        ),
    )


def scored(calls, value) -> list[ScoredCall]:
    """A model that gives each segment the dissatisfaction that `value` makes of the truth."""
    cut = [analysed(call) for call in calls]
    return [
        ScoredCall(one, np.asarray(value(one.anger), float), np.zeros(len(one.anger), bool))
        for one in cut
    ]


def figures(calls, value) -> dict[str, float]:
    results = [call_result(one, SETTINGS) for one in scored(calls, value)]
    return {name: one.value for name, one in call_figures(results).items()}


def test_a_seed_gives_the_same_calls_and_another_gives_others(clips, calls):
    voices = voices_of(clips)
    again = list(simulated_calls(voices, n_calls=25, seed=1))
    np.testing.assert_array_equal(again[1].audio.samples, calls[1].audio.samples)
    other = next(simulated_calls(voices, n_calls=25, seed=2))
    assert not np.array_equal(other.audio.samples, calls[0].audio.samples)


def test_most_calls_have_little_anger_and_every_speaker_calls(calls):
    shares = np.array([call.true_share for call in calls])
    assert np.median(shares) < 0.1
    assert (shares > 0.5).any()
    assert {call.kind for call in calls} == {kind.name for kind in KINDS}
    assert len({call.speaker for call in calls}) == 3


def test_the_kinds_have_their_shares(clips):
    kinds = [call.kind for call in simulated_calls(voices_of(clips), n_calls=50, seed=3)]
    for kind in KINDS:
        assert kinds.count(kind.name) == pytest.approx(50 * kind.share, abs=1)


def test_a_call_that_ends_furious_is_calm_before(calls):
    found = [call for call in calls if call.kind == FURIOUS_END]
    assert found
    for call in found:
        anger = analysed(call).anger
        first = int(np.argmax(anger))
        assert anger[first:].all()
        assert not anger[:first].any()
        assert call.true_share < 0.5
        assert call.true_change == "worsening"


def test_anger_comes_late_early_or_anywhere():
    rng = np.random.default_rng(1)
    middles = {}
    for place in ("late", "early", "anywhere"):
        kind = CallKind("test", 1, (0.5, 0.5), 0, place)
        draws = [np.flatnonzero(angry_turns(kind, 12, rng)) for _ in range(50)]
        assert {len(draw) for draw in draws} == {6}
        middles[place] = np.mean([draw.mean() for draw in draws])
    assert middles["late"] > 7
    assert middles["early"] < 4
    assert middles["anywhere"] == pytest.approx(5.5, abs=1)


def test_clips_of_other_emotions_are_not_anger(tmp_path):
    folder = made_corpus(tmp_path / "emodb")
    for path in sorted(folder.glob("*N[ab].wav")):
        path.rename(path.with_stem(path.stem.replace("N", "E")))  # disgust
    voices = voices_of(get_corpus("emodb").read(folder))
    calls = list(simulated_calls(voices, n_calls=25, seed=1))
    rows = [row for call in calls for row in call.truth if row.role == "customer"]
    assert {row.emotion for row in rows} == {"anger", "disgust", "neutral"}
    low = [call for call in calls if call.kind == "low mood"]
    assert [call.true_share for call in low] == [0] * len(low)


def test_the_agent_is_somebody_else_and_carries_no_emotion(calls):
    for call in calls:
        agent = [row for row in call.truth if row.role == "agent"]
        assert agent
        assert {row.emotion for row in agent} == {""}


def test_a_call_keeps_its_level(calls):
    for call in calls[:5]:
        loud = call.audio.samples[1]
        assert -45 < 10 * np.log10(np.mean(loud**2)) < -20


def test_calls_need_anger_and_several_speakers(clips):
    with pytest.raises(CorpusError, match="clips of anger"):
        voices_of([c for c in clips if c.emotion != "anger"])
    with pytest.raises(CorpusError, match="another of neutral"):
        voices_of([c for c in clips if c.speaker == "emodb:03"])


def test_a_model_that_knows_has_perfect_figures(calls):
    found = figures(calls, lambda anger: 0.1 + 0.8 * anger)
    assert found["segment_auc"] == 1
    assert found["spearman"] > 0.95
    assert found["precision_at_10"] == 1
    assert found["flag_precision"] > 0.6
    assert found["flag_recall"] > 0.7
    assert found["furious_end_recall"] == 1
    assert found["calm_flagged_share"] == 0
    assert found["arc_recall"] > 0.8
    assert found["coverage"] == 1


def test_a_model_that_errs_or_knows_nothing_has_such_figures(calls):
    wrong = figures(calls, lambda anger: 0.95 - 0.9 * anger)
    assert wrong["segment_auc"] == 0
    assert wrong["spearman"] < -0.9
    assert wrong["precision_at_10"] == 0
    rng = np.random.default_rng(0)
    blind = figures(calls, lambda anger: rng.uniform(size=len(anger)))
    assert 0.3 < blind["segment_auc"] < 0.7
    assert blind["segment_ece"] > 0.1


def test_a_call_that_is_not_scored_is_ranked_last_and_not_flagged(calls):
    known = scored(calls, lambda anger: 0.05 + 0.9 * anger)
    worst = max(range(len(known)), key=lambda i: known[i].call.true_share)
    known[worst] = replace(known[worst], is_uncertain=~known[worst].is_uncertain)
    results = [call_result(one, SETTINGS) for one in known]
    assert np.isnan(results[worst].index)
    assert not results[worst].is_flagged
    found = call_figures(results)
    assert found["spearman"].value < 0.95
    assert found["coverage"].value < 1


def test_intervals_need_several_customers_and_hold_their_figure():
    def result(speaker: int, number: int) -> CallResult:
        share = number / 10
        noisy = float(np.clip(share + 0.2 * np.sin(speaker * 7 + number), 0, 1))
        return CallResult(
            f"s{speaker}", "made", "content", share, "steady", noisy, noisy, noisy > 0.4,
            "stayed positive", 30, 30, np.array([noisy, share]), np.array([share > 0.5, 0.0]),
        )  # fmt: skip

    few = call_figures([result(s, n) for s in range(4) for n in range(10)])
    assert few["spearman"].low is None
    many = call_figures([result(s, n) for s in range(9) for n in range(10)])
    for name in ("spearman", "flag_precision", "segment_auc"):
        figure = many[name]
        assert figure.low < figure.value < figure.high


def test_a_seed_without_a_scored_call_has_no_rank_correlation():
    nan = float("nan")
    unscored = [
        CallResult(
            f"s{number}",
            "made",
            "content",
            number / 10,
            "steady",
            nan,
            nan,
            False,
            "stayed positive",
            0,
            30,
            np.array([0.2, 0.6]),
            np.array([0.0, 1.0]),
        )
        for number in range(3)
    ]
    assert seed_figures([unscored], "spearman") == [None]


def test_the_levels_of_the_flag_balance_precision_and_recall_and_find_furious_ends(calls):
    rng = np.random.default_rng(1)
    some = scored(calls, lambda anger: np.clip(0.2 + 0.3 * anger + rng.normal(0, 0.05), 0, 1))
    found = tune_flag([some], SETTINGS.dissatisfaction)
    assert 0.2 < found["chosen"]["call_threshold"] <= found["chosen"]["end_threshold"] < 0.5
    assert found["chosen"]["precision"] > 0.7
    assert found["chosen"]["recall"] > 0.7
    alone = found["whole_call_alone"]
    assert found["chosen"]["furious_end_recall"] >= alone["furious_end_recall"]
    flagged = [point["flagged_share"] for point in found["near"]]
    assert flagged == sorted(flagged, reverse=True)
    assert found["left_out"] == {}
    assert found["indices"]["mean"]["spearman"] > 0.8


def test_analysed_calls_come_from_the_cache_and_are_the_same(clips, tmp_path):
    features = get_feature_set("descriptors_v1")
    voices = voices_of(clips)

    def get(cache, n_calls=10):
        return analysed_calls(
            voices, SETTINGS, features, n_calls=n_calls, seed=1, cache=cache, on_call=silent
        )

    fresh, first, second = get(None), get(tmp_path), get(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    for one, other, third in zip(fresh, first, second, strict=True):
        assert (one.speaker, one.kind, one.true_share) == (
            third.speaker,
            third.kind,
            third.true_share,
        )
        np.testing.assert_array_equal(one.features, other.features)
        np.testing.assert_array_equal(one.segments, third.segments)
    get(tmp_path, n_calls=11)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_missing_corpus_stops_before_anything_is_computed(clips, tmp_path):
    corpora = clips[0].path.parent.parent
    started = []
    benchmark = Benchmark(
        SETTINGS, get_feature_set("descriptors_v1"), 10, (1,), tmp_path,
        lambda *what: started.append(what),
    )  # fmt: skip
    for task in (
        Task(corpora, train_on=("emodb",), test_on=("ravdess",)),
        Task(corpora, train_on=("emodb",), test_on=("emodb",)),
        Task(corpora, train_on=("nemo",)),
    ):
        with pytest.raises(CorpusError):
            run(task, benchmark)
    assert not started
