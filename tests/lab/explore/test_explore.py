"""What `corpus show` and `corpus explore` say of corpora, on data with known truth."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.stats import f_oneway
from typer.testing import CliRunner

from pipelines.cli import app
from ser_batch.corpora import read_corpus
from ser_batch.corpora.labels import read_labels
from ser_batch.errors import CorpusError
from ser_batch.features.dataset import Dataset
from ser_batch.features.kinds import FeatureKind, Measure
from ser_batch.lab.explore.balance import TOGETHER, balance, duplicates, read_sounds
from ser_batch.lab.explore.sample import few_of_each
from ser_batch.lab.explore.separation import centred, neighbours, omega_squared, strongest
from tests.corpora.made import made_corpus

EMOTIONS = ("anger", "neutral") * 30
SPEAKERS = tuple(f"own:{number // 15}" for number in range(60))


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpora")
    made_corpus(folder / "emodb")
    return folder


def of_columns(*columns: np.ndarray) -> Dataset:
    """Sixty clips of four speakers, a feature a column."""
    names = [f"feature{number}" for number in range(len(columns))]
    return Dataset(
        features=np.stack(columns, axis=1).astype(np.float32),
        names=tuple(f"{name}.mean" for name in names),
        kinds=tuple(FeatureKind(Measure(name), "mean") for name in names),
        emotions=EMOTIONS,
        speakers=SPEAKERS,
        contents=tuple(map(str, range(60))),
        corpora=("own",) * 60,
        sexes=("female",) * 60,
        copies=np.zeros(60, np.int64),
    )


def test_omega_squared_is_that_of_the_analysis_of_variance():
    rng = np.random.default_rng(0)
    is_angry = np.array(EMOTIONS) == "anger"
    values = np.stack([rng.normal(size=60) + is_angry, np.ones(60)], axis=1)
    found = omega_squared(values, EMOTIONS)
    f = f_oneway(values[is_angry, 0], values[~is_angry, 0]).statistic
    assert found[0] == pytest.approx((f - 1) / (f - 1 + 60))  # one degree of freedom
    assert found[1] == 0


def test_a_descriptor_of_the_emotion_comes_before_one_of_the_speaker():
    rng = np.random.default_rng(0)
    by_speaker = np.repeat([0.0, 5.0, -9.0, 3.0], 15)
    is_angry = np.array(EMOTIONS) == "anger"
    dataset = of_columns(by_speaker + rng.normal(size=60), by_speaker - 3 * is_angry)
    first, _ = strongest(dataset, centred(dataset.features, SPEAKERS), 2)
    assert (first.name, first.emotion) == ("feature1.mean", "anger")
    assert first.cohens_d < -10
    assert first.omega_squared > 0.99


def test_neighbours_tell_groups_from_chance():
    rng = np.random.default_rng(0)
    apart = rng.normal(size=(60, 3)) + 100.0 * (np.array(EMOTIONS) == "anger")[:, None]
    assert neighbours(apart, EMOTIONS) == {"share": 1.0, "chance": pytest.approx(29 / 59)}
    mixed = neighbours(apart, SPEAKERS)
    assert mixed["share"] == pytest.approx(mixed["chance"], abs=0.12)


def test_the_same_recording_is_found_under_another_name_and_format(tmp_path):
    made_corpus(tmp_path / "emodb", n_speakers=2)
    first = tmp_path / "emodb" / "03a01Wa.wav"
    shutil.copy(first, tmp_path / "copy.wav")
    soundfile.write(tmp_path / "copy.flac", *soundfile.read(first))
    table = tmp_path / "own.csv"
    table.write_text("path,speaker,emotion\ncopy.wav,x,neutral\ncopy.flac,x,anger\n")
    clips_of = {"emodb": read_corpus(tmp_path, "emodb"), "own": read_labels(table)}
    sounds_of = {name: read_sounds(clips, lambda: None) for name, clips in clips_of.items()}
    [row] = duplicates(clips_of, sounds_of)
    assert {Path(path).name for path in row["paths"]} == {"03a01Wa.wav", "copy.wav", "copy.flac"}
    assert (row["same_emotion"], row["same_speaker"]) == (False, False)
    counts = balance(clips_of, sounds_of)
    assert counts[TOGETHER]["n_clips"] == 18
    assert counts[TOGETHER]["emotions"] == {"anger": 9, "neutral": 9}
    assert counts["emodb"]["speakers_of"] == {"anger": 2, "neutral": 2}


def test_clips_are_drawn_evenly_and_too_few_are_refused(corpora):
    clips = read_corpus(corpora, "emodb")
    drawn = few_of_each({"emodb": clips}, 10)
    assert sorted(clip.emotion for clip in drawn) == ["anger"] * 10 + ["neutral"] * 10
    assert drawn == few_of_each({"emodb": clips}, 10)
    with pytest.raises(CorpusError, match="too few"):
        few_of_each({"emodb": clips}, 5)
    with pytest.raises(CorpusError, match="labelled anger"):
        few_of_each({"emodb": [clip for clip in clips * 2 if clip.emotion == "anger"]}, 30)


def run(*options: str | Path) -> dict[str, object]:
    done = CliRunner().invoke(app, ["corpus", *map(str, options), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_commands_write_figures_and_pictures(corpora, tmp_path):
    shown = run("show", "--corpora", corpora, "--picture", tmp_path / "show.png")
    assert shown["corpora"]["emodb"]["n_speakers"] == 3
    assert shown["duplicates"] == []
    found = run("explore", "--corpora", corpora, "--picture", tmp_path / "map.svg")
    assert found["descriptors"][0]["omega_squared"] > 0.9  # anger is higher
    assert found["neighbours"]["emotion"]["share"] > 0.9
    assert len(found["points"]) == 24
    assert (tmp_path / "show.png").read_bytes().startswith(b"\x89PNG")
    assert "by speaker" in (tmp_path / "map.svg").read_text()
