"""Commands say that corpora or weights are missing before they compute anything."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from ser_batch.corpora.sources import NoCorporaError
from ser_batch.errors import CorpusError, MissingWeightsError, SerError
from ser_batch.lab.bench.excerpts import check_recordings
from tests.corpora.made import made_corpus

WORK = {
    "train": "ser_batch.training.build.build_bundle",
    "evaluate": "ser_batch.training.protocols.run_protocol",
    "bench encoder": "ser_batch.lab.bench.encoder.run",
    "bench embeddings": "ser_batch.lab.bench.embeddings.run",
    "bench few-labels": "ser_batch.lab.bench.few_labels.run",
    "bench models": "ser_batch.lab.bench.models.run.run",
    "bench calls": "ser_batch.lab.bench.calls.measure",
    "bench retraining": "ser_batch.lab.bench.retraining.run",
    "bench denoise": "ser_batch.lab.bench.denoise.run",
}
"""What each command computes by."""


def refused(monkeypatch: pytest.MonkeyPatch, command: str, *options: str | Path) -> SerError:
    """The error with which a command stops before its work."""
    module, _, function = WORK[command].rpartition(".")
    monkeypatch.setattr(
        import_module(module), function, lambda *_args, **_named: pytest.fail("it computes")
    )
    done = CliRunner().invoke(app, [*command.split(), *map(str, options)], env={"SER_ROOT": None})
    assert isinstance(done.exception, SerError), (done.exception, done.output)
    return done.exception


@pytest.fixture
def emodb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of corpora that holds EmoDB alone; no weights were fetched."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SER_CORPUS_DIR", raising=False)
    made_corpus(tmp_path / "corpora" / "emodb", n_speakers=2)
    return tmp_path / "corpora"


WEIGHTS = ("--features", "whisper_base_l2")


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("train", WEIGHTS), ("evaluate", WEIGHTS), ("bench encoder", ()),
        ("bench few-labels", ("--corpus", "emodb")),
    ],
)  # fmt: skip
def test_missing_weights_are_said_first(emodb, monkeypatch, command, options):
    error = refused(monkeypatch, command, "--corpora", emodb, *options)
    assert isinstance(error, MissingWeightsError)


def test_a_bench_of_weights_alone_says_first_that_they_are_missing(emodb, monkeypatch):
    assert isinstance(refused(monkeypatch, "bench embeddings"), MissingWeightsError)


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("train", ("--corpus", "emodb", "--corpus", "nemo")),
        ("evaluate", ("--protocol", "cross:emodb->nemo")),
        ("bench few-labels", ("--features", "encoder_v2", "--corpus", "emodb", "--corpus", "nemo")),
        ("bench calls", ("--train", "emodb", "--test", "nemo")),
        ("bench retraining", ("--corpus", "nemo")),
        ("bench denoise", ()),
    ],
)
def test_missing_corpora_are_said_first(emodb, monkeypatch, command, options):
    error = refused(monkeypatch, command, "--corpora", emodb, *options)
    assert isinstance(error, CorpusError)
    assert "there is no folder" in str(error)


@pytest.mark.parametrize("model", ["heads", "cnn-lstm"])
def test_clips_of_one_emotion_train_no_model(emodb, monkeypatch, model):
    if model == "cnn-lstm":
        pytest.importorskip("torch")
    for calm in (emodb / "emodb").glob("*N?.wav"):
        calm.unlink()
    error = refused(monkeypatch, "train", "--corpora", emodb, "--model", model)
    assert "needs two emotions, of which calm, neutral and boredom are one" in error.one_line()


@pytest.mark.parametrize("command", ["train", "evaluate", "bench models", "bench calls"])
def test_a_folder_of_corpora_that_is_not_named_is_asked_for(emodb, monkeypatch, command):
    error = refused(monkeypatch, command)
    assert isinstance(error, NoCorporaError)
    assert "SER_CORPUS_DIR" in error.one_line()


def test_recordings_without_a_reference_are_said_first(tmp_path):
    with pytest.raises(CorpusError, match=r"reference\.rttm"):
        check_recordings(tmp_path)
