from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_batch.features.dataset import Dataset
from ser_batch.features.kinds import FeatureKind, Measure
from ser_batch.lab.bench.ablation import GROUPS, run
from ser_batch.lab.bench.normalisation import NORMALISATIONS, less_usual
from tests.corpora.made import made_corpus

VOTES = "clip,votes_anger,votes_disgust,votes_fear,votes_happiness,votes_neutral,votes_sadness\n"


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpora")
    made = made_corpus(folder / "emodb")
    (folder / "cremad").mkdir()
    rows = []
    for number, path in enumerate(sorted(made.iterdir())):
        angry = "W" in path.stem
        level = ("LO", "MD", "HI", "XX")[number % 4]
        name = f"{1001 + number % 3}_DFA_{'ANG' if angry else 'NEU'}_{level}"
        samples, rate_hz = soundfile.read(path)
        soundfile.write(folder / "cremad" / f"{name}.wav", samples[number:], rate_hz)
        rows.append(f"{name},{'4,0,0,0,1,0' if angry else '0,0,0,0,5,0'}\n")
    (folder / "cremad" / "votes.csv").write_text(VOTES + "".join(rows))
    return folder


def test_every_choice_has_a_row_and_each_corpus_is_tested_by_the_other(corpora, tmp_path):
    rows = run(corpora, ["descriptors_v1"], cache=tmp_path, on_progress=lambda *_: None)
    left_out = {row["name"] for row in rows if row["topic"] == "left out"}
    assert left_out == set(GROUPS)
    assert all(set(row["auc"]) == {"cremad", "emodb"} for row in rows)
    plain = next(row for row in rows if row["topic"] == "feature set")
    assert plain["auc"] == {"cremad": 1.0, "emodb": 1.0}, "tones of anger are loud and high"
    assert plain["auc_pooled"] is None, "there is no other corpus"


def dataset(features: np.ndarray, speakers: tuple[str, ...]) -> Dataset:
    n_clips = len(features)
    return Dataset(
        features=features.astype(np.float32),
        names=("f0.voiced.mean", "mfcc1.speech.sd"),
        kinds=(FeatureKind(Measure("f0"), "mean"), FeatureKind(Measure("mfcc", 1), "sd")),
        emotions=("neutral",) * n_clips,
        speakers=speakers,
        contents=tuple(map(str, range(n_clips))),
        corpora=("place",) * n_clips,
        sexes=("unknown",) * n_clips,
        copies=np.zeros(n_clips, np.int64),
    )


def test_a_place_moved_as_a_whole_is_the_same_place():
    values = np.random.default_rng(1).normal(size=(40, 2))
    speakers = ("a", "b") * 20
    here, there = dataset(values, speakers), dataset(values + np.array([30, -2]), speakers)
    assert np.allclose(less_usual(here).features, less_usual(there).features, atol=1e-5)
    register = NORMALISATIONS["per site, level and register only"](there)
    assert np.array_equal(register.features[:, 1], there.features[:, 1])


def test_a_caller_of_few_clips_keeps_most_of_the_difference_from_the_place():
    values = np.random.default_rng(1).normal(size=(42, 2))
    values[:2] += 10
    clips = dataset(values, ("few",) * 2 + ("many",) * 40)
    shrunk = NORMALISATIONS["per caller, shrunk"](clips).features
    in_full = NORMALISATIONS["per caller"](clips).features
    assert np.all(shrunk[:2].mean(axis=0) > 7)
    assert np.all(np.abs(in_full[:2].mean(axis=0)) < 1)
