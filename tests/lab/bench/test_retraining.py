from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ser_batch.lab.bench.faults.retraining import QUICK
from ser_batch.lab.bench.retraining import Loop, figures, labels_saved, run
from ser_batch.training.fit import train
from tests.training.datasets import blobs

STEPS = (0, 50, 100)


def test_saved_labels_are_those_that_chance_needs_more_for_the_same_recall():
    assert labels_saved([0.3, 0.5, 0.6], [0.3, 0.4, 0.5], STEPS) == pytest.approx(50)
    assert labels_saved([0.3, 0.4, 0.5], [0.3, 0.5, 0.6], STEPS) == pytest.approx(-50)
    assert labels_saved([0.3, 0.4, 0.5], [0.3, 0.4, 0.5], STEPS) == 0
    assert labels_saved([0.3, 0.5, 0.5], [0.3, 0.3, 0.4], STEPS) == pytest.approx(75)


def test_the_gain_is_of_the_queue_in_points():
    found = figures(
        {"queue": [[0.2, 0.3], [0.4, 0.6]], "chance": [[0.3, 0.3], [0.3, 0.4]]}, [0, 200]
    )
    assert found["gain_at_200"] == pytest.approx(15)
    assert found["gain_at_200_by_chance"] == pytest.approx(5)


@pytest.mark.parametrize("by", ["queue", "chance"])
def test_labels_teach_what_the_start_did_not_know(by: str):
    start, pool, measured = (blobs(seed=seed, n_speakers=4) for seed in (1, 2, 3))
    start.features[:] = np.random.default_rng(0).normal(size=start.features.shape)
    loop = Loop(start, pool, measured, weight=4, recipe=QUICK, first=train(start, QUICK))
    before = loop.recall()
    loop.ask(by, 12, np.random.default_rng(0))
    loop.ask(by, 12, np.random.default_rng(1))
    assert len(set(loop.labelled)) == 24
    loop.retrain()
    assert loop.recall() > before + 0.2


@pytest.mark.corpus
@pytest.mark.slow
def test_the_bench_runs_on_clips_of_two_corpora(corpus_dir: Path, tmp_path: Path):
    for corpus in ("emodb", "tess"):
        clips = sorted((corpus_dir / "emotion" / corpus).rglob("*.flac"))[::7]
        for clip in clips:
            target = tmp_path / clip.relative_to(corpus_dir / "emotion")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(clip)
    found = run(tmp_path, "tess", draws=1, steps=(10,), recipe=QUICK, on_progress=lambda *_: None)
    assert found["labels"] == [0, 10]
    assert all(0 < value <= 1 for curve in found["uar"].values() for value in curve)
    json.dumps(found, allow_nan=False)
