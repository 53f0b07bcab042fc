from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser_batch.corpora import get_corpus, read_corpus
from ser_batch.corpora.base import one_of_each_content
from ser_batch.corpora.labels import labels_csv, read_labels, summary
from ser_batch.corpora.licences import strictest
from ser_batch.emotions import EMOTIONS
from ser_batch.errors import CorpusError
from ser_batch.features.sets import get_feature_set
from ser_batch.monitoring.reference import read_reference
from ser_batch.training.build import build_bundle
from ser_batch.training.describe import describe_clips, speech_span
from ser_batch.training.fit import Recipe
from ser_batch.training.setup import TrainingSetup
from tests.corpora.made import made_corpus


@pytest.mark.parametrize(
    ("kind", "name", "speaker", "sex", "emotion"),
    [
        ("emodb", "03a01Fa.wav", "emodb:03", "male", "happiness"),
        ("emodb", "16b10Wb.flac", "emodb:16", "female", "anger"),
        ("emodb", "08a02Lc.wav", "emodb:08", "female", "boredom"),
        ("ravdess", "03-01-05-02-01-01-12.wav", "ravdess:12", "female", "anger"),
        ("ravdess", "03-01-02-01-02-01-01.wav", "ravdess:01", "male", "calm"),
        ("tess", "OAF_back_ps.wav", "tess:OAF", "female", "surprise"),
        ("tess", "OA_bite_neutral.wav", "tess:OAF", "female", "neutral"),
        ("nemo", "EB0_surprised_27.wav", "nemo:EB0", "female", "surprise"),
        ("savee", "DC_su03.wav", "savee:DC", "male", "surprise"),
        ("savee", "KL/a01.wav", "savee:KL", "male", "anger"),
        ("urdu", "SF1_F4_H04.wav", "urdu:SF1", "female", "happiness"),
    ],
)
def test_names_are_read_as_the_corpus_writes_them(kind, name, speaker, sex, emotion):
    clip = get_corpus(kind).parse(Path(name))
    assert (clip.speaker, clip.sex, clip.emotion) == (speaker, sex, emotion)
    assert clip.licence == get_corpus(kind).licence


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("emodb", "03a01Xa.wav"),
        ("ravdess", "03-02-05-02-01-01-12.wav"),  # sung
        ("ravdess", "03-01-05-02-01-01-25.wav"),
        ("tess", "OAF_back_bored.wav"),
        ("nemo", "EB0_calm_1.wav"),
        ("cremad", "1001_DFA_BOR_XX.wav"),
        ("savee", "XX_a01.wav"),
        ("savee", "a01.wav"),
        ("urdu", "SF1_F4_X04.wav"),
        ("iemocap", "Ses01F_impro01_F000.wav"),  # no evaluation beside it
    ],
)
def test_files_of_another_kind_are_left_out(kind, name):
    assert get_corpus(kind).parse(Path(name)) is None


def test_intensity_is_kept_where_it_is_named():
    parse = get_corpus("ravdess").parse
    assert parse(Path("03-01-05-02-01-01-12.wav")).intensity == "strong"
    assert parse(Path("03-01-05-01-01-01-12.wav")).intensity == "normal"
    assert get_corpus("emodb").parse(Path("03a01Fa.wav")).intensity is None


TABULATED = """\
"","A","D","F","H","N","S","fileName","numResponses"
"100001",1,0,0,0,8,1,"1001_DFA_ANG_LO",10
"100002",4,4,0,0,2,0,"1002_DFA_DIS_LO",10
"200001",9,0,0,0,0,0,"1001_DFA_ANG_LO",9
"""


def test_cremads_clips_are_labelled_by_votes_of_listeners_who_did_not_see_the_speaker(tmp_path):
    clips, own = tmp_path / "AudioWAV", tmp_path / "processedResults"
    clips.mkdir()
    own.mkdir()
    (own / "tabulatedVotes.csv").write_text(TABULATED)
    parse = get_corpus("cremad").parse
    first = parse(clips / "1001_DFA_ANG_LO.wav")
    assert (first.emotion, first.acted, first.intensity) == ("neutral", "anger", "low")
    assert first.shares == {"anger": 0.1, "neutral": 0.8, "sadness": 0.1}
    assert parse(clips / "1002_DFA_DIS_LO.wav").emotion == "disgust"  # of a tie, the acted one
    assert parse(clips / "1003_DFA_DIS_LO.wav") is None  # nobody voted


