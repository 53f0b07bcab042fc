from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ser_batch.corpora import read_corpus
from ser_batch.features.kinds import FeatureKind
from ser_batch.features.sets import get_feature_set
from ser_batch.scoring.feature_weights import feature_weights, is_domain_sensitive, read_columns
from ser_batch.training.describe import speech_span, telephone_signal
from ser_batch.training.normalise import per_speaker
from tests.training.datasets import blobs


def test_each_speaker_comes_out_with_mean_zero_and_spread_one():
    data = per_speaker(blobs())
    for speaker in set(data.speakers):
        own = data.features[np.array(data.speakers) == speaker]
        np.testing.assert_allclose(own.mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(own.std(axis=0), 1, atol=1e-4)


def test_a_speaker_is_normalised_by_their_own_speech_alone():
    data = blobs()
    alone = data.take(np.array(data.speakers) == "made:2")
    among = per_speaker(data).take(np.array(data.speakers) == "made:2")
    changed = per_speaker(replace(alone, features=alone.features))
    assert np.abs(changed.features - among.features).max() < 0.2  # the floor of the spread only


def test_augmented_copies_do_not_enter_the_statistics():
    data = blobs(n_speakers=2)
    copies = np.arange(len(data.emotions)) % 2
    wild = data.features + 100 * copies[:, None].astype(np.float32)
    found = per_speaker(replace(data, features=wild, copies=copies))
    originals = found.features[copies == 0]
    np.testing.assert_allclose(originals[:6].mean(axis=0), 0, atol=1e-5)


def kinds(*names: str) -> list[FeatureKind]:
    found = get_feature_set("descriptors_v1")
    return [found.kinds[found.names.index(name)] for name in names]


def test_absolute_level_is_not_read_and_its_movement_is():
    names = ("level.speech.mean", "level.speech.sd", "loudness.speech.sd", "f0.voiced.mean")
    assert read_columns(kinds(*names)) == [1, 3]
    unused = ("flux.speech.sd", "chroma3.voiced.mean", "rhythm.duration_log2_s")
    assert read_columns(kinds(*unused)) == []


@pytest.mark.corpus
def test_what_a_model_reads_hardly_moves_with_the_gain_of_the_line(corpus_dir):
    clip = read_corpus(corpus_dir, "emodb")[0]
    feature_set = get_feature_set("descriptors_v1")
    signal = telephone_signal(clip, feature_set.sample_rate)
    span = speech_span(signal, feature_set.sample_rate)
    loud, soft = (feature_set.extract(gain * signal, span)[0] for gain in (1.0, 0.25))
    read = read_columns(feature_set.kinds)
    apart = np.abs(loud - soft) / (np.abs(loud) + np.abs(soft) + 1e-3)
    assert np.median(apart[read]) < 0.01
    level = [i for i, name in enumerate(feature_set.names) if name.startswith(("loudness", "flux"))]
    assert np.median(apart[level]) > 0.1


def test_fine_spectrum_and_courses_weigh_less():
    fine = kinds("mel12.speech.mean", "mfcc7.speech.sd", "f0.voiced.slope", "f0.voiced.curvature")
    assert all(map(is_domain_sensitive, fine))
    broad = kinds("mfcc6.speech.mean", "slope.speech.mean", "f0.voiced.delta_sd")
    assert not any(map(is_domain_sensitive, broad))
    weights = feature_weights(kinds("mel1.speech.p5", "hnr.voiced.p50"), 0.2)
    assert weights.tolist() == [0.2, 1.0]
