"""A small student learns from a small teacher, and can be broken off."""

# ruff: noqa: E402

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is missing: pip install ser-batch[distill]")

from ser_batch.config import Settings
from ser_batch.corpora.licences import LICENCES
from ser_batch.errors import DistillError
from ser_batch.features.encoders.encoder import encoder_of, sinusoids
from ser_batch.features.encoders.graph import encoder_graph
from ser_batch.lab.distill.batches import Batches
from ser_batch.lab.distill.export import eight_bit_graph, encoder_arrays
from ser_batch.lab.distill.network import Network, Size, pruned
from ser_batch.lab.distill.run import Task, distill
from ser_batch.lab.distill.sources import Source
from ser_batch.lab.distill.targets import teach
from ser_batch.lab.distill.teachers import own_teacher
from ser_batch.lab.distill.training import Plan, Trainer
from tests.lab.distill.made import (
    BLOCKS,
    HEAD_WIDTH,
    N_MELS,
    WIDTH,
    made_up_arrays,
    made_up_teacher,
    speech_material,
)

SMALL = Size(n_mels=63, stem=32, n_heads=1, hidden=64, n_blocks=2)


@pytest.fixture(scope="module")
def task(speech: Path) -> Task:
    return Task([Source(speech, "CC0-1.0")], made_up_teacher(), n_steps=20, size=SMALL, batch_s=8)


@pytest.fixture(scope="module")
def encoder(task: Task, tmp_path_factory: pytest.TempPathFactory):
    place = tmp_path_factory.mktemp("encoders")
    return distill(task, place, "small-", work=place / "work", settings=Settings())


def test_twenty_steps_lower_the_error_of_voices_never_trained_on(encoder):
    held_out = encoder.manifest["held_out"]
    assert held_out["n_clips"] > 0
    assert held_out["error"] < 0.97 * held_out["error_before"]


def test_an_encoder_tells_its_licences_teacher_and_digest(encoder):
    card = (encoder.folder / "CARD.md").read_text()
    assert encoder.folder.name == f"small-{encoder.sha256[:8]}"
    assert "| said | " in card
    assert "CC0-1.0" in card
    assert "a made-up teacher (MIT)" in card
    free = LICENCES[: LICENCES.index("CC-BY-NC-4.0")]
    assert all(entry["licence"] in free for entry in encoder.manifest["material"])


def test_an_encoder_can_teach_itself_and_is_begun_from(encoder, speech, tmp_path):
    itself = own_teacher(encoder)
    task = Task([Source(speech, "own")], itself, init=encoder, n_steps=4, batch_s=8)
    adapted = distill(task, tmp_path, "again-", work=tmp_path / "work", settings=Settings())
    assert adapted.manifest["begun_from"] == encoder.name
    assert adapted.manifest["teacher"]["name"] == "self"
    assert adapted.sha256 != encoder.sha256


def test_without_large_teacher_or_encoder_there_is_nothing_to_begin_with(encoder, speech, tmp_path):
    task = Task([Source(speech, "own")], own_teacher(encoder), n_steps=4)
    with pytest.raises(DistillError, match="to begin with"):
        distill(task, tmp_path, "x", work=tmp_path / "work", settings=Settings())


def test_broken_off_and_gone_on_with_gives_the_same_numbers(speech, tmp_path):
    material = speech_material(speech)
    teacher = made_up_teacher()
    targets = teach(material, teacher.states, tmp_path / "targets")
    batches = Batches(material, targets, [], n_mels=N_MELS, seconds=8, seed=2)
    plan = Plan(n_steps=10, after_blocks=BLOCKS, half=False)

    def trainer(name: str) -> Trainer:
        return Trainer(start, batches, targets, plan, tmp_path / name)

    start = {n: a for n, a in made_up_arrays(seed=9).items() if n != "positions"}
    whole = trainer("whole").run()
    trainer("broken").run(until=6)
    resumed = trainer("broken")
    gone_on = resumed.run()
    assert resumed.step == 10
    assert all(np.array_equal(whole[name], gone_on[name]) for name in whole)
    assert not np.array_equal(whole["blocks.0.mix.weight"], start["blocks.0.mix.weight"])