def test_cremad_without_votes_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(CorpusError, match=r"no votes\.csv or tabulatedVotes\.csv"):
        get_corpus("cremad").parse(tmp_path / "1001_DFA_ANG_HI.wav")


def test_cremads_actors_have_the_sex_of_its_own_table(tmp_path):
    (tmp_path / "AudioWAV").mkdir()
    table = "ActorID,Age,Sex\n1001,51,Male\n1002,21,Female\n"
    (tmp_path / "VideoDemographics.csv").write_text(table)
    (tmp_path / "tabulatedVotes.csv").write_text(TABULATED)
    parse = get_corpus("cremad").parse
    assert parse(tmp_path / "AudioWAV" / "1002_DFA_DIS_LO.wav").sex == "female"
    assert parse(tmp_path / "AudioWAV" / "1001_DFA_ANG_LO.wav").sex == "male"


def test_iemocaps_labels_come_from_its_evaluation_files(tmp_path):
    session = tmp_path / "Session1"
    wav = session / "sentences" / "wav" / "Ses01F_impro01"
    (session / "dialog" / "EmoEvaluation").mkdir(parents=True)
    lines = [
        "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]",
        "[6.2901 - 8.2357]\tSes01F_impro01_F000\tfru\t[2.5000, 2.5000, 2.5000]",
        "C-E2:\tNeutral;\t()",
        "[10.0100 - 11.3925]\tSes01F_impro01_M001\txxx\t[2.5000, 2.5000, 2.5000]",
        "[14.8872 - 18.0175]\tSes01F_impro01_M002\texc\t[4.0000, 3.5000, 3.0000]",
    ]
    (session / "dialog" / "EmoEvaluation" / "Ses01F_impro01.txt").write_text("\n".join(lines))
    parse = get_corpus("iemocap").parse
    first = parse(wav / "Ses01F_impro01_F000.wav")
    assert (first.speaker, first.sex, first.emotion) == ("iemocap:01F", "female", "frustration")
    assert parse(wav / "Ses01F_impro01_M001.wav") is None
    last = parse(wav / "Ses01F_impro01_M002.wav")
    assert (last.speaker, last.emotion) == ("iemocap:01M", "happiness")


def test_labels_written_are_read_back(tmp_path):
    clips = get_corpus("emodb").read(made_corpus(tmp_path / "emodb"))
    (tmp_path / "labels.csv").write_text(labels_csv(clips, tmp_path))
    assert read_labels(tmp_path / "labels.csv") == clips


def test_votes_written_are_read_back_and_are_label_enough(tmp_path):
    (tmp_path / "1001_DFA_ANG_LO.wav").write_bytes(b"a")
    (tmp_path / "1002_DFA_DIS_LO.wav").write_bytes(b"b")
    (tmp_path / "tabulatedVotes.csv").write_text(TABULATED)
    clips = get_corpus("cremad").read(tmp_path)
    (tmp_path / "labels.csv").write_text(labels_csv(clips, tmp_path))
    assert read_labels(tmp_path / "labels.csv") == clips
    (tmp_path / "own.csv").write_text(
        "path,speaker,votes_anger,votes_neutral\n1001_DFA_ANG_LO.wav,7,1,3\n"
    )
    assert read_labels(tmp_path / "own.csv")[0].shares == {"anger": 0.25, "neutral": 0.75}


def test_ratings_written_are_read_back(tmp_path):
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "own.csv").write_text(
        "path,speaker,emotion,arousal,valence\na.wav,7,anger,4.5,1\nb.wav,7,neutral,,\n"
    )
    clips = read_labels(tmp_path / "own.csv")
    assert [clip.rated for clip in clips] == [(4.5, 1.0), None]
    (tmp_path / "again.csv").write_text(labels_csv(clips, tmp_path))
    assert read_labels(tmp_path / "again.csv") == clips


