from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ser_batch.errors import UnknownFeatureSetError
from ser_batch.features.functionals import measured_frames, statistic_names, statistics
from ser_batch.features.kinds import STATES, Group
from ser_batch.features.modulation import modulation, modulation_names
from ser_batch.features.rhythm import run_lengths, syllable_nuclei
from ser_batch.features.sets import FeatureSet, get_feature_set


@pytest.fixture(scope="module")
def v1() -> FeatureSet:
    return get_feature_set("descriptors_v1")


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """Four seconds of vowel-like bursts over faint noise."""
    rng = np.random.default_rng(0)
    time = np.arange(32000) / 8000
    f0 = 140 + 30 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(f0) / 8000
    tone = sum(np.sin(k * phase) / k for k in range(1, 14))
    bursts = np.clip(np.sin(2 * np.pi * 2 * time), 0, None)
    return (0.1 * bursts * tone + 0.003 * rng.normal(size=32000)).astype(np.float32)


def value(v1: FeatureSet, features: np.ndarray, name: str) -> float:
    return float(features[v1.names.index(name)])


def test_names_are_unique_and_the_digest_is_that_of_the_definition(v1):
    assert len(set(v1.names)) == len(v1.names) > 900
    assert get_feature_set("descriptors_v1_wide").digest != v1.digest
    assert get_feature_set.__wrapped__("descriptors_v1").digest == v1.digest


def test_an_unknown_set_names_the_nearest():
    with pytest.raises(UnknownFeatureSetError, match="did you mean 'descriptors_v1'"):
        get_feature_set("descriptor_v1")


def test_segments_are_independent_of_what_else_is_measured(v1, speech):
    alone = v1.extract(speech, np.array([[1.0, 2.5]]))
    among = v1.extract(speech, np.array([[0.0, 0.9], [1.0, 2.5], [2.6, 4.0]]))
    # sums in blocks of another size round differently, and may tip a near tie of two peaks
    assert np.isclose(among[1], alone[0], rtol=1e-3, atol=1e-3).mean() > 0.995


def test_what_lies_outside_a_segment_never_enters(v1, speech):
    louder = speech.copy()
    louder[:8000] *= 5
    louder[20000:] = 0.5
    segment = np.array([[1.0, 2.5]])
    np.testing.assert_array_equal(v1.extract(speech, segment), v1.extract(louder, segment))


@pytest.mark.parametrize(
    "signal",
    [
        np.zeros(16000, np.float32),
        np.ones(16000, np.float32),
        np.sign(np.sin(np.arange(16000) / 7)).astype(np.float32),
        np.random.default_rng(0).normal(size=16000).clip(-1, 1).astype(np.float32),
        np.full(16000, 1e-30, np.float32),
    ],
    ids=["silence", "offset", "clipped", "unvoiced", "denormal"],
)
@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.045, 0.2, 2.0])
def test_any_segment_has_defined_features(v1, signal, seconds):
    features = v1.extract(signal, np.array([[0.1, 0.1 + seconds]]))
    assert features.shape == (1, len(v1.names))
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


def test_no_segment_gives_no_row(v1, speech):
    assert v1.extract(speech, np.zeros((0, 2))).shape == (0, len(v1.names))


def test_a_segment_past_the_end_is_measured_as_far_as_it_goes(v1, speech):
    np.testing.assert_array_equal(
        v1.extract(speech, np.array([[3.0, 9.0]])), v1.extract(speech, np.array([[3.0, 4.0]]))
    )


@settings(max_examples=15, deadline=None)
@given(gain_db=st.floats(-20, 6))
def test_gain_moves_level_and_not_pitch_or_spectral_shape(gain_db):
    v1 = get_feature_set("descriptors_v1")
    rng = np.random.default_rng(1)
    time = np.arange(16000) / 8000
    tone = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 12))
    signal = (0.05 * tone + 0.002 * rng.normal(size=16000)).astype(np.float32)
    segment = np.array([[0.0, 2.0]])
    plain = v1.extract(signal, segment)[0]
    moved = v1.extract((signal * 10 ** (gain_db / 20)).astype(np.float32), segment)[0]
    for name, change, tolerance in (
        ("level.speech.mean", gain_db, 0.05),
        ("f0.voiced.mean", 0, 0.01),
        ("centroid.speech.mean", 0, 3),
        ("hnr.voiced.p50", 0, 0.2),
        ("mfcc3.speech.mean", 0, 0.2),
    ):
        difference = value(v1, moved, name) - value(v1, plain, name)
        assert difference == pytest.approx(change, abs=tolerance), name


