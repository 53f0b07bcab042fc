from __future__ import annotations

import numpy as np
import pytest

from ser_batch.features.dataset import LONG_SEGMENT, Dataset
from ser_batch.features.sets import get_feature_set
from ser_batch.training.outliers import fit_outliers

STATES = get_feature_set("encoder_v2")
DESCRIPTORS = get_feature_set("descriptors_v1")


def speech(n: int, *, seed: int, n_features: int = 40, shift: float = 0.0) -> np.ndarray:
    """Rows that vary along five axes much, and elsewhere little."""
    rng = np.random.default_rng(seed)
    axes = np.random.default_rng(99).normal(size=(5, n_features))
    return shift + rng.normal(size=(n, 5)) @ axes + 0.3 * rng.normal(size=(n, n_features))


def fitted(rows, corpora=None, *, copies=None, described_by=STATES):
    """The distance of rows that a feature set is said to describe."""
    n, n_features = rows.shape
    dataset = Dataset(
        features=rows,
        names=described_by.names[:n_features],
        kinds=described_by.kinds[:n_features],
        emotions=("neutral",) * n,
        speakers=tuple(f"made:{row % 2}" for row in range(n)),
        contents=tuple(map(str, range(n))),
        corpora=tuple(corpora or ["one"] * n),
        sexes=("unknown",) * n,
        copies=np.zeros(n, np.int64) if copies is None else copies,
    )
    return fit_outliers(dataset, rows, 2)


def test_speech_of_another_draw_is_in_distribution_and_something_else_is_not():
    found = fitted(speech(400, seed=0))
    assert (found.score(speech(400, seed=1)) > 1).mean() < 0.05
    other = np.random.default_rng(2).normal(size=(100, 40)) * 3
    assert (found.score(other) > 1).all()


def test_the_limit_admits_a_corpus_that_the_shape_was_not_fitted_to():
    both = np.vstack([speech(300, seed=0), speech(100, seed=1, shift=0.8)])
    corpora = ["large"] * 300 + ["small"] * 100
    alone = fitted(both)
    apart = fitted(both, corpora)
    assert apart.limit > alone.limit


def test_what_lies_off_along_the_leading_axes_is_out_though_another_corpus_lies_off_elsewhere():
    """The corpus that is left out raises the limit of the whole distance, not that of the axes."""
    other = speech(150, seed=1)
    other[:, 30:] += 2.0
    both = np.vstack([speech(400, seed=0), other])
    found = fitted(both, ["large"] * 400 + ["small"] * 150)
    axes = np.random.default_rng(99).normal(size=(5, 40))
    strange = speech(100, seed=2) + 6 * axes[0]
    whole, leading = found.distances(strange)
    assert (whole < found.limit).all()
    assert (leading > found.leading_limit).mean() > 0.95
    assert (found.score(strange) > 1).mean() > 0.95
    assert (found.score(speech(200, seed=3)) > 1).mean() < 0.03


@pytest.mark.parametrize("n", [16, 60])
def test_fewer_clips_than_features_are_enough(n):
    found = fitted(speech(n, seed=0, n_features=200))
    assert np.isfinite(found.score(speech(20, seed=3, n_features=200))).all()
    assert (found.score(speech(200, seed=3, n_features=200)) > 1).mean() < 0.25


def test_descriptors_alone_have_no_limit_along_the_leading_axes():
    found = fitted(speech(400, seed=0), described_by=DESCRIPTORS)
    strange = speech(100, seed=2) + 6 * np.random.default_rng(99).normal(size=(5, 40))[0]
    whole, _ = found.distances(strange)
    np.testing.assert_array_equal(found.score(strange), whole / found.limit)


def test_long_segments_are_admitted_however_few_they_are():
    """They lie off along the leading axes, and are too few to set the limit of all rows."""
    axes = np.random.default_rng(99).normal(size=(5, 40))
    short, long = speech(800, seed=0), speech(40, seed=1) + 2 * axes[0]
    rows = np.vstack([short, long])
    is_long = np.arange(840) >= 800
    found = fitted(rows, copies=np.where(is_long, LONG_SEGMENT, 0))
    taken_for_clips = fitted(rows)
    more = speech(200, seed=2) + 2 * axes[0]
    assert found.leading_limit > taken_for_clips.leading_limit
    assert (found.score(more) > 1).mean() < 0.04
