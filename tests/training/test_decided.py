from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ser_batch.corpora import get_corpus
from ser_batch.corpora.base import Clip
from ser_batch.errors import CorpusError, LeakError
from ser_batch.progress import silent
from ser_batch.report.evaluation import save_pictures
from ser_batch.training.augment import Augmentation
from ser_batch.training.decided import Decided, decided_figures
from ser_batch.training.fit import Recipe
from ser_batch.training.loco import run_loco
from ser_batch.training.matrix import run_matrix
from ser_batch.training.protocols import parse_protocol, run_protocol
from ser_batch.training.setup import TrainingSetup
from ser_batch.training.splits import check_no_leakage, sentence_folds, speaker_folds
from tests.corpora.made import made_corpus
from tests.training.datasets import blobs


def quick(copies: int = 0) -> TrainingSetup:
    recipe = Recipe(strengths=(0.001,), n_trees=(5,), n_folds=2)
    return TrainingSetup("telephone", "descriptors_v1", Augmentation(copies=copies), recipe)


def test_no_class_is_dropped_and_abstaining_is_no_hit():
    clips = blobs(n_clips=4)
    emotions = ("anger", "anger", "surprise", "neutral")
    clips = clips.take(np.arange(4))
    clips = type(clips)(**{**vars(clips), "emotions": emotions})
    answers = Decided(
        emotion=("anger", "boredom", "anger", "uncertain"),
        confidence=np.array([0.9, 0.8, 0.7, 0.3]),
        dissatisfaction=np.array([0.9, 0.1, 0.8, 0.2]),
        is_uncertain=np.array([False, False, False, True]),
        ood_score=np.array([0.2, 0.3, 1.5, 0.4]),
    )
    found = decided_figures(clips, answers, ("anger", "boredom", "neutral"))
    assert found["accuracy"] == 0.25
    assert found["accuracy_decided"] == pytest.approx(1 / 3)
    assert found["uar"] == pytest.approx(0.5 / 3)
    assert found["uncertain_share"] == 0.25
    assert found["predicted"]["boredom"] == 0.25
    assert found["confusion"]["surprise"] == {
        "anger": 1, "boredom": 0, "neutral": 0, "uncertain": 0,
    }  # fmt: skip
    assert sum(sum(row.values()) for row in found["confusion"].values()) == 4
    assert found["auc_anger_content"] == 0.5
    assert found["ood_share"] == 0.25
    emotion = found["risk_coverage"]["emotion"]  # in order: right, wrong, wrong, then what is out
    assert emotion["risk_at"]["0.5"] == 0.5
    assert emotion["risk"] == 0.75
    json.dumps(found)


@pytest.fixture
def clips(tmp_path) -> dict[str, list[Clip]]:
    """Three corpora of tones, each with its own speakers."""
    clips = {}
    for number, name in enumerate(("one", "two", "three")):
        folder = made_corpus(tmp_path / name / "emodb", seed=number)
        read = get_corpus("emodb").read(folder)
        clips[name] = [
            type(clip)(**{**vars(clip), "corpus": name, "speaker": f"{name}:{clip.speaker}"})
            for clip in read
        ]
    return clips


@pytest.mark.slow
def test_each_corpus_is_tested_by_a_model_of_each(clips, tmp_path):
    clips = {name: clips[name] for name in ("one", "two")}
    clips["two"] = [  # anger sounds as neutral does elsewhere
        replace(clip, emotion={"anger": "neutral", "neutral": "anger"}[clip.emotion])
        for clip in clips["two"]
    ]
    result = run_matrix(clips, quick(), on_progress=silent)
    found = {(cell["trained_on"], cell["tested_on"]): cell["uar"] for cell in result["cells"]}
    assert found == {
        ("one", "one"): 1.0, ("one", "two"): 0.0, ("two", "one"): 0.0, ("two", "two"): 1.0,
    }  # fmt: skip
    [picture] = save_pictures(result, tmp_path / "pictures")
    assert picture.name == "matrix.png"
    shared = [replace(clip, speaker=clips["one"][0].speaker) for clip in clips["two"]]
    with pytest.raises(LeakError):
        run_matrix({"one": clips["one"], "two": shared}, quick(), on_progress=silent)


def test_a_corpus_is_tested_by_a_model_of_the_others(clips):
    result = run_loco(clips, quick(copies=1), on_progress=silent)
    assert set(result["decisions"]) == {"one", "two", "three"}
    two = result["decisions"]["two"]
    assert two["trained_on"] == ["one", "three"]
    assert two["n_clips"] == 24
    assert two["auc_anger"] == 1
    assert not two["guided_choices"]
    assert not two["encoder_exposed"]
    json.dumps(result)
    with pytest.raises(CorpusError, match="needs two"):
        run_loco({"one": clips["one"]}, quick(), on_progress=silent)


def test_a_protocol_says_what_production_decides(tmp_path):
    folder = made_corpus(tmp_path / "emodb", n_speakers=4)
    result = run_protocol(
        parse_protocol("emodb-folds-of-2"),
        {"emodb": get_corpus("emodb").read(folder)},
        quick(),
        comparisons=False,
        on_progress=silent,
    )
    decisions = result["decisions"]["emodb"]
    assert decisions["accuracy_decided"] == result["wa"] == 1
    assert decisions["guided_choices"]
    assert not decisions["encoder_exposed"]


def test_sentences_are_held_out_as_well_as_speakers():
    rng = np.random.default_rng(0)
    speakers = [f"s{n % 5}" for n in range(60)]
    contents = [str(n) for n in range(60)]
    sentences = [f"text{n}" for n in rng.integers(0, 6, 60)]
    sentences[7] = ""
    folds = sentence_folds(speaker_folds(speakers, contents), sentences)
    proof = check_no_leakage(folds, speakers, contents, sentences=sentences)
    assert proof.n_clips == 60
    assert proof.n_sentences == 6
    with pytest.raises(LeakError, match="sentence text"):
        check_no_leakage(speaker_folds(speakers, contents), speakers, contents, sentences=sentences)
