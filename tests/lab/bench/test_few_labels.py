from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser_batch.lab.bench import few_labels
from ser_batch.lab.bench.faults.retraining import QUICK
from ser_batch.training.splits import speaker_folds
from tests.training.datasets import blobs


def test_as_many_labels_of_each_emotion_are_drawn_and_none_of_a_tested_speaker() -> None:
    dataset = blobs(n_speakers=6, n_clips=12)
    fold = speaker_folds(dataset.speakers, dataset.contents, n_folds=3)[0]
    rows = few_labels.drawn(dataset, fold.train, 5, np.random.default_rng(0))
    emotions = [dataset.emotions[row] for row in rows]
    assert {emotion: emotions.count(emotion) for emotion in dataset.classes} == dict.fromkeys(
        dataset.classes, 5
    )
    assert not set(rows) & set(fold.test)
    assert len(few_labels.drawn(dataset, fold.train, 99, np.random.default_rng(0))) == 48


def test_every_fold_hears_some_speakers_of_each_corpus() -> None:
    dataset = replace(blobs(n_speakers=20, n_clips=3), corpora=("one",) * 30 + ("two",) * 30)
    for fold in few_labels.mixed_folds(dataset):
        assert {dataset.corpora[row] for row in fold.test} == {"one", "two"}
        assert not {dataset.speakers[i] for i in fold.test} & {
            dataset.speakers[i] for i in fold.train
        }


def test_more_labels_help_and_every_model_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_labels, "N_LABELS", (4, 40))
    models: list[None] = []
    dataset = blobs(n_speakers=10, n_clips=15, n_features=4)
    found = few_labels.curve(dataset, QUICK, draws=2, on_model=lambda: models.append(None))
    assert found[40] > found[4] > 1 / 3
    assert len(models) == 2 * 2 * few_labels.N_FOLDS


def test_the_picture_shows_both_curves(tmp_path: Path) -> None:
    result = {"ours": {"new": {10: 0.6, 25: 0.7}}, "peers": {"old": {10: 0.4, 25: 0.5}}}
    few_labels.picture(result, tmp_path / "curve.svg")
    text = (tmp_path / "curve.svg").read_text(encoding="utf-8")
    assert ">new<" in text
    assert ">old<" in text
