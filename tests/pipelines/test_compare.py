"""`ser-batch compare` on the terminal and for programs."""

from __future__ import annotations

import json
import sys

import pytest

from pipelines.cli import main
from ser_batch.config import Settings
from ser_batch.stages.publish import publish
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.testing.lakes import MODEL_ID, put_weeks


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    root = Root(tmp_path_factory.mktemp("compared"))
    put_weeks(Lake(root.lake), n_days=14, n_calls=112)
    publish(root, Settings(), MODEL_ID)
    return root


@pytest.fixture
def said(root, monkeypatch, capsys):
    """What `ser-batch compare …` prints on an 80-column terminal: both streams."""

    def run(*arguments: str) -> tuple[str, str]:
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr(
            sys, "argv", ["ser-batch", "compare", "--root", str(root.path), *arguments]
        )
        with pytest.raises(SystemExit):
            main()
        return tuple(capsys.readouterr())

    return run


def test_the_finding_fits_the_terminal_and_is_the_same_for_programs(said):
    table, _ = said("--queue", "billing")
    assert max(map(len, table.splitlines())) <= 80
    found = json.loads(said("--queue", "billing", "--json")[0])
    assert " ".join(found["sentence"].split()) in " ".join(table.split())
    assert found["after"] == {"first": "2026-10-28", "last": "2026-11-03"}
    assert found["finding"] == "worse"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--others"], "name the queue"),
        (["--after", "last week"], "write FIRST..LAST"),
        (["--after", "2020-01-01..2020-01-07"], "there are calls from 2026-10-21"),
    ],
)
def test_errors_are_one_line(said, arguments, message):
    table, error = said(*arguments)
    assert (table, len(error.splitlines())) == ("", 1)
    assert message in error
