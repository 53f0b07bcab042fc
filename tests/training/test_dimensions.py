from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ser_batch.corpora.base import Clip
from ser_batch.dimensions import derived_dimensions
from ser_batch.errors import CorpusError
from ser_batch.features.dataset import Dataset, joined
from ser_batch.training.dimensions import ccc, ccc_interval, dimension_figures, fit_dimensions
from tests.training.datasets import blobs


def rated(*, n_speakers: int = 8, noise: float = 0.3) -> Dataset:
    """Clips whose features say how aroused and how pleasant they were rated."""
    clips = blobs(n_speakers=n_speakers, n_clips=12)
    rng = np.random.default_rng(1)
    read = clips.features[:, :2] / np.abs(clips.features[:, :2]).max(axis=0)
    values = np.clip(3 + 2 * read + noise * rng.normal(size=read.shape), 1, 5)
    return replace(clips, dimensions=values)


def test_votes_for_emotions_and_the_acted_level_give_arousal_and_valence() -> None:
    arousal, valence = derived_dimensions({"anger": 1.0}, None)
    assert arousal > 4
    assert valence < 2
    assert derived_dimensions({"anger": 1.0}, "high")[0] > arousal
    assert derived_dimensions({"neutral": 1.0}, "high") == (3.0, 3.0)
    half = derived_dimensions({"anger": 0.5, "neutral": 0.5}, None)
    assert half == pytest.approx(((arousal + 3) / 2, (valence + 3) / 2))


def test_the_ccc_is_lin_s_and_punishes_a_shift_that_a_correlation_does_not_see() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=200)
    assert ccc(truth, truth) == pytest.approx(1)
    assert ccc(truth, truth + 1) == pytest.approx(2 * truth.var() / (2 * truth.var() + 1))
    assert ccc(truth, -truth) < -0.9
    assert ccc(truth, np.zeros(200)) == 0
    found = truth + rng.normal(size=200)
    speakers = [f"s{number % 20}" for number in range(200)]
    low, high = ccc_interval(truth, found, speakers)
    assert low < ccc(truth, found) < high


def test_ratings_of_unseen_speakers_are_predicted_and_spread_as_the_labels_are() -> None:
    clips = rated()
    figures = dimension_figures(clips)
    assert figures["arousal"]["ccc"] > 0.5
    assert figures["arousal"]["ccc_low"] < figures["arousal"]["ccc"]
    assert figures["arousal"]["n_speakers"] == 8
    shuffled = replace(clips, dimensions=np.random.default_rng(0).permutation(clips.dimensions))
    assert dimension_figures(shuffled)["arousal"]["ccc"] < 0.3


def test_another_corpus_is_predicted_by_a_model_of_this_one() -> None:
    clips = rated(n_speakers=12)
    is_other = np.array([int(name.split(":")[1]) >= 6 for name in clips.speakers])
    figures = dimension_figures(clips.take(~is_other), clips.take(is_other))
    assert figures["valence"]["n_clips"] == 72
    assert figures["valence"]["ccc"] > 0.4


def test_too_few_labels_are_refused_with_the_remedy() -> None:
    with pytest.raises(CorpusError, match="columns arousal and valence"):
        fit_dimensions(blobs())
    few = rated(n_speakers=4)
    with pytest.raises(CorpusError, match="48 clips of 4 speakers"):
        fit_dimensions(few)


def test_clips_without_ratings_are_left_out_beside_those_with_them() -> None:
    clips = rated()
    both = joined(clips, replace(blobs(seed=3), dimensions=None))
    assert both.dimensions is not None
    assert np.isnan(both.dimensions[len(clips.emotions) :]).all()
    assert dimension_figures(both)["arousal"]["n_clips"] == len(clips.emotions)


def test_own_ratings_come_before_what_votes_suggest(tmp_path) -> None:
    clip = Clip(tmp_path, "own", "own:1", "unknown", "anger", None, "de", "own")
    assert clip.dimensions is None
    voted = replace(clip, votes=(("anger", 2.0),))
    assert voted.dimensions == derived_dimensions({"anger": 1.0}, None)
    assert replace(voted, rated=(2.0, 4.0)).dimensions == (2.0, 4.0)