def test_rhythm_counts_the_bursts(v1, speech):
    features = v1.extract(speech, np.array([[0.0, 4.0]]))[0]
    assert value(v1, features, "rhythm.voiced_runs_per_s") == pytest.approx(2, abs=0.3)
    assert value(v1, features, "rhythm.syllables_per_s") == pytest.approx(2, abs=0.3)
    assert value(v1, features, "rhythm.voiced_run_mean_s") == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize("span", [slice(0, 200), slice(200, 237)])
def test_statistics_of_each_segment_are_numpys(span):
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(3, 237)).astype(np.float32)
    rows[1] += np.linspace(0, 10, 237).astype(np.float32)
    seconds = np.arange(237) / 100
    all_found = statistics(rows, np.array([0, 200, 237]), seconds)
    values, seconds = rows[:, span], seconds[span]
    found = dict(zip(statistic_names(), all_found[int(span.start > 0)].T, strict=True))
    for percent in (5, 20, 50, 80, 95):
        np.testing.assert_allclose(
            found[f"p{percent}"], np.percentile(values, percent, axis=1), atol=1e-4
        )
    np.testing.assert_allclose(found["mean"], stats.trim_mean(values, 0.1, axis=1), rtol=1e-4)
    np.testing.assert_allclose(found["sd"], values.std(axis=1), rtol=1e-4)
    slope, bend = np.polyfit(seconds - seconds.mean(), values[1], 2)[1::-1]
    assert found["slope"][1] == pytest.approx(slope, rel=1e-3)
    assert found["curvature"][1] == pytest.approx(bend, rel=1e-2, abs=1e-3)


def test_a_segment_without_a_measured_frame_has_the_one_past_the_last():
    frames, bounds = measured_frames(
        np.array([False, True, True, False, True]), np.array([0, 0, 1, 4, 5])
    )
    assert frames.tolist() == [5, 5, 1, 2, 4]
    assert bounds.tolist() == [0, 1, 2, 4, 5]


def test_modulation_is_strongest_at_its_own_rate():
    time = np.arange(300) / 100
    log_mel = np.tile(10 * np.sin(2 * np.pi * 5.5 * time), (24, 1)).astype(np.float32)
    both = np.append(0 * log_mel, log_mel, axis=1)
    steady, of_segment = modulation(both, np.array([0, 300, 600]), 100.0)
    depth = dict(zip(modulation_names(), of_segment, strict=True))
    rates = [depth[f"band1.{span}"] for span in ("2-4hz", "4-8hz", "8-16hz")]
    assert rates[1] > rates[0] + 10
    assert rates[1] > rates[2] + 10
    np.testing.assert_allclose(steady, -20, rtol=1e-6)


def test_a_run_ends_where_its_segment_does():
    lengths, firsts = run_lengths(np.array([True, True, True, False, True]), np.array([0, 2, 5]))
    assert lengths.tolist() == [2, 1, 1]
    assert firsts.tolist() == [0, 2, 4]
    lengths, _ = run_lengths(np.zeros(3, bool), np.array([0, 3]))
    assert lengths.tolist() == []


def test_syllable_nuclei_need_a_voice():
    level = (10 * np.sin(2 * np.pi * np.arange(200) / 40)).astype(np.float32)
    voiced = np.ones(200, bool)
    voiced[100:] = False
    nuclei, _ = syllable_nuclei(level, voiced)
    assert nuclei.tolist() == pytest.approx([10, 50, 90], abs=2)


def test_every_feature_has_a_kind_and_every_group_of_descriptors_holds_some(v1: FeatureSet):
    assert len(v1.kinds) == len(v1.names)
    groups = {kind.group for kind in v1.kinds}
    assert groups == set(get_args(Group)) - {STATES}
    fused = get_feature_set("descriptors_v1+whisper_base_l2_l3_int8")
    assert [kind.is_state for kind in fused.kinds] == [False] * len(v1.names) + [True] * 2048


@pytest.mark.parametrize(
    ("name", "what", "number", "statistic", "group"),
    [
        ("f0.voiced.p80", "f0", None, "p80", "pitch"),
        ("mfcc12.speech.delta_sd", "mfcc", 12, "delta_sd", "cepstrum"),
        ("prominence2.speech.mean", "prominence", 2, "mean", "formants"),
        ("rhythm.pauses_per_s", "rhythm", None, "pauses_per_s", "rhythm"),
        ("rolloff85.speech.slope", "rolloff85", None, "slope", "spectrum"),
    ],
)
def test_a_kind_says_what_is_measured(v1: FeatureSet, name, what, number, statistic, group):
    kind = v1.kinds[v1.names.index(name)]
    assert (*kind.measure, kind.statistic, kind.group) == (what, number, statistic, group)
