"""A feature set is chosen whose weights were never fetched: said in one line, before any work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ser_batch.config import Settings
from ser_batch.features.encoders.sets import EMBEDDING_SETS, RECOMMENDED
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.scoring.bundle import Bundle, default_bundle_path
from ser_batch.scoring.choose import bundled_model

CHECKOUT = Path(__file__).parents[3]


@pytest.mark.parametrize("command", ["score", pytest.param("nightly", marks=pytest.mark.slow)])
def test_a_command_ends_before_any_work_and_says_what_to_do(
    command: str, demo_calls: DemoCalls, tmp_path: Path
) -> None:
    call = next(iter(sorted(demo_calls.audio_dir.rglob("*.wav"))))
    what = ["--audio", str(demo_calls.audio_dir)] if command == "nightly" else [str(call)]
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", command, *what, "--root", str(tmp_path / "root")],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        check=False,
        env={
            **os.environ,
            "SER_FEATURES__SET": "whisper_base_l2",
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
        },
    )
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert "ser-batch weights get whisper_base" in line
    assert not list((tmp_path / "root").rglob("*.parquet"))


def test_the_bundled_model_of_embeddings_can_be_read_and_chosen_without_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert bundled_model(Settings().features.set) == default_bundle_path()
    bundle = Bundle.load(bundled_model(RECOMMENDED))
    assert bundle.feature_set == RECOMMENDED
    assert bundle.manifest.licence == "CC0-1.0"
    assert set(bundle.feature_names) == set(EMBEDDING_SETS[RECOMMENDED].names)
    assert bundle.evaluation["uar"] > 0.88
