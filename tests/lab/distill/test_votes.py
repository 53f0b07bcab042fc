"""Votes of listeners as a second target."""

# ruff: noqa: E402

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="torch is missing: pip install ser-batch[distill]")

from ser_batch import resources
from ser_batch.config import Settings
from ser_batch.errors import CorpusError
from ser_batch.features.encoders.local import voted_corpora
from ser_batch.lab.distill.export import encoder_arrays
from ser_batch.lab.distill.material import Material, read_material
from ser_batch.lab.distill.run import Task, distill
from ser_batch.lab.distill.sources import Source
from ser_batch.lab.distill.targets import teach
from ser_batch.lab.distill.teachers import own_teacher
from ser_batch.lab.distill.votes import CLASSES, blank_layer, fitted_layer, vote_loss, vote_shares
from tests.lab.distill.made import made_up_teacher, write_speech
from tests.lab.distill.test_training import SMALL

VOTES = "clip,votes_anger,votes_disgust,votes_fear,votes_happiness,votes_neutral,votes_sadness\n"
N_SPEAKERS = 5


@pytest.fixture(scope="module")
def cremad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Loud and high speech that three of four listeners call angry, and low speech."""
    folder = tmp_path_factory.mktemp("votes") / "cremad"
    folder.mkdir()
    rng, time, rows = np.random.default_rng(0), np.arange(32000) / 16000, []
    for speaker in range(1001, 1001 + N_SPEAKERS):
        for emotion, f0_hz, counts in (("ANG", 320, "3,0,0,0,1,0"), ("NEU", 110, "0,0,0,0,4,0")):
            for sentence in ("DFA", "IEO", "IWW", "TSI"):
                f0 = f0_hz * (1 + 0.05 * rng.normal())
                tone = sum(np.sin(2 * np.pi * f0 * k * time) / k for k in range(1, 10))
                name = f"{speaker}_{sentence}_{emotion}_XX"
                soundfile.write(folder / f"{name}.wav", 0.05 * tone, 16000)
                rows.append(f"{name},{counts}\n")
    (folder / "votes.csv").write_text(VOTES + "".join(rows))
    return folder


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_speech(tmp_path_factory.mktemp("audio") / "said", minutes=0.3)


@pytest.fixture(scope="module")
def material(cremad: Path, unlabelled: Path) -> Material:
    return read_material([cremad, unlabelled], Settings(), seed=1)


def test_each_clip_of_a_recording_has_its_listeners_shares(cremad, unlabelled, material):
    sources = [Source(cremad, "ODbL-1.0"), Source(unlabelled, "CC0-1.0")]
    shares = vote_shares(material, sources, ["cremad"])
    voted = ~np.isnan(shares).any(axis=1)
    sources_of = [material.recordings[cut.recording].source for cut in material.cuts]
    assert [source == "cremad" for source in sources_of] == voted.tolist()
    anger = shares[voted][:, CLASSES.index("anger")]
    assert set(anger.tolist()) == {0.75, 0.0}
    assert np.allclose(shares[voted].sum(axis=1), 1)


def test_votes_of_an_unknown_corpus_are_refused(cremad, material):
    with pytest.raises(CorpusError, match="cremad"):
        vote_shares(material, [Source(cremad, "ODbL-1.0")], ["cremadd"])


def test_clips_without_votes_do_not_move_the_loss():
    layer = {name: torch.from_numpy(array) for name, array in blank_layer(2, 8).items()}
    layer["votes.weight"] += 0.1
    states = torch.from_numpy(np.random.default_rng(1).normal(size=(3, 20, 2, 8)))
    shares = torch.tensor([[1.0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1.0, 0], [torch.nan] * 6])
    both = vote_loss(states.float(), shares, *layer.values())
    voted = vote_loss(states[:2].float(), shares[:2], *layer.values())
    nobody = vote_loss(states[2:].float(), shares[2:], *layer.values())
    assert torch.allclose(both, voted)
    assert nobody == 0


def test_the_layer_begins_fitted_to_the_votes_of_the_clips_that_are_trained_on(
    cremad, material, tmp_path
):
    shares = vote_shares(material, [Source(cremad, "ODbL-1.0")], ["cremad"])
    targets = teach(material, made_up_teacher().states, tmp_path)
    unseen = [n for n, cut in enumerate(material.cuts) if cut.held_out and shares[n, 0] >= 0]
    clips = [torch.from_numpy(np.array(targets.of(n))).float() for n in unseen]
    wanted = torch.from_numpy(shares[unseen])

    def loss(layer):
        arrays = [torch.from_numpy(array) for array in layer.values()]
        mean, std = torch.from_numpy(targets.mean), torch.from_numpy(targets.std)
        found = [
            vote_loss(((one - mean) / std)[None], row, *arrays)
            for one, row in zip(clips, wanted[:, None], strict=True)
        ]
        return float(torch.stack(found).mean())

    blank = blank_layer(*targets.mean.shape)
    fitted = fitted_layer(material, targets, shares)
    assert unseen
    assert {n: a.shape for n, a in fitted.items()} == {n: a.shape for n, a in blank.items()}
    assert loss(fitted) < 0.9 * loss(blank)


def test_fine_tuning_leaves_the_lower_blocks_alone_and_inherits_audio_and_licence(
    cremad, unlabelled, tmp_path
):
    own = [Source(unlabelled, "CC-BY-4.0")]
    task = Task(own, made_up_teacher(), n_steps=2, size=SMALL, batch_s=8)
    begun = distill(task, tmp_path, "begun", work=tmp_path / "work", settings=Settings())
    sources = [Source(cremad, "CC0-1.0")]
    task = Task(sources, own_teacher(begun), begun, n_steps=4, batch_s=8, votes=("cremad",))
    tuned = distill(task, tmp_path, "tuned", work=tmp_path / "work", settings=Settings())
    before, after = encoder_arrays(begun), encoder_arrays(tuned)
    moved = {name for name in before if not np.allclose(before[name], after[name], atol=1e-6)}
    assert moved
    assert all(name.startswith("blocks.1.") for name in moved)
    assert [entry["source"] for entry in tuned.manifest["inherited_material"]] == [unlabelled.name]
    assert tuned.manifest["licence"] == "CC-BY-4.0"
    assert "`begun` had been trained on" in (tuned.folder / "CARD.md").read_text()


def test_votes_of_voices_never_trained_on_are_predicted_better(
    cremad, unlabelled, tmp_path, monkeypatch
):
    sources = [Source(cremad, "ODbL-1.0"), Source(unlabelled, "CC0-1.0")]
    task = Task(sources, made_up_teacher(), n_steps=40, size=SMALL, batch_s=8, votes=("cremad",))
    encoder = distill(task, tmp_path, "voted-", work=tmp_path / "work", settings=Settings())
    losses = encoder.manifest["history"]["votes"]
    assert losses[-1] < losses[0]
    assert encoder.manifest["votes"] == ["cremad"]
    assert encoder.manifest["licence"] == "ODbL-1.0"
    assert "perceived in cremad were a second target" in (encoder.folder / "CARD.md").read_text()
    monkeypatch.setattr(resources, "_added_encoders", [tmp_path])
    assert voted_corpora(f"descriptors_v1+{encoder.name}") == {"cremad"}
    assert voted_corpora("descriptors_v1+encoder_v1") == frozenset()
    assert not any("votes" in name for name in encoder.graph().decode("latin-1").split("\0"))
