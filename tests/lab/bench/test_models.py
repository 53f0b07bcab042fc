from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler
from sklearn.svm import SVC

from ser_batch.config import Settings
from ser_batch.corpora.base import Clip
from ser_batch.errors import CorpusError
from ser_batch.lab.bench.models import columns
from ser_batch.lab.bench.models.classifiers import LOGISTIC, Classifier
from ser_batch.lab.bench.models.columns import COLUMNS
from ser_batch.lab.bench.models.kernel_svm import SVM, KernelSvm, squared_differences
from ser_batch.lab.bench.models.material import Material
from ser_batch.lab.bench.models.networks import NetworkRow, cnn_lstm
from ser_batch.lab.bench.models.rows import ROWS, PeerRow, ShippedRow, known_to
from ser_batch.lab.bench.models.run import NOT_COMPUTED, Table, chosen_columns, chosen_rows, run
from ser_batch.lab.bench.models.speed import hourly
from ser_batch.lab.synthetic.demo import make_demo_calls
from ser_batch.progress import silent
from ser_batch.training.augment import Augmentation
from ser_batch.training.fit import Recipe
from ser_batch.training.setup import TrainingSetup
from tests.corpora.made import made_corpus

QUICK = Recipe(state_strengths=(0.001,), n_trees=(5,), head_trees=5, n_folds=2)
OURS = ShippedRow(TrainingSetup("telephone", "descriptors_v1", Augmentation(copies=1), QUICK))
LINEAR = PeerRow(
    "logistic regression", "descriptors_v1", Classifier(LOGISTIC.model, {"model__C": [1e-3]})
)


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpora")
    made_corpus(folder / "emodb", n_speakers=4)
    return folder