def test_votes_for_one_recording_under_two_names_are_pooled(tmp_path):
    for name in ("1001_DFA_ANG_LO.wav", "1002_DFA_DIS_LO.wav"):
        (tmp_path / name).write_bytes(b"the same")
    (tmp_path / "tabulatedVotes.csv").write_text(TABULATED)
    pooled = one_of_each_content(get_corpus("cremad").read(tmp_path))
    assert [(c.emotion, dict(c.votes)["anger"]) for c in pooled] == [("neutral", 5.0)]


def test_ones_own_labels_need_path_speaker_and_emotion_alone(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"")
    (tmp_path / "calls.csv").write_text("path,speaker,emotion\na.wav,7,frustration\n")
    clip = read_labels(tmp_path / "calls.csv")[0]
    assert (clip.speaker, clip.corpus, clip.licence) == ("calls:7", "calls", "own")


@pytest.mark.parametrize("separator", [";", "\t"])
def test_labels_are_read_as_spreadsheets_write_them(tmp_path, separator):
    (tmp_path / "a.wav").write_bytes(b"")
    lines = [["\ufeffPath", " Speaker", "Emotion"], ["a.wav", "7", "Anger"]]
    text = "\r\n".join(separator.join(line) for line in lines)
    (tmp_path / "own.csv").write_text(text, encoding="utf-8")
    (clip,) = read_labels(tmp_path / "own.csv")
    assert (clip.path.name, clip.speaker, clip.emotion) == ("a.wav", "own:7", "anger")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,emotion\na.wav,anger\n", "no column 'speaker'"),
        ("path,speaker,emotion\na.wav,7,angr\n", "line 2: 'angr' is no emotion.*'anger'"),
        ("path,speaker,emotion\na.wav,,anger\n", "line 2: no speaker"),
        ("path,speaker,votes_angr\na.wav,7,2\n", "'angr' is no emotion.*'anger'"),
        ("path,speaker,votes_anger\na.wav,7,two\n", "line 2: votes_anger is no number"),
        (
            "path,speaker,emotion,arousal,valence\na.wav,7,anger,3,7\n",
            "line 2: valence is no number from 1 to 5: 7",
        ),
        ("path,speaker,emotion\nb.wav,7,anger\n", "line 2: there is no file"),
        ("Pfad;speaker;emotion\na.wav;7;anger\n", "'path'; it has pfad, speaker, emotion"),
        ("path,speaker,emotion\na.wav,7,furious\n", "'furious' is no emotion; it can be anger, b"),
        ("path,speaker,emotion\n", "no line below its header"),
        ("", "is empty"),
    ],
)
def test_wrong_labels_are_named_by_line(tmp_path, text, message):
    (tmp_path / "a.wav").write_bytes(b"")
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(CorpusError, match=message):
        read_labels(tmp_path / "own.csv")


def test_an_unknown_corpus_names_the_nearest():
    with pytest.raises(CorpusError, match="did you mean 'ravdess'"):
        get_corpus("ravdes")


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "holiday.wav").write_bytes(b"")
    with pytest.raises(CorpusError, match="none of the 1 audio files"):
        get_corpus("emodb").read(tmp_path)


def test_the_strictest_licence_is_carried():
    assert strictest(["CC0-1.0", "CC-BY-NC-SA-4.0", "CC-BY-4.0"]) == "CC-BY-NC-SA-4.0"
    with pytest.raises(CorpusError, match=r"did you mean 'CC0-1\.0'"):
        strictest(["CC0"])


def test_a_bundle_is_made_from_a_folder_of_clips(tmp_path):
    made_corpus(tmp_path / "emodb")
    steps = []
    quick = Recipe(strengths=(0.001,), n_trees=(5,), n_folds=2)
    bundle = build_bundle(
        read_corpus(tmp_path, "emodb"),
        tmp_path / "out",
        replace(TrainingSetup.choose(copies=0), recipe=quick),
        others={"elsewhere": read_corpus(made_corpus(tmp_path / "b" / "emodb", seed=1), "emodb")},
        on_progress=lambda what, done, total: steps.append((what, done, total)),
    )
    assert bundle.classes == ("anger", "neutral")
    assert bundle.evaluation["uar"] == 1.0
    assert bundle.evaluation["proof"]["n_speakers"] == 3
    card = (tmp_path / "out" / "CARD.md").read_text()
    assert "1.000" in card
    assert "CC0-1.0" in card
    assert ("describing clips", 24, 24) in steps
    reference = read_reference(tmp_path / "out")
    assert reference.held_out.probabilities.shape == (24, 2)
    assert set(reference.line) == {"level_db", "bandwidth_hz"}
    elsewhere = bundle.evaluation["cross_corpus"]["elsewhere"]
    assert elsewhere["auc_anger"] == 1.0
    assert elsewhere["confusion"]["anger"] == {"anger": 12, "neutral": 0, "uncertain": 0}
    assert "| elsewhere, unseen | 24 | 1.00 |" in card
    assert "emodb: its figures guided choices of recipe, flag or model; its audio was" in card
    assert "emodb" in card.partition("## Limits")[0]
    assert "what was tried and what lost" in card
    assert ".929 / .819" not in card  # figures of the bundled models are on their cards alone


