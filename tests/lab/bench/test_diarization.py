"""Our diarization errors beside those of pyannote.metrics."""

from __future__ import annotations

import numpy as np
import pytest

from ser_batch.arrays import DoubleArray
from ser_batch.audio.intervals import intervals
from ser_batch.lab.bench.diarization import diarization_errors

DURATION_S = 30.0
REFERENCE = [
    (0, 21.97, 5.06, 3.99, 0.8174),
    (1, 12.41, 7.19, 7.94, 0.7051),
    (2, 24.99, 3.55, 2.88, 0.6295),
    (3, 22.11, 2.16, 4.87, 0.7543),
    (4, 18.57, 8.79, 3.49, 0.6268),
    (5, 19.91, 3.44, 5.35, 0.7827),
]
"""Seed, then missed, false and confused seconds and the rate, by pyannote.metrics 4.2.0."""


def speakers(rng: np.random.Generator) -> list[DoubleArray]:
    """One to three who speak six times each, whenever they like."""
    return [
        np.sort(rng.choice(3000, 12, replace=False)).reshape(6, 2) / 100
        for _ in range(int(rng.integers(1, 4)))
    ]


@pytest.mark.parametrize(("seed", "missed_s", "false_s", "confused_s", "rate"), REFERENCE)
def test_errors_are_those_that_pyannote_metrics_counts(
    seed: int, missed_s: float, false_s: float, confused_s: float, rate: float
) -> None:
    rng = np.random.default_rng(seed)
    errors = diarization_errors(speakers(rng), speakers(rng), DURATION_S)
    assert (errors.missed_s, errors.false_s, errors.confused_s) == pytest.approx(
        (missed_s, false_s, confused_s), abs=0.005
    )
    assert errors.rate == pytest.approx(rate, abs=1e-4)


@pytest.mark.parametrize("seed", range(100, 110))
def test_errors_agree_with_the_installed_pyannote_metrics(seed: int) -> None:
    metrics = pytest.importorskip("pyannote.metrics.diarization")
    core = pytest.importorskip("pyannote.core")

    def annotation(all_of: list[DoubleArray]) -> object:
        made = core.Annotation()
        for name, own in enumerate(all_of):
            for number, (start, end) in enumerate(own.tolist()):
                made[core.Segment(start, end), f"{name}-{number}"] = str(name)
        return made

    rng = np.random.default_rng(seed)
    true, found = speakers(rng), speakers(rng)
    whole = core.Timeline([core.Segment(0, DURATION_S)])
    theirs = metrics.DiarizationErrorRate()(annotation(true), annotation(found), uem=whole)
    assert diarization_errors(true, found, DURATION_S).rate == pytest.approx(theirs, abs=1e-4)


def test_nothing_found_is_all_missed() -> None:
    errors = diarization_errors([intervals([(0, 10)])], [intervals([])], 20)
    assert (errors.missed_s, errors.rate) == pytest.approx((10, 1))
