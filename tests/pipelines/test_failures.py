"""What goes wrong is one line with a remedy, an exit code, and with --json an object."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipelines.cli import main
from pipelines.options import Exit
from ser_batch.store.lock import only_run
from ser_batch.store.paths import Root


class Failed(NamedTuple):
    """What a command left behind."""

    code: int
    error: dict[str, Any]
    stderr: str


@pytest.fixture
def fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Failed]:
    """Runs a command with --json as its entry point does."""

    def run(*arguments: str | Path) -> Failed:
        monkeypatch.setattr(sys, "argv", ["ser-batch", *map(str, arguments), "--json"])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return Failed(caught.value.code, json.loads(out)["error"], err)

    return run


READING = (
    ["query", "select 1"], ["runs"], ["report"], ["publish"], ["quarantine", "list"],
    ["quarantine", "retry"], ["export", "week.xlsx"], ["labels", "status"], ["drift"],
    ["erase", "--call", "x"],
)  # fmt: skip


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_mistyped_root_is_named_and_not_made(
    fail: Callable[..., Failed], tmp_path: Path, command: list[str]
) -> None:
    missing = tmp_path / "typo"
    failed = fail(*command, "--root", missing)
    assert (failed.code, failed.error["code"]) == (Exit.FAILED, "root")
    assert str(missing) in failed.error["message"]
    assert failed.error["remedy"] in failed.stderr
    assert not missing.exists()


@pytest.mark.parametrize(
    "command", [["nightly", "--audio", "."], ["retrain"], ["runs"], ["demo"], ["doctor"]]
)
def test_a_root_that_is_a_file_is_one_line(
    fail: Callable[..., Failed], tmp_path: Path, command: list[str]
) -> None:
    (tmp_path / "file").touch()
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        failed = fail(*command, "--root", root)
        assert (failed.code, failed.error["code"]) == (Exit.FAILED, "root")
        assert "is a file" in failed.error["message"]
        assert failed.stderr.count("\n") == 1


def test_exit_codes_stay_what_they_are_without_json(
    fail: Callable[..., Failed], tmp_path: Path
) -> None:
    with only_run(Root(tmp_path)):
        locked = fail("publish", "--root", tmp_path)
    assert (locked.code, locked.error["code"]) == (Exit.LOCKED, "locked")
    misused = fail("query", "--root", tmp_path)
    assert (misused.code, misused.error["code"]) == (Exit.USAGE, "usage")
