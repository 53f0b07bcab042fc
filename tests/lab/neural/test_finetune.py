"""Speech encoders in the hub's format, small and with random weights, fine-tuned with heads."""

# ruff: noqa: E402

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is missing: pip install ser-batch[neural]")
transformers = pytest.importorskip(
    "transformers", reason="transformers is missing: pip install ser-batch[neural]"
)

from ser_batch import resources
from ser_batch.errors import EncoderSourceError
from ser_batch.features.encoders.network import INPUTS, graph_features, graph_session
from ser_batch.features.sets import get_feature_set
from ser_batch.lab.neural import finetune
from ser_batch.lab.neural.build import NetworkTask, build_network_bundle
from ser_batch.lab.neural.export import int8_graph, onnx_graph
from ser_batch.lab.neural.finetune import LONGEST_S, FineTune
from ser_batch.lab.neural.fit import network_outputs
from ser_batch.lab.neural.loading import load_encoder
from ser_batch.lab.neural.training import Plan
from tests.lab.neural.tones import write_tones

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}
WHISPER = {
    "d_model": 64,
    "encoder_layers": 2,
    "encoder_attention_heads": 1,
    "encoder_ffn_dim": 48,
    "decoder_layers": 1,
    "decoder_attention_heads": 1,
    "decoder_ffn_dim": 8,
    "vocab_size": 40,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
}
KINDS = {
    "wav2vec2": (transformers.Wav2Vec2Model, transformers.Wav2Vec2Config, SIZES),
    "hubert": (transformers.HubertModel, transformers.HubertConfig, SIZES),
    "wavlm": (transformers.WavLMModel, transformers.WavLMConfig, SIZES),
    "whisper": (transformers.WhisperModel, transformers.WhisperConfig, WHISPER),
}


def save(folder: Path, kind: str) -> Path:
    """A small encoder as the hub keeps it."""
    torch.manual_seed(0)
    model, config, sizes = KINDS[kind]
    model(config(**sizes)).save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    return folder


@pytest.fixture(scope="module", params=KINDS)
def saved(request, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp(request.param), request.param)


def heard(design: FineTune, seconds: tuple[float, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    signals = [rng.standard_normal(int(8000 * s)).astype(np.float32) for s in seconds]
    return [INPUTS[design.reads](0.1 * signal) for signal in signals]


def test_the_exported_network_gives_what_the_trained_one_gives(saved: Path):
    design = FineTune(load_encoder(str(saved)), lora_rank=2)
    network = design.network([])
    for name, values in network.named_parameters():
        if name.endswith(".up"):
            values.data.normal_(std=0.1)
    inputs = heard(design, (0.5, 0.93, 1.7))
    wanted = network_outputs(network, design, inputs)
    graph = onnx_graph(design.finished(network), inputs[0])
    found = graph_features(graph_session(graph), inputs)
    assert found == pytest.approx(wanted, abs=1e-4)
    small = graph_features(graph_session(int8_graph(graph)), inputs)
    assert np.abs(small - wanted).mean() < 0.1 * np.abs(wanted).mean()


@pytest.mark.parametrize("last_blocks", [0, 1, 2])
def test_states_computed_once_give_what_the_signal_gives(
    saved: Path, last_blocks: int, monkeypatch: pytest.MonkeyPatch
):
    design = FineTune(load_encoder(str(saved)), last_blocks=last_blocks)
    network, inputs = design.network([]), heard(design, (0.5, 0.93, 1.7))
    prepared = design.prepared(inputs)
    is_whisper = design.reads == "log_mel"
    assert (prepared is not inputs) == is_whisper
    found = network_outputs(network, design, prepared)
    wanted = network_outputs(network, design, inputs)
    assert np.abs(found - wanted).max() < 0.02 * np.abs(wanted).max()
    rng = np.random.default_rng(0)
    (batch,) = design.batch(design.prepared(heard(design, (7.0, 8.0))), rng)
    seconds = batch.shape[1] / (50 if is_whisper else 16000)
    assert seconds == pytest.approx(LONGEST_S)
    monkeypatch.setattr(finetune, "MOST_PREPARED", 1000)
    assert design.prepared(inputs) is inputs


def test_the_schedule_frees_the_last_blocks_or_what_is_added_to_them(saved: Path):
    encoder = load_encoder(str(saved))
    for rank in (0, 2):
        design = FineTune(encoder, last_blocks=1, lora_rank=rank, frozen_epochs=1)
        network = design.network([])
        design.begin_epoch(network, 0)
        assert not any(p.requires_grad for p in network.encoder.parameters())
        design.begin_epoch(network, 1)
        free = {n for n, p in network.encoder.named_parameters() if p.requires_grad}
        assert free
        assert {network.encoder.block_of(name) for name in free} == {1}
        assert all(name.endswith((".up", ".down")) for name in free) == bool(rank)


def test_the_licence_is_the_model_cards(saved: Path, tmp_path: Path):
    assert load_encoder(str(saved)).licence == "MIT"
    card = saved / "README.md"
    text = card.read_text()
    card.write_text("---\nlicense: something-else\n---\n")
    assert load_encoder(str(saved)).licence == "research-only"
    card.write_text(text)


def test_pickled_weights_and_other_models_are_refused(tmp_path: Path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"model_type": "wav2vec2"}))
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(EncoderSourceError, match="pickled weights are not read"):
        load_encoder(str(tmp_path))
    config.write_text(json.dumps({"model_type": "bert"}))
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(EncoderSourceError, match="'bert'"):
        load_encoder(str(tmp_path))


def test_without_a_network_the_hub_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderSourceError, match="cannot be fetched") as raised:
        load_encoder("someone/a-model-that-is-not-here")
    assert "\n" not in raised.value.one_line()
    with pytest.raises(EncoderSourceError, match="no folder or encoder"):
        load_encoder("whisper_bas")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["wavlm", "whisper"])
def test_a_fine_tuned_network_learns_and_its_bundle_scores(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(resources, "_added_encoders", [])
    (tmp_path / "clips").mkdir()
    clips = write_tones(tmp_path / "clips")
    encoder = load_encoder(str(save(tmp_path / kind, kind)))
    task = NetworkTask(
        FineTune(encoder, frozen_epochs=8, n_embedding=8),
        Plan(epochs=12, patience=12, batch=4, rate=1e-2, warm=1),
        f"finetuned-{kind}",
        f"A small {kind}",
        licences=(encoder.licence,),
        n_folds=2,
        int8=True,
    )
    out = tmp_path / "models" / "tones"
    bundle = build_network_bundle(clips, out, task, work=tmp_path / "work")
    trained = bundle.evaluation["network"]["history"]["trained"]
    assert trained[-1] < trained[0]
    described = get_feature_set(bundle.feature_set)
    signal = 0.1 * np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    rows = described.extract(signal, np.array([[0.0, 1.0], [0.2, 1.9]]))
    level = bundle.predictor.dissatisfaction(rows, described.names)
    assert np.isfinite(rows).all()
    assert ((level > 0) & (level < 1)).all()