@pytest.fixture(scope="module", autouse=True)
def few_random_folds():
    """There are eight clips a sex and emotion."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "N_RANDOM_FOLDS", 4)
        yield


def table(corpora: Path, cells: Path, *, progress=silent, computes: bool = True) -> Table:
    material = Material(corpora, corpora / "cache", progress)
    return Table(material, cells, calls=(), computes=computes)


@pytest.mark.slow
def test_the_shipped_recipe_learns_with_copies(corpora: Path, tmp_path: Path) -> None:
    (row,) = run(table(corpora, tmp_path), [OURS])["rows"]
    assert row["cells"]["EmoDB"]["uar"] > 0.9


@pytest.mark.slow
def test_a_network_is_a_row_and_its_speed_is_measured(corpora: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs ser-batch[neural]")
    network = NetworkRow("CNN-LSTM", cnn_lstm, epochs=1)
    assert network.missing() is None
    (row,) = run(table(corpora, tmp_path), [network])["rows"]
    assert row["cells"]["EmoDB"]["uar"] >= 0.5
    calls = make_demo_calls(tmp_path / "calls", n_calls=1, seed=1).audio_dir.rglob("*.wav")
    assert 0 < hourly(network.reads, [*calls], Settings())["core_s"] < 3600


def test_a_network_without_torch_is_named_with_its_remedy(
    corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    found = run(table(corpora, tmp_path), [NetworkRow("CNN-LSTM", cnn_lstm, epochs=3)])
    assert found["rows"] == []
    assert found["not_run"]["CNN-LSTM"] == "pip install 'ser-batch[neural]'"


def test_rows_are_tested_on_the_same_unseen_speakers_and_what_is_missing_is_named(
    corpora: Path, tmp_path: Path
) -> None:
    found = run(table(corpora, tmp_path), [LINEAR])
    shown = {column["name"]: column for column in found["columns"]}
    assert list(shown) == ["EmoDB", "sex and emotion", "sex and emotion, random split"]
    assert [column["is_honest"] for column in shown.values()] == [True, True, False]
    assert (shown["EmoDB"]["n_clips"], shown["EmoDB"]["n_speakers"]) == (32, 4)
    assert shown["sex and emotion"]["n_classes"] == 4
    (row,) = found["rows"]
    cell = row["cells"]["EmoDB"]
    # anger is high and neutral low: whoever cannot tell them apart is wired wrongly
    assert cell["uar"] > 0.9
    assert cell["uar_low"] <= cell["uar"] <= cell["uar_high"]
    assert found["not_run"]["CREMA-D"] == "needs cremad"


def test_a_killed_run_goes_on_where_it_was(corpora: Path, tmp_path: Path) -> None:
    def kill_in_the_second_column(step: str, done: int, _total: int) -> None:
        if step.endswith("sex and emotion") and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(table(corpora, tmp_path, progress=kill_in_the_second_column), [LINEAR])
    (first,) = tmp_path.glob("*.json")
    written = first.stat().st_mtime_ns
    unfinished = run(table(corpora, tmp_path, computes=False), [LINEAR, OURS])
    assert unfinished["not_run"]["shipped recipe"] == NOT_COMPUTED
    assert [row["row"] for row in unfinished["rows"]] == ["logistic regression"]
    cells = unfinished["rows"][0]["cells"]
    assert cells["sex and emotion, random split"] is None
    assert unfinished["not_run"]["logistic regression: sex and emotion, random split"] == (
        NOT_COMPUTED
    )
    # the figure of two speakers says that it is of two
    assert (cells["sex and emotion"]["n_folds"], cells["sex and emotion"]["of_folds"]) == (2, 4)
    assert unfinished["not_run"]["logistic regression: sex and emotion"] == "2 of 4 folds computed"
    folds = {path: path.stat().st_mtime_ns for path in (tmp_path / "folds").iterdir()}
    assert len(folds) == 2
    with pytest.raises(KeyboardInterrupt):
        run(table(corpora, tmp_path, progress=kill_in_the_second_column), [LINEAR])
    assert {path: path.stat().st_mtime_ns for path in folds} == folds
    whole = run(table(corpora, tmp_path), [LINEAR])
    assert not [*(tmp_path / "folds").iterdir()]
    assert None not in whole["rows"][0]["cells"].values()
    assert first.stat().st_mtime_ns == written
    assert run(table(corpora, tmp_path, computes=False), [LINEAR]) == whole


def test_columns_and_folds_can_be_computed_by_parts(corpora: Path, tmp_path: Path) -> None:
    one = replace(table(corpora, tmp_path), columns=("EmoDB",), most_folds=1)
    (row,) = run(one, [LINEAR])["rows"]
    assert row["cells"]["EmoDB"]["n_folds"] == 1
    assert row["cells"]["sex and emotion"] is None
    assert not [*tmp_path.glob("*.json")]
    (row,) = run(replace(one, most_folds=None), [LINEAR])["rows"]
    assert row["cells"]["EmoDB"]["n_folds"] == row["cells"]["EmoDB"]["of_folds"] == 4
    assert row["cells"]["sex and emotion"] is None


def test_a_change_of_the_labels_is_no_figure_of_before(corpora: Path, tmp_path: Path) -> None:
    one = table(corpora, tmp_path)
    run(one, [LINEAR])
    before = set(tmp_path.glob("*.json"))
    first, *others = one.material.clips("emodb")
    changed = [replace(first, emotion="anger"), *others]
    material = replace(one.material, _clips={"emodb": changed})
    run(replace(one, material=material), [LINEAR])
    assert set(tmp_path.glob("*.json")) > before


def test_every_column_holds_its_speakers_apart_and_few_labels_are_few(tmp_path: Path) -> None:
    material = pretended(tmp_path)
    for column in COLUMNS:
        trial = column.trial(material)
        clips = material.clips(*trial.corpora)
        both = [
            {clips[i].speaker for i in fold.train} & {clips[i].speaker for i in fold.test}
            for fold in trial.folds
        ]
        assert any(both) is not trial.is_honest
        assert len(np.unique(trial.tested)) == len(trial.tested)
        if column.name == "10 labels":
            for fold in trial.folds:
                drawn = [trial.labels[i] for i in fold.train]
                assert {drawn.count(name) for name in set(drawn)} == {10}
        if column.name.startswith("unseen"):
            (fold,) = trial.folds
            assert {clips[i].corpus for i in fold.test} == {column.name.split()[1]}
            assert {clips[i].corpus for i in fold.train}.isdisjoint(column.name.split())


def test_the_settings_of_a_classifier_are_chosen_and_it_learns() -> None:
    rng = np.random.default_rng(0)
    labels = ["anger", "neutral"] * 30
    features = rng.normal(size=(60, 5)) + np.array([[3.0], [0.0]] * 30)
    speakers = [f"made:{number // 12}" for number in range(60)]
    model = SVM.fit(features.astype(np.float32), labels, speakers)
    assert list(model.predict(np.array([[3.0] * 5, [0.0] * 5]))) == ["anger", "neutral"]


def test_an_svm_of_distances_decides_as_one_of_features() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(["anger", "fear", "neutral"], 40)
    means = {"anger": 1.0, "fear": 0.0, "neutral": -1.0}
    features = rng.normal(size=(120, 30)) + np.array([[means[name]] for name in labels])
    features = features.astype(np.float32)
    found = squared_differences(features[:5], features[:7])
    wanted = [[np.square(a - b).mean() for b in features[:7]] for a in features[:5]]
    assert found == pytest.approx(np.array(wanted), abs=1e-5)
    trained, tested = features[::2], features[1::2]
    speakers = [f"made:{number % 5}" for number in range(60)]
    model = KernelSvm(costs=(1.0,), steepness=(0.4,)).fit(trained, labels[::2], speakers)
    peer = make_pipeline(
        RobustScaler(), SVC(C=1.0, gamma=0.4 / features.shape[1], class_weight="balanced")
    ).fit(trained, labels[::2])
    assert list(model.predict(tested)) == list(peer.predict(tested))
    assert len(model.supports) == peer[-1].n_support_.sum() < len(trained)


def test_figures_on_data_that_guided_choices_say_so() -> None:
    by_name = {row.name: row for row in ROWS}
    ours = known_to(by_name["shipped recipe"], {"cremad"})
    assert ours == ["our choices", "the encoder, with labels"]
    assert "the encoder, without labels" in known_to(by_name["shipped recipe"], {"emodb"})
    assert known_to(by_name["SVM"], {"emodb"}) == ["our choices"]


def test_a_row_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(CorpusError, match="'SWM' is no row; did you mean"):
        chosen_rows(["SWM"])
    with pytest.raises(CorpusError, match="'EmoDC' is no column; did you mean"):
        chosen_columns(["EmoDC"])


def pretended(folder: Path) -> Material:
    """Clips of all corpora without audio."""
    found = {
        corpus: [
            Clip(
                path=Path(f"{corpus}{speaker}{number}.wav"),
                corpus=corpus,
                speaker=f"{corpus}:{speaker}",
                sex="female" if speaker % 2 else "male",
                emotion=("anger", "happiness", "neutral", "sadness", "fear")[number % 5],
                intensity=None,
                language="en",
                licence="own",
            )
            for speaker in range(6)
            for number in range(25)
        ]
        for corpus in columns.TRAINED_ON
    }
    contents = {name: [str(clip.path) for clip in clips] for name, clips in found.items()}
    return Material(folder, folder, silent, _clips=found, _contents=contents)
