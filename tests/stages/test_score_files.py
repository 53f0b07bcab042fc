"""`score` and a night give one recording the same scores, and leave out the same customers."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_batch.config import Settings
from ser_batch.ingest.scan import content_id as recording_id
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.choose import load_model
from ser_batch.scoring.score_files import FileScore, score_files
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS, predictions_contract
from ser_batch.testing.lakes import put
from tests.stages.centre import SETTINGS, light_night


@pytest.fixture(scope="module")
def night(demo_calls: DemoCalls, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root after a night over one call, beside its audio."""
    folder = tmp_path_factory.mktemp("night")
    path = min(demo_calls.audio_dir.rglob("*.wav"))
    (folder / "audio").mkdir()
    shutil.copy2(path, folder / "audio/call.wav")
    light_night(Root(folder / "root"), folder / "audio")
    return folder


@pytest.fixture(scope="module")
def bundle(night: Path) -> Bundle:
    return load_model(Root(night / "root"), SETTINGS)


def scored(
    path: Path,
    bundle: Bundle,
    lake: Lake,
    settings: Settings = SETTINGS,
    channel: int | None = None,
) -> FileScore:
    (found,) = score_files(
        [path], bundle, settings, lake, customer_channel=channel, first_speaker=None
    )
    return found


def restated(night: Path, folder: Path, **given: object) -> Lake:
    """A lake whose only call says something else."""
    (call,) = Lake(night / "root/lake").read(CALLS).to_pylist()
    lake = Lake(folder / "lake")
    put(lake, CALLS, {**call, **given})
    return lake


def test_a_file_has_the_scores_of_the_night(night, bundle, tmp_path):
    lake = Lake(night / "root/lake")
    rows = lake.read(predictions_contract(bundle.model_id)).sort_by("segment_no").to_pylist()
    assert rows
    for known in (lake, Lake(tmp_path / "none")):
        segments = scored(night / "audio/call.wav", bundle, known).segments
        assert [s.emotion for s in segments] == [row["emotion"] for row in rows]
        assert [s.dissatisfaction is None for s in segments] == [r["is_uncertain"] for r in rows]
        assert [s.confidence for s in segments] == pytest.approx(
            [row["confidence"] for row in rows], abs=1e-6
        )
        assert [s.dissatisfaction for s in segments if s.dissatisfaction is not None] == (
            pytest.approx([r["dissatisfaction"] for r in rows if not r["is_uncertain"]], abs=1e-6)
        )


@pytest.mark.parametrize(
    ("stated", "said"),
    [({"objected": True}, "objected"), ({"notice_given": False}, "notice was not given")],
)
def test_whom_the_root_must_not_score_has_no_score(night, bundle, tmp_path, stated, said):
    shutil.copy(night / "audio/call.wav", tmp_path / "renamed.wav")
    lake = restated(night, tmp_path, **stated)
    found = scored(tmp_path / "renamed.wav", bundle, lake, channel=1)
    assert not found.segments
    assert found.dissatisfaction is None
    assert found.is_known
    assert said in found.not_scored[1]


def test_the_list_of_objections_counts_from_the_moment_on(night, bundle, tmp_path):
    (tmp_path / "objections").write_text("K17\n")
    lake = restated(night, tmp_path, customer="K17")
    settings = SETTINGS.model_copy(
        update={
            "policy": SETTINGS.policy.model_copy(update={"objections": tmp_path / "objections"})
        }
    )
    assert not scored(night / "audio/call.wav", bundle, lake, settings).segments


def test_a_side_of_a_call_is_scored_as_the_root_says(night, bundle, tmp_path):
    samples, rate = soundfile.read(night / "audio/call.wav")
    for name in ("agent", "customer"):
        soundfile.write(tmp_path / f"{name}.wav", samples[:, int(name == "customer")], rate)
    ids = [recording_id(tmp_path / f"{name}.wav") for name in ("agent", "customer")]
    sides = [
        {"recording_id": each, "audio_root": "/a", "path": each, "start_s": None} for each in ids
    ]
    stated = {"recording_id": ids[1], "sides": sides, "roles": ["agent", "customer"]}
    lake = restated(night, tmp_path, **stated)
    assert scored(tmp_path / "customer.wav", bundle, lake).segments
    assert list(scored(tmp_path / "agent.wav", bundle, lake).not_scored) == [0]
    objected = restated(night, tmp_path / "objected", **stated, objected=True)
    assert "objected" in scored(tmp_path / "customer.wav", bundle, objected).not_scored[0]


def test_a_customer_who_says_nothing_is_named(night, bundle, tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros((16_000, 2)), 8000)
    found = scored(tmp_path / "silent.wav", bundle, Lake(tmp_path / "none"))
    assert found.not_scored[1] == "no speech was found"
    assert not found.is_known
