from __future__ import annotations

import numpy as np
import pytest

from ser_batch.audio import line_signals as signals
from ser_batch.features.sets import get_feature_set
from ser_batch.lab.bench.faults.retraining import QUICK
from ser_batch.scoring.bundle import Bundle, default_bundle_path
from ser_batch.scoring.decide import score_segments
from ser_batch.scoring.reasons import FAMILIES, contributions, family_of, reasons
from ser_batch.training.fit import train
from tests.training.datasets import blobs


@pytest.fixture(scope="module")
def bundled() -> Bundle:
    return Bundle.load(default_bundle_path())


def said(f0_hz: float, *, seconds: float = 2.0, seed: int = 0) -> np.ndarray:
    """Syllables of a steady voice over faint noise, 8 kHz."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * 8000)) / 8000
    tone = sum(np.sin(2 * np.pi * k * f0_hz * time) / k for k in range(1, int(3400 / f0_hz)))
    loudness = np.clip(np.sin(2 * np.pi * 2.5 * time), 0, None)
    return (0.1 * loudness * tone + 0.002 * rng.normal(size=len(time))).astype(np.float32)


def test_contributions_add_up_to_what_sets_the_winner_apart():
    data = blobs()
    model = train(data, QUICK)
    logits = model.logits(data.features, data.names)
    winner = logits.argmax(axis=1)
    apart = logits[np.arange(len(winner)), winner] - logits.mean(axis=1)
    shares = contributions(model, data.features, data.names, winner).sum(axis=1)
    for label in range(3):
        rest = (apart - shares)[winner == label]  # what no feature says: the same for a class
        np.testing.assert_allclose(rest, rest[0], atol=1e-6)


def test_every_feature_of_the_set_belongs_to_a_family_and_every_family_has_some():
    feature_set = get_feature_set("descriptors_v1")
    names, first = feature_set.names, [family_of(kind) for kind in feature_set.kinds]
    assert set(first) == set(range(len(FAMILIES)))
    assert FAMILIES[first[names.index("f0.voiced.p80")]].more == "higher voice"
    assert FAMILIES[first[names.index("mfcc1.speech.mean")]].more == "sharper sound"
    assert {family.shown_by for family in FAMILIES} <= set(names)


def said_of_all(bundle, features, callers):
    names = get_feature_set(bundle.feature_set).names
    winner = score_segments(bundle.predictor, features, names).winner
    return reasons(bundle.predictor, features, names, callers, winner)


def test_a_segment_is_compared_with_its_own_caller(bundled):
    feature_set = get_feature_set(bundled.feature_set)
    low, high = ([said(hz, seed=i) for i in range(5)] for hz in (110.0, 220.0))
    signal = np.concatenate([*low[:4], high[0], *high])
    features = feature_set.extract(signal, np.array([[2.0 * i, 2.0 * i + 2] for i in range(10)]))
    callers = ["one"] * 5 + ["other"] * 5
    said_of = said_of_all(bundled, features, callers)
    assert all(1 <= len(phrases) <= 3 for phrases in said_of)
    assert all(p.endswith("than this caller's usual") for phrases in said_of for p in phrases)
    assert not any("lower voice" in p for p in said_of[4])  # an octave above their own usual


def test_few_segments_are_compared_with_most_speech(bundled):
    feature_set = get_feature_set(bundled.feature_set)
    features = feature_set.extract(said(150.0), np.array([[0.0, 2.0]]))
    phrases = said_of_all(bundled, features, ["alone"])[0]
    assert all(phrase.endswith("than most speech") for phrase in phrases)
    assert said_of_all(bundled, features[:0], []) == []


@pytest.mark.parametrize("kind", ["music", "noise", "tone", "silence"])
def test_what_is_no_speech_is_strange(bundled, kind):
    rng = np.random.default_rng(0)
    signal = {
        "music": lambda: 0.05 * signals.hold_music(6, rate_hz=8000, rng=rng),
        "noise": lambda: 0.05 * signals.line_noise(48000, rate_hz=8000, rng=rng),
        "tone": lambda: 0.05 * signals.tone((425.0,), 6, rate_hz=8000),
        "silence": lambda: np.zeros(48000),
    }[kind]()
    feature_set = get_feature_set(bundled.feature_set)
    features = feature_set.extract(signal.astype(np.float32), np.array([[0.0, 3.0], [3.0, 6.0]]))
    assert (bundled.predictor.ood_score(features, feature_set.names) > 1).all()


@pytest.mark.corpus
@pytest.mark.parametrize("kind", ["emodb", "nemo", "ravdess"])
def test_speech_of_a_corpus_is_not_strange(bundled, corpus_dir, kind):
    from ser_batch.corpora import read_corpus
    from ser_batch.training.describe import describe_clips

    feature_set = get_feature_set(bundled.feature_set)
    data = describe_clips(read_corpus(corpus_dir, kind)[::25], feature_set)
    assert (bundled.predictor.ood_score(data.features, data.names) < 1).mean() > 0.95
