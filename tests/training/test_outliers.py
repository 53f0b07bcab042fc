from __future__ import annotations

import numpy as np
import pytest

from ser_batch.training.outliers import fit_outliers
from ser_batch.training.splits import Fold


def speech(n: int, *, seed: int, n_features: int = 40, shift: float = 0.0) -> np.ndarray:
    """Rows that vary along five axes much, and elsewhere little."""
    rng = np.random.default_rng(seed)
    axes = np.random.default_rng(99).normal(size=(5, n_features))
    return shift + rng.normal(size=(n, 5)) @ axes + 0.3 * rng.normal(size=(n, n_features))


def halves(n: int) -> list[Fold]:
    rows = np.arange(n)
    return [Fold(rows[rows % 2 == 0], rows[rows % 2 == 1]), Fold(rows[1::2], rows[::2])]


def test_speech_of_another_draw_is_in_distribution_and_something_else_is_not():
    found = fit_outliers(speech(400, seed=0), ["one"] * 400, halves(400))
    assert (found.score(speech(400, seed=1)) > 1).mean() < 0.05
    other = np.random.default_rng(2).normal(size=(100, 40)) * 3
    assert (found.score(other) > 1).all()


def test_the_limit_admits_a_corpus_that_the_shape_was_not_fitted_to():
    both = np.vstack([speech(300, seed=0), speech(100, seed=1, shift=0.8)])
    corpora = ["large"] * 300 + ["small"] * 100
    alone = fit_outliers(both, ["one"] * 400, halves(400))
    apart = fit_outliers(both, corpora, halves(400))
    assert apart.limit > alone.limit


@pytest.mark.parametrize("n", [16, 60])
def test_fewer_clips_than_features_are_enough(n):
    found = fit_outliers(speech(n, seed=0, n_features=200), ["one"] * n, halves(n))
    assert np.isfinite(found.score(speech(20, seed=3, n_features=200))).all()
    assert (found.score(speech(200, seed=3, n_features=200)) > 1).mean() < 0.25
