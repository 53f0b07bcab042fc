from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelines.commands.weights import app
from ser_batch.errors import WeightsError
from ser_batch.features.encoders import weights as room
from tests.features.encoders.made_up import made_up_weights, transformers_tensors, write_ctranslate2


@pytest.fixture
def known(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> room.Weights:
    """The made-up encoder in place of the published one."""
    weights = made_up_weights(tmp_path)
    monkeypatch.setitem(room.WEIGHTS, weights.name, weights)
    return weights


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_weights_are_listed_got_from_a_folder_and_verified(
    known: room.Weights, tmp_path: Path
) -> None:
    before = json.loads(command("list", "--json").stdout)["weights"]
    assert before[0]["name"] == "whisper_base"
    assert not before[0]["here"]

    folder = tmp_path / "mine"
    folder.mkdir()
    write_ctranslate2(folder / "model.bin", transformers_tensors())
    assert command("get", "--from", folder).exit_code == 0

    after = json.loads(command("list", "--json").stdout)["weights"]
    assert after[0]["here"]
    assert after[0]["licence"] == "MIT"
    assert json.loads(command("verify", "--json").stdout) == {"verified": {"whisper_base": None}}


def test_without_weights_there_is_nothing_that_could_be_as_published(known: room.Weights) -> None:
    done = command("verify")
    assert done.exit_code == 1
    assert "ser-batch weights get" in " ".join(done.stderr.split())


def test_changed_weights_fail_verification_with_a_remedy(known: room.Weights) -> None:
    known.path.parent.mkdir(parents=True)
    known.path.write_bytes(b"not these")
    done = command("verify")
    assert done.exit_code == 1
    assert "ser-batch weights get" in " ".join(done.stderr.split())


def test_verifying_weights_that_are_not_here_fails(known: room.Weights) -> None:
    assert command("verify", "whisper_base").exit_code == 1


def test_a_folder_without_weights_is_refused(known: room.Weights, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = command("get", "--from", tmp_path / "empty")
    assert isinstance(done.exception, WeightsError)
