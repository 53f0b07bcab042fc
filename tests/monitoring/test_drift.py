from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ser_batch.config import DriftSettings
from ser_batch.errors import BundleError
from ser_batch.lab.bench.faults.retraining import QUICK
from ser_batch.monitoring.drift import expected_psi, psi, status
from ser_batch.monitoring.reference import REFERENCE, held_out, read_reference, write_reference
from ser_batch.scoring.histograms import LINE_MEASURES
from ser_batch.training.crossvalidate import cross_validate
from ser_batch.training.fit import train
from tests.training.datasets import blobs


def test_the_index_is_that_of_the_textbook():
    """Shares .5/.5 against .8/.2: (.5-.8) ln(.5/.8) + (.5-.2) ln(.5/.2) = .4159."""
    now, before = np.array([[50_000, 50_000]]), np.array([[80_000, 20_000]])
    assert psi(now, before)[0] == pytest.approx(0.4159, abs=1e-3)
    assert psi(now, now)[0] == 0


def test_an_empty_bin_is_not_infinite():
    assert np.isfinite(psi(np.array([[0, 10]]), np.array([[10, 0]]))[0])


def test_by_chance_is_what_samples_of_one_distribution_give():
    rng = np.random.default_rng(0)
    n, n_before = 400, 2000
    found = [
        psi(
            rng.multinomial(n, np.full(10, 0.1))[None],
            rng.multinomial(n_before, np.full(10, 0.1))[None],
        )[0]
        for _ in range(300)
    ]
    assert np.mean(found) == pytest.approx(expected_psi(10, n, n_before), rel=0.1)


def test_a_large_index_of_few_calls_is_chance():
    settings = DriftSettings()
    assert status(0.3, expected_psi(10, 2000, 20000), settings) == "drift"
    assert status(0.3, expected_psi(10, 40, 1000), settings) == "ok"
    assert status(0.15, 0.01, settings) == "warning"
    assert status(0.05, 0.0, settings) == "ok"


def test_the_training_data_are_like_themselves_and_louder_calls_are_not(tmp_path):
    dataset = blobs(n_speakers=30)
    write_reference(tmp_path, dataset, dataset.names[:4])
    reference = read_reference(tmp_path)
    assert reference.names == dataset.names[:4]
    same = reference.counts(dataset.features, dataset.names)
    assert (same == reference.clips).all()
    moved = dataset.features + np.array([3, 0, 0, 0, 0, 0, 0, 0], np.float32)
    index = psi(reference.counts(moved, dataset.names), reference.clips)
    assert index[0] > 0.25
    assert index[1:] == pytest.approx(0)


def test_held_out_scores_and_lines_are_kept_as_far_as_clips_tell_them(tmp_path):
    dataset = blobs(n_speakers=4)
    n = len(dataset.emotions)
    line = np.full((n, len(LINE_MEASURES)), np.nan, np.float32)
    line[:, LINE_MEASURES.index("level_db")] = -25
    line[: n // 2, LINE_MEASURES.index("bandwidth_hz")] = 3400
    dataset = replace(dataset, line=line, copies=np.arange(n) % 2)
    checked = cross_validate(dataset, n_folds=2, recipe=QUICK)
    model = train(dataset, QUICK)
    scores = held_out(dataset, checked.probabilities, checked.decided.dissatisfaction, model)
    write_reference(tmp_path, dataset, dataset.names, scores)
    reference = read_reference(tmp_path)
    assert reference.held_out.classes == dataset.classes
    assert reference.held_out.probabilities == pytest.approx(checked.probabilities, abs=1e-4)
    assert len(reference.held_out.ood_score) == n // 2
    assert set(reference.line) == {"level_db"}, "half of the clips do not tell their bandwidth"
    assert reference.line["level_db"].tolist() == [*[0] * 5, n, 0, 0, 0, 0, 0]


def test_many_equal_values_are_no_drift(tmp_path):
    dataset = blobs(n_speakers=30)
    dataset.features[:, 0] = np.where(np.arange(len(dataset.features)) % 3 == 0, 1, 0)
    write_reference(tmp_path, dataset, dataset.names)
    reference = read_reference(tmp_path)
    index = psi(reference.counts(dataset.features, dataset.names), reference.clips)
    assert index == pytest.approx(0)


def test_a_bundle_without_it_has_no_reference_and_a_broken_one_is_said(tmp_path):
    assert read_reference(tmp_path) is None
    (tmp_path / REFERENCE).write_bytes(b"nonsense")
    with pytest.raises(BundleError, match=REFERENCE):
        read_reference(tmp_path)