def test_clips_of_one_emotion_train_no_model(tmp_path):
    made_corpus(tmp_path / "emodb")
    angry = [clip for clip in read_corpus(tmp_path, "emodb") if clip.emotion == "anger"]
    with pytest.raises(CorpusError, match="all clips are labelled anger"):
        build_bundle(angry, tmp_path / "out", TrainingSetup.choose(copies=0))
    assert not (tmp_path / "out").exists()


def test_copies_of_a_recording_are_dropped_and_contradictions_refused(tmp_path):
    folder = made_corpus(tmp_path / "emodb", n_speakers=1)
    original = (folder / "03a01Wa.wav").read_bytes()
    (folder / "08a01Wa.wav").write_bytes(original)
    clips = get_corpus("emodb").read(folder)
    assert len(one_of_each_content(clips)) == len(clips) - 1
    (folder / "08a01Na.wav").write_bytes(original)
    with pytest.raises(CorpusError, match="labelled anger and neutral"):
        one_of_each_content(get_corpus("emodb").read(folder))


def test_a_clip_that_cannot_be_decoded_is_named(tmp_path):
    folder = made_corpus(tmp_path / "emodb", n_speakers=1)
    (folder / "03a01Wa.wav").write_bytes(b"RIFF")
    with pytest.raises(CorpusError, match="03a01Wa"):
        describe_clips(get_corpus("emodb").read(folder), get_feature_set("descriptors_v1"))


def test_silence_around_the_speech_is_left_out():
    signal = np.zeros(16000, np.float32)
    signal[4000:12000] = 0.1 * np.sin(np.arange(8000) / 5)
    np.testing.assert_allclose(speech_span(signal, 8000), [[0.44, 1.56]], atol=0.021)
    np.testing.assert_allclose(speech_span(np.zeros(8000, np.float32), 8000), [[0, 1]])


def test_labels_can_be_read_by_any_csv_reader(tmp_path):
    clips = get_corpus("emodb").read(made_corpus(tmp_path / "emodb", n_speakers=1))
    rows = list(csv.DictReader(labels_csv(clips, tmp_path).splitlines()))
    assert rows[0]["path"] == "emodb/03a01Na.wav"
    assert rows[0]["emotion"] == "neutral"
    assert summary(clips)["emotions"] == {"anger": 4, "neutral": 4}


@pytest.mark.corpus
@pytest.mark.parametrize("kind", ["emodb", "nemo", "ravdess", "tess"])
def test_every_clip_of_the_real_corpus_is_read_as_its_labels_say(corpus_dir, kind):
    clips = read_corpus(corpus_dir, kind)
    stated = {
        Path(row["path"]).name: row
        for row in csv.DictReader((corpus_dir / "emotion" / "labels.csv").open())
        if row["corpus"] == kind
    }
    assert {clip.path.name for clip in clips} == set(stated)
    short = {"angry": "anger", "happy": "happiness", "sad": "sadness"}
    for clip in clips:
        row = stated[clip.path.name]
        assert clip.emotion == short.get(row["emotion"], row["emotion"])
        assert clip.sex[0].upper() == row["sex"]
        assert clip.language == row["language"]
        assert clip.licence == row["licence"]
        assert clip.speaker.split(":")[1] == row["speaker"].split("_", 1)[1]
    assert set(Counter(clip.emotion for clip in clips)) <= set(EMOTIONS)
