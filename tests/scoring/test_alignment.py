from __future__ import annotations

from dataclasses import replace

import numpy as np

from ser_batch.lab.bench.faults.retraining import QUICK
from ser_batch.scoring.alignment import aligned
from ser_batch.scoring.reasons import contributions
from ser_batch.training.fit import train
from tests.training.datasets import blobs


def test_a_line_that_shifts_every_caller_alike_is_taken_away():
    data = blobs(n_clips=60)
    model = train(data, QUICK)
    plain = model.predict(data.features, data.names)
    shifted = data.features + np.linspace(-3, 3, 8, dtype=np.float32)
    fitted = aligned(model, shifted, n_calls=10**9)
    found = fitted.predict(shifted, data.names)
    assert np.abs(found - plain).mean() < 0.02
    assert np.abs(model.predict(shifted, data.names) - plain).mean() > 0.1
    assert (
        fitted.ood_score(shifted, data.names).mean() < model.ood_score(shifted, data.names).mean()
    )


def test_few_calls_are_hardly_believed():
    data = blobs()
    model = train(data, QUICK)
    far = data.features + 1
    few, many = (aligned(model, far, n_calls=n).shift for n in (2, 2000))
    assert few is not None
    assert many is not None
    assert np.abs(few).max() < 0.15 * np.abs(many).max()


def test_contributions_speak_of_what_the_aligned_model_reads():
    data = blobs()
    model = replace(train(data, QUICK), shift=np.full(8, 0.7))
    winner = model.predict(data.features, data.names).argmax(axis=1)
    plain = replace(model, shift=None)
    np.testing.assert_allclose(
        contributions(model, data.features, data.names, winner),
        contributions(plain, data.features + np.float32(0.7), data.names, winner),
        atol=1e-6,
    )


def test_the_names_order_does_not_matter():
    data = blobs()
    model = replace(train(data, QUICK), shift=np.linspace(-1, 1, 8))
    order = np.random.default_rng(0).permutation(8)
    np.testing.assert_allclose(
        model.predict(data.features[:, order], [data.names[i] for i in order]),
        model.predict(data.features, data.names),
    )
