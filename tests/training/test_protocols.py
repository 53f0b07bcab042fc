from __future__ import annotations

import json
import struct
from dataclasses import replace

import pytest

from ser_batch.corpora import read_corpus
from ser_batch.corpora.labels import labels_csv
from ser_batch.corpora.sources import read_clips
from ser_batch.errors import BothSidesError, CorpusError
from ser_batch.progress import silent
from ser_batch.report.evaluation import save_pictures
from ser_batch.training.fit import Recipe
from ser_batch.training.loco import run_loco
from ser_batch.training.matrix import run_matrix
from ser_batch.training.protocols import parse_protocol, run_protocol
from ser_batch.training.setup import TrainingSetup
from tests.corpora.made import made_corpus

QUICK = Recipe(strengths=(0.001,), n_trees=(5,), n_folds=2)
SETUP = replace(TrainingSetup.choose(copies=0), recipe=QUICK)
KEYS = {
    "protocol", "band", "features", "n_clips", "n_speakers", "uar", "uar_low", "uar_high", "wa",
    "uar_normalised", "ece",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "train", "test", "per_fold"),
    [
        ("emodb-loso", ("emodb",), (), 1),
        ("ravdess-folds-of-4", ("ravdess",), (), 4),
        ("emodb+nemo-loso", ("emodb", "nemo"), (), 1),
        ("cross:emodb->ravdess+nemo", ("emodb",), ("ravdess", "nemo"), 1),
        ("own-calls+more.calls-loso", ("own-calls", "more.calls"), (), 1),
        ("cross:own-calls->emodb", ("own-calls",), ("emodb",), 1),
    ],
)
def test_names_say_who_is_trained_on_and_tested(name, train, test, per_fold):
    protocol = parse_protocol(name)
    assert (protocol.train, protocol.test) == (train, test)
    assert protocol.speakers_per_fold == per_fold


@pytest.mark.parametrize("name", ["emodb", "emodb-folds-of-0", "cross:emodb", "emodb-random"])
def test_other_names_are_refused(name):
    with pytest.raises(CorpusError, match="is no protocol"):
        parse_protocol(name)


def run(name, folder, **changes):
    options = {"comparisons": True, "on_progress": silent}
    protocol = parse_protocol(name)
    clips = read_clips(folder, [*protocol.train, *protocol.test])
    return run_protocol(protocol, clips, SETUP, **{**options, **changes})


def test_clips_of_one_emotion_are_refused(tmp_path):
    made_corpus(tmp_path / "emodb")
    for calm in (tmp_path / "emodb").glob("*N?.wav"):
        calm.unlink()
    with pytest.raises(CorpusError, match="all clips are labelled anger; a model needs two"):
        run("emodb-loso", tmp_path)


def test_a_protocol_gives_honest_figures_first_and_names_those_that_flatter(tmp_path):
    made_corpus(tmp_path / "emodb", n_speakers=4)
    result = run("emodb-folds-of-2", tmp_path)
    assert set(result) >= KEYS
    assert result["proof"]["n_folds"] == 2
    assert result["uar"] == result["auc_anger"] == 1.0
    assert set(result["by_sex"]) == {"female", "male"}
    assert set(result["leaks"]) == {"random_by_clip", "sex_and_emotion"}
    assert result["leaks"]["sex_and_emotion"]["n_classes"] == 4
    json.dumps(result)
    for path in save_pictures(result, tmp_path / "pictures"):
        width, height = struct.unpack(">II", path.read_bytes()[16:24])
        assert min(width, height) > 400


def as_ravdess(target):
    """Rename what is named as EmoDB's, as RAVDESS names its own."""
    renamed = {"W": "05", "N": "01"}
    for path in sorted(target.glob("*.wav")):
        emotion, take = renamed[path.stem[5]], "12"["abcd".index(path.stem[6]) % 2]
        text = "12"["abcd".index(path.stem[6]) // 2]
        actor = int(path.stem[:2])
        path.rename(target / f"03-01-{emotion}-01-0{text}-0{take}-{actor:02d}.wav")


def test_tables_of_labels_stand_beside_corpora_under_their_own_names(tmp_path):
    made_corpus(tmp_path / "emodb", n_speakers=2)
    own = read_corpus(made_corpus(tmp_path / "other" / "emodb", n_speakers=2, seed=1), "emodb")
    table = tmp_path / "own calls.csv"
    table.write_text(labels_csv(own, tmp_path).replace(",emodb,", ",,"))
    protocol = parse_protocol("cross:own calls->emodb")
    clips = read_clips(tmp_path, [*protocol.train, *protocol.test], [table])
    assert list(clips) == ["own calls", "emodb"]
    result = run_protocol(protocol, clips, SETUP, comparisons=False, on_progress=silent)
    assert result["by_corpus"].keys() == {"emodb"}
    with pytest.raises(CorpusError, match="two tables"):
        read_clips(None, [], [table, tmp_path / "elsewhere" / "own calls.csv"])


def test_from_one_corpus_to_another_tests_only_what_both_name(tmp_path):
    made_corpus(tmp_path / "emodb", n_speakers=2)
    as_ravdess(made_corpus(tmp_path / "ravdess", n_speakers=2, seed=1))
    result = run("cross:emodb->ravdess", tmp_path, comparisons=False)
    assert result["classes"] == ("anger", "neutral")
    assert result["by_corpus"].keys() == {"ravdess"}
    assert result["n_speakers"] == 2
    assert result["uar_normalised"] is None


def test_the_same_recording_in_both_corpora_is_refused(tmp_path):
    made_corpus(tmp_path / "emodb", n_speakers=2)
    as_ravdess(made_corpus(tmp_path / "ravdess", n_speakers=2))
    said = r"emodb/\w+\.wav \(emodb\) and .*ravdess/03.*\.wav \(ravdess\) are one recording on both"
    for name in ("cross:emodb->ravdess", "loco", "matrix"):
        with pytest.raises(BothSidesError, match=said) as refused:
            run_any(name, tmp_path)
        assert "-loso" in refused.value.remedy


def run_any(name, folder):
    if name.startswith("cross:"):
        return run(name, folder, comparisons=False)
    clips = read_clips(folder, ["emodb", "ravdess"])
    runs = {"loco": run_loco, "matrix": run_matrix}
    return runs[name](clips, SETUP, on_progress=silent)