def test_the_teacher_is_asked_once_only(speech, tmp_path):
    material = speech_material(speech)
    teacher = made_up_teacher()
    first = teach(material, teacher.states, tmp_path)

    def never(_clip):
        raise AssertionError("asked again")

    again = teach(material, never, tmp_path)
    assert np.array_equal(first.of(3), again.of(3))
    wanted = np.stack(teacher.states(material.clip(3)), axis=1)
    assert np.allclose(first.of(3), wanted, atol=0.01)


@pytest.mark.parametrize("n_frames", [41, 64, 300])
def test_the_exported_graph_says_what_torch_says(n_frames):
    arrays = made_up_arrays(seed=5)
    arrays.pop("positions")
    spectrum = np.random.default_rng(1).uniform(-0.8, 1.2, (n_frames, N_MELS)).astype(np.float32)
    with torch.no_grad():
        wanted = [s[0].numpy() for s in Network(arrays)(torch.from_numpy(spectrum)[None], BLOCKS)]
    graph = encoder_graph(arrays, head_width=HEAD_WIDTH, after_blocks=BLOCKS, int8=False)
    exact = encoder_of(graph, sinusoids(1500, WIDTH), BLOCKS).states(spectrum)
    coarse = encoder_of(eight_bit_graph(arrays, BLOCKS), sinusoids(1500, WIDTH), BLOCKS)
    for block, found in enumerate(coarse.states(spectrum)):
        assert np.allclose(exact[block], wanted[block], atol=2e-4)
        assert found.shape == wanted[block].shape
        assert np.abs(found - wanted[block]).mean() < 0.03 * wanted[block].std()


def test_an_encoder_is_read_back_within_its_eight_bits(encoder):
    arrays = encoder_arrays(encoder)
    again = encoder_of(eight_bit_graph(arrays, BLOCKS), sinusoids(1500, WIDTH), BLOCKS)
    spectrum = np.random.default_rng(2).uniform(-0.8, 1.2, (80, 63)).astype(np.float32)
    for one, other in zip(encoder.load().states(spectrum), again.states(spectrum), strict=True):
        assert np.allclose(one, other, atol=1e-3)


def test_leaving_nothing_out_changes_nothing():
    arrays = made_up_arrays()
    whole = Size(n_mels=N_MELS, stem=48, n_heads=2, hidden=160, n_blocks=2)
    spectra = [np.random.default_rng(3).uniform(-0.8, 1.2, (60, N_MELS)).astype(np.float32)]
    kept = pruned(arrays, whole, spectra, -0.8)
    assert all(np.allclose(kept[name], arrays[name], atol=1e-6) for name in kept)


def test_what_matters_least_is_left_out_first():
    arrays = made_up_arrays()
    arrays["blocks.0.narrow.weight"][:, :40] *= 1e-4
    arrays["blocks.0.mix.weight"][:, :HEAD_WIDTH] *= 1e-4
    spectra = [np.random.default_rng(3).uniform(-0.8, 1.2, (60, N_MELS)).astype(np.float32)]
    kept = pruned(arrays, Size(N_MELS, 48, 1, 120, 1), spectra, -0.8)
    assert np.array_equal(kept["blocks.0.narrow.weight"], arrays["blocks.0.narrow.weight"][:, 40:])
    assert np.array_equal(
        kept["blocks.0.mix.weight"], arrays["blocks.0.mix.weight"][:, HEAD_WIDTH:]
    )


def test_minutes_become_steps_that_stay_the_same_when_run_again(task, tmp_path):
    brief = replace(task, n_steps=None, minutes=0.02)
    encoders = [
        distill(brief, tmp_path / name, "brief", work=tmp_path / "work", settings=Settings())
        for name in ("once", "again")
    ]
    assert encoders[0].manifest["plan"]["n_steps"] >= 5
    assert encoders[0].sha256 == encoders[1].sha256
