"""A feature set is chosen whose weights were never fetched: said in one line, before any work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ser_batch.config import Settings
from ser_batch.errors import ModelError
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.scoring.bundle import default_bundle_path
from ser_batch.scoring.choose import bundled_model, load_model
from ser_batch.store.paths import Root

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
    (line,) = [
        line for line in done.stderr.splitlines() if " error " in line or line.startswith("error:")
    ]
    assert "ser-batch weights get whisper_base" in line
    assert not list((tmp_path / "root").rglob("*.parquet"))


def test_a_set_without_a_bundled_model_is_refused_with_the_name_of_what_there_is(
    tmp_path: Path,
) -> None:
    assert bundled_model(Settings().features.set) == default_bundle_path()
    settings = Settings(features={"set": "descriptors_v1_wide"})
    with pytest.raises(ModelError, match="the settings name 'descriptors_v1_wide'"):
        load_model(Root(tmp_path), settings)
