"""What networks over sequences read of a segment."""

from __future__ import annotations

import numpy as np
import pytest

from ser_batch.features.descriptors import describe
from ser_batch.features.sequences import (
    LEAST_FRAMES,
    N_MEASURES,
    N_MFCC,
    PARAMETERS,
    SCALARS,
    sequence,
)
from tests.features.encoders.made_up import speechlike


def test_frames_are_measured_as_the_descriptors_measure_them():
    signal = speechlike(1.0, 8000)
    signal = signal / np.abs(signal).max()
    rows = sequence(signal)
    measured = describe(signal, np.array([[0.0, 1.0]]), PARAMETERS)
    wanted = {name: measured.values[measured.names.index(name)] for name in (*SCALARS, "mfcc1")}
    assert rows.shape == (len(wanted["zcr"]), N_MEASURES)
    assert rows[:, 0] == pytest.approx(wanted["mfcc1"], rel=1e-4, abs=1e-3)
    for column, name in enumerate(SCALARS[:-1], start=N_MFCC):
        assert rows[:, column] == pytest.approx(wanted[name], rel=1e-4), name
    level = np.maximum(wanted["level"] - wanted["level"].max(), -60)
    assert rows[:, -1] == pytest.approx(level, abs=1e-3)


@pytest.mark.parametrize("gain", [0.05, 0.5])
def test_how_loud_a_line_is_does_not_matter(gain):
    signal = speechlike(1.0, 8000)
    assert sequence(gain * signal) == pytest.approx(sequence(signal), rel=1e-3, abs=1e-2)


@pytest.mark.parametrize("n_samples", [0, 1, 100, 500, 1000])
def test_a_short_segment_is_repeated_until_there_is_a_window(n_samples):
    rows = sequence(np.random.default_rng(0).standard_normal(n_samples).astype(np.float32))
    assert len(rows) >= LEAST_FRAMES
    assert np.isfinite(rows).all()
