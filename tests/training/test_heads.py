from __future__ import annotations

from dataclasses import replace

import numpy as np

from ser_batch.features.dataset import Dataset
from ser_batch.features.encoders.sets import state_features
from ser_batch.lab.bench.faults.retraining import QUICK
from ser_batch.scoring.reasons import family_contributions
from ser_batch.training.crossvalidate import cross_validate
from ser_batch.training.fit import train
from ser_batch.training.heads import Task, fit_head, parts_of, tuned_parts
from ser_batch.training.splits import speaker_folds
from tests.training.datasets import CLASSES, blobs

WITH_STATES = replace(QUICK, state_strengths=(0.001, 0.1))


def with_states(*, seed: int = 0) -> Dataset:
    """Clips as descriptors, and as states that are another, independent view of them."""
    one, other = blobs(n_clips=24, seed=seed), blobs(n_clips=24, n_features=6, seed=seed + 50)
    names, kinds = zip(*state_features((2, 3), 2), strict=True)
    return replace(
        one,
        features=np.hstack([one.features, other.features]),
        names=(*one.names, *names[:6]),
        kinds=(*one.kinds, *kinds[:6]),
    )


def test_a_speech_models_states_have_a_head_of_their_own():
    data = with_states()
    parts = parts_of(data.kinds, (0.01,), (0.5,))
    assert [part.columns.tolist() for part in parts] == [list(range(8)), list(range(8, 14))]
    assert len(parts_of(blobs().kinds, (0.01,), (0.5,))) == 1


def test_the_sum_of_the_parts_is_the_head():
    data = with_states()
    task = Task(data.targets(CLASSES), domain_sensitive_weight=1.0)
    folds = speaker_folds(data.speakers, data.contents, n_folds=3)
    tuned, held_out = tuned_parts(data, task, folds, parts_of(data.kinds, (0.01,), (0.1,)))
    assert held_out.shape == (len(data.emotions), 3)
    whole = fit_head(data, task, tuned).logits(data.features)
    alone = [fit_head(data, task, [part]).logits(data.features) for part in tuned]
    np.testing.assert_allclose(whole, sum(alone))


def test_two_views_tell_more_than_one():
    data = with_states()
    both = cross_validate(data, recipe=WITH_STATES).evaluation.uar
    alone = [
        cross_validate(data.reading(columns), recipe=WITH_STATES).evaluation.uar
        for columns in (range(8), range(8, 14))
    ]
    assert both > max(alone)


def test_states_have_no_words():
    data = with_states()
    model = train(data, WITH_STATES)
    winner = model.predict(data.features, data.names).argmax(axis=1)
    contributions = family_contributions(model, data.features, data.names, winner)
    other = data.features.copy()
    other[:, 8:] = model.linear.centre[8:]
    trees = model.trees.contributions(data.features, data.names)[:, :, :8]
    head = model.linear.scaled(other)
    weights = model.linear.weights - model.linear.weights.mean(axis=1, keepdims=True)
    expected = (head * weights.T[winner])[:, :8].sum(axis=1)
    rows = np.arange(len(winner))
    expected += (trees[rows, winner] - trees.mean(axis=1)).sum(axis=1)
    np.testing.assert_allclose(contributions.sum(axis=1), expected, atol=1e-9)
