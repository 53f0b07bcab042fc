"""Sentence embeddings of small models with random weights, in the hub's format."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser_batch.errors import SentenceModelError
from ser_batch.scoring.calibration import BinaryCalibration
from ser_batch.scoring.words import Fusion, WordsModel
from ser_batch.training.words import fit_head
from ser_batch.transcripts.sentences import sentence_encoder
from tests.transcripts.encoders import put_sentence_encoder

ANGRY = ("this is a disgrace", "I am fed up with waiting", "nobody called me back")
CALM = ("thank you very much", "that is fine with me", "here is the meter reading")
MODEL = WordsModel("v", (), (), (1.0,), 0.0, BinaryCalibration(1.0, 0.0), Fusion(1.0, 0.0), (), {})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put_sentence_encoder(tmp_path_factory.mktemp("sentences"), [*ANGRY, *CALM])


def as_onnx(folder: Path, place: Path) -> Path:
    """The same model, as ONNX alone."""
    import torch
    from transformers import AutoModel

    shutil.copytree(folder, place, ignore=shutil.ignore_patterns("*.safetensors"))

    class States(torch.nn.Module):  # type: ignore[misc]  # torch is an extra
        def __init__(self):
            super().__init__()
            self.network = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()

        def forward(self, input_ids):
            return self.network(input_ids=input_ids).last_hidden_state

    (place / "onnx").mkdir()
    torch.onnx.export(
        States(), (torch.tensor([[1, 2, 3]]),), str(place / "onnx" / "model.onnx"), dynamo=False,
        input_names=["input_ids"], output_names=["last_hidden_state"],
        dynamic_axes={"input_ids": {0: "texts", 1: "tokens"}},
    )  # fmt: skip
    return place


def test_a_text_has_one_vector_whatever_stands_beside_it(folder: Path) -> None:
    encoder = sentence_encoder(folder)
    together = encoder.embed([*ANGRY, *CALM, "many " * 40])
    assert together.shape == (7, 32)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    alone = np.concatenate([encoder.embed([line]) for line in (*ANGRY, *CALM)])
    assert alone == pytest.approx(together[:-1], abs=1e-5)
    assert encoder.embed([]).shape[0] == 0


@pytest.mark.filterwarnings("ignore")
def test_safetensors_and_onnx_give_the_same_vectors(folder: Path, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="needs ser-batch[neural]")
    assert onnx
    exported = sentence_encoder(as_onnx(folder, tmp_path / "onnx"))
    original = sentence_encoder(folder)
    assert exported.digest != original.digest
    assert exported.embed(ANGRY) == pytest.approx(original.embed(ANGRY), abs=1e-5)


def test_pooling_is_as_the_folder_states(folder: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    shutil.copytree(folder, first)
    (first / "1_Pooling").mkdir()
    (first / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    encoder = sentence_encoder(first)
    assert encoder.digest != sentence_encoder(folder).digest
    assert np.abs(encoder.embed(ANGRY) - sentence_encoder(folder).embed(ANGRY)).max() > 0.01


def test_a_model_of_words_learns_from_vectors_and_holds_no_term(folder: Path) -> None:
    texts = [*ANGRY, *CALM] * 10
    truth = np.array(([1.0] * 3 + [0.0] * 3) * 10)
    callers = [f"c{number}" for number in range(len(texts))]
    model = fit_head(texts, truth, callers, str(folder))
    assert (model.terms, len(model.weights)) == ((), 32)
    said = model.log_odds(["a disgrace, fed up", "thank you, fine", "yes", ""], str(folder))
    assert said[0] > said[1]
    assert np.isfinite(said).tolist() == [True, True, False, False]


def test_a_folder_that_is_missing_or_changed_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "model.onnx").write_bytes(b"x")
    model = replace(MODEL, sentences=sentence_encoder(tmp_path).digest)
    with pytest.raises(SentenceModelError, match=r"transcripts\.sentences is not set") as found:
        model.log_odds([])
    assert found.value.remedy.startswith("Set transcripts.sentences to the folder")
    with pytest.raises(SentenceModelError, match="gone is no folder"):
        model.log_odds([], str(tmp_path / "gone"))
    assert len(model.log_odds([], str(tmp_path))) == 0
    (tmp_path / "tokenizer.json").write_text("{} ")
    with pytest.raises(SentenceModelError, match="is not what the model of words of v was fitted"):
        model.log_odds([], str(tmp_path))
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(SentenceModelError, match=r"holds neither model\.onnx nor model\.safet"):
        sentence_encoder(tmp_path)


def test_a_damaged_folder_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers", reason="needs ser-batch[sentences]")
    (tmp_path / "tokenizer.json").write_text("{")
    (tmp_path / "model.onnx").write_bytes(b"x")
    with pytest.raises(SentenceModelError, match="cannot be read"):
        sentence_encoder(tmp_path).embed(["a b"])
