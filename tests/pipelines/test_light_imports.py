"""Commands that run no flow start fast: they import no heavy library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"prefect", "librosa", "lightgbm", "sklearn", "altair"}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["quarantine", "list"], ["query", "--help"], ["health"]]
)
def test_commands_without_a_flow_import_no_heavy_library(arguments: list[str]) -> None:
    program = (
        "import sys; from pipelines.cli import app\n"
        f"try: app({arguments!r})\n"
        "except SystemExit: pass\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_a_night_that_computes_nothing_imports_no_library_of_signals_or_training() -> None:
    heavy = {"librosa.filters", "numba", "sklearn", "altair", "jinja2", "google.protobuf"}
    heavy |= {"scipy.special", "scipy.signal", "scipy.fft"}
    program = (
        "import sys; import pipelines.nightly\n"
        "from ser_batch.config import Settings\n"
        "from ser_batch.features.sets import get_feature_set\n"
        "get_feature_set(Settings().features.set).digest\n"
        f"print(sorted({heavy!r} & set(sys.modules)))\n"
        "import numpy as np\n"
        "sound = np.random.default_rng(0).normal(0, 0.1, 16000).astype(np.float32)\n"
        "get_feature_set(Settings().features.set).extract(sound, np.array([[0.0, 2.0]]))\n"
        "print('numba' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == ["[]", "False"], "features take filters that librosa computed"
