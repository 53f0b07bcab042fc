"""The systemd units and the image: commands that exist, the versions that are supported."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from typer.testing import CliRunner

from pipelines.cli import app

CHECKOUT = Path(__file__).parents[1]
FOLDER = CHECKOUT / "docs" / "deploy"
CLUSTER = FOLDER / "cluster"
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
SERVICE = (FOLDER / "ser-batch.service").read_text(encoding="utf-8")


def parses(*arguments: str) -> bool:
    """Whether the command line knows a command and its options."""
    result = CliRunner().invoke(app, [*arguments, "--help"])
    return result.exit_code == 0


def test_systemd_finds_no_fault_in_the_units(tmp_path):
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is missing: apt-get install systemd")
    for file in (*FOLDER.glob("ser-batch.*"), *CLUSTER.glob("*.service"), CLUSTER / "night.conf"):
        is_dropped_in = file.suffix == ".conf"
        place = tmp_path / "ser-batch.service.d" if is_dropped_in else tmp_path
        place.mkdir(exist_ok=True)
        program = re.compile(r"/opt/ser-batch/bin/[\w-]+")
        text = program.sub(str(shutil.which("true")), file.read_text(encoding="utf-8"))
        (place / file.name).write_text(text, encoding="utf-8")
    units = sorted(str(path) for path in tmp_path.glob("ser-batch*.*") if path.is_file())
    assert len(units) == 5
    result = subprocess.run(
        [verify, "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_units_and_image_start_commands_that_exist():
    [start] = re.findall(r"^ExecStart=\S+/ser-batch (.+)$", SERVICE, re.MULTILINE)
    assert parses(*start.split())
    assert not parses("nightly", "--no-such-option")
    [night] = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert parses(*json.loads(night))
    [health] = re.findall(r"^    CMD ser-batch (\w+) \|\|", DOCKERFILE, re.MULTILINE)
    assert parses(health)


def test_the_image_is_of_a_supported_python_and_does_not_run_as_root():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = re.findall(r"^FROM python:(\S+)-slim", DOCKERFILE, re.MULTILINE)
    assert len(versions) == 2
    assert all(version in SpecifierSet(project["requires-python"]) for version in versions)
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER (?!root|0)", last_stage, re.MULTILINE)
