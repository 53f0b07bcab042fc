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
    program = shutil.which("true")
    service = SERVICE.replace("/opt/ser-batch/bin/ser-batch", str(program))
    (tmp_path / "ser-batch.service").write_text(service, encoding="utf-8")
    shutil.copy(FOLDER / "ser-batch.timer", tmp_path)
    units = sorted(str(path) for path in tmp_path.glob("ser-batch.*"))
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
