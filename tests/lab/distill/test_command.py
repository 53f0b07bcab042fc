"""The command as it is typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]


@pytest.mark.slow
def test_an_adaptation_is_judged_written_down_and_found_by_its_name(
    speech: Path, tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="torch is missing: pip install ser-batch[distill]")
    root = tmp_path / "root"
    words = ["--init", "encoder_v1", "--teacher", "self", "--audio", str(speech), "--steps", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "distill", *words, "--root", str(root), "--json"],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        check=True,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    result = json.loads(done.stdout)
    name = result["comparison"]["name"]
    assert name == f"encoder_v1-{result['sha256'][:8]}"
    assert result["begun_from"] == "encoder_v1"
    assert str(tmp_path) not in result["command"]
    place = root / "models" / "encoders"
    (line,) = (place / "encoders.jsonl").read_text(encoding="utf-8").splitlines()
    logged = json.loads(line)
    assert logged["event"] == ("adopted" if result["comparison"]["adopted"] else "refused")
    assert logged["why"] == result["comparison"]["why"]
    assert not list((tmp_path / "cache").rglob("states_*.npy")), "no states of callers are kept"

    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "from pathlib import Path; from pipelines.options import open_root;"
            f"open_root(Path({str(root)!r}));"
            "from ser_batch.features.sets import get_feature_set;"
            f"print(get_feature_set({name!r}).encoder.sha256)",
        ],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        check=True,
    )
    assert found.stdout.strip() == result["sha256"]
