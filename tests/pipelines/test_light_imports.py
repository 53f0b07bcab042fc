"""Commands that run no flow start fast: they import no heavy library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"prefect", "librosa", "lightgbm", "sklearn", "altair"}


@pytest.mark.parametrize("arguments", [["--help"], ["quarantine", "list"], ["query", "--help"]])
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
