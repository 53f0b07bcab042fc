from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines.commands.labels import app
from ser_batch.config import Settings
from ser_batch.scoring.models import promote, usable
from ser_batch.stages.rescore import rescore
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.testing.callers import put_callers
from tests.bundles import put_bundle


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """Calls that the champion has scored."""
    root = Root(tmp_path / "root")
    put_callers(root, n_callers=20, with_audio=True)
    put_bundle(root.models / "made")
    promote(root, Settings(), "made", who="ann", why=("to test",))
    rescore(Lake(root.lake), Settings(), usable(root, Settings(), "made"))
    return root


def invoke(root: Root, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*arguments, "--root", str(root.path), "--json"])
    assert done.exit_code == exit_code, done.exception
    return json.loads(done.stdout)


def test_a_queue_is_filled_in_with_a_spreadsheet_and_taken_in(root: Root):
    queued = invoke(root, "queue", "--count", "10")
    assert queued["n_queued"] == 10
    table = Path(queued["folder"]) / "queue.csv"
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0]["emotion"], rows[1]["emotion"] = "anger", "furious"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)

    taken = invoke(root, "import", str(table), "--annotator", "ann", exit_code=3)

    assert (taken["n_taken"], taken["n_empty"]) == (1, 8)
    assert [refusal["segment"] for refusal in taken["refused"]] == [rows[1]["segment"]]
    status = invoke(root, "status")
    assert (status["n_queued"], status["n_answered"]) == (10, 1)


def test_the_terminal_names_what_was_refused(root: Root, tmp_path: Path):
    file = tmp_path / "labels.csv"
    file.write_text("segment,emotion,annotator\nnowhere.1.0,anger,ann\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["import", str(file), "--root", str(root.path)])
    assert "row 1 nowhere.1.0: there is no such segment" in done.stdout
    assert done.exit_code == 3
