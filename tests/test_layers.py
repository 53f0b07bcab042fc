"""Imports point down only, and commands that run no flow stay light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS: dict[str, int] = {
    "pipelines": 50,
    "ser_batch.bench": 40,
    "ser_batch.distill": 35,
    "ser_batch.stages": 30,
    "ser_batch.report": 30,
    "ser_batch.eligibility": 20,
    "ser_batch.audio": 20,
    "ser_batch.embeddings": 20,
    "ser_batch.features": 20,
    "ser_batch.model": 20,
    "ser_batch.corpora": 20,
    "ser_batch.synthetic": 20,
    "ser_batch.intake": 20,
    "ser_batch.labels": 20,
    "ser_batch.lake": 20,
    "ser_batch.lock": 20,
    "ser_batch.warehouse": 20,
    "ser_batch.settings_file": 20,
    "ser_batch.tables": 10,
    "ser_batch.law": 10,
    "ser_batch.config": 10,
    "ser_batch.emotions": 10,
    "ser_batch.arcs": 10,
    "ser_batch.paths": 10,
    "ser_batch.caches": 20,
    "ser_batch.resources": 10,
    "ser_batch.errors": 0,
    "ser_batch.arrays": 0,
    "ser_batch.onnx_file": 0,
}
ARRAYS_ONLY = (
    "ser_batch.audio",
    "ser_batch.embeddings",
    "ser_batch.features",
    "ser_batch.model",
)
FORBIDDEN = {"pyarrow", "polars", "duckdb", "prefect", "ser_batch.lake", "ser_batch.warehouse"}


def modules() -> list[Path]:
    return sorted([*ROOT.glob("ser_batch/**/*.py"), *ROOT.glob("pipelines/**/*.py")])


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
            found.add(node.module)
    return found


def layer_of(module: str) -> int | None:
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        if (layer := LAYERS.get(".".join(parts[:length]))) is not None:
            return layer
    return None


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_point_down(path: Path) -> None:
    own = layer_of(name_of(path))
    if own is None:
        assert name_of(path) == "ser_batch", f"{path} stands in no layer: add it to LAYERS"
        return
    for imported in imports_of(path):
        theirs = layer_of(imported)
        assert theirs is None or theirs <= own, f"{name_of(path)} reaches up to {imported}"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_only_pipelines_know_prefect_and_signal_code_knows_arrays(path: Path) -> None:
    imported = imports_of(path)
    roots = {name.split(".")[0] for name in imported} | imported
    if not name_of(path).startswith("pipelines"):
        assert not roots & {"prefect", "pipelines"}
    if name_of(path).startswith(ARRAYS_ONLY):
        assert not roots & FORBIDDEN


@pytest.mark.parametrize("arguments", [["--help"], ["quarantine", "list"], ["query", "--help"]])
def test_commands_without_a_flow_import_no_heavy_library(arguments: list[str]) -> None:
    heavy = {"prefect", "librosa", "lightgbm", "sklearn", "altair"}
    program = (
        "import sys; from pipelines.cli import app\n"
        f"try: app({arguments!r})\n"
        "except SystemExit: pass\n"
        f"print(sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_a_night_that_computes_nothing_imports_no_library_of_signals_or_training() -> None:
    heavy = {"librosa.filters", "numba", "scipy.signal", "scipy.fft", "sklearn", "altair"}
    program = (
        "import sys; import pipelines.nightly\n"
        "from ser_batch.config import Settings\n"
        "from ser_batch.features.sets import get_feature_set\n"
        "get_feature_set(Settings().features.set).digest\n"
        f"print(sorted({heavy!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
