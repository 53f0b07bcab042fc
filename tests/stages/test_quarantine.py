from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.commands.quarantine import app
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import QUARANTINE
from ser_batch.testing.lakes import put
from ser_batch.testing.rows import MIDDAY, bad_file


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """Eight truncated files, noticed on as many days, an empty one and a warning."""
    rows = [
        bad_file(f"t{day}.wav", code="truncated", noticed_at=MIDDAY + dt.timedelta(days=day))
        for day in range(8)
    ]
    rows += [
        bad_file("e.wav", code="empty"),
        bad_file("w.csv, row 2", code="missing_file", severity="warning"),
    ]
    put(Lake(tmp_path / "lake"), QUARANTINE, *rows)
    return Root(tmp_path)


def listed(root: Root, *arguments: str) -> str:
    done = CliRunner().invoke(app, ["list", *arguments, "--root", str(root.path)])
    assert done.exit_code == 0, done.exception
    return done.stdout


def test_reasons_are_counted_with_their_newest_files(root: Root) -> None:
    text = listed(root)
    assert text.index("truncated: 8") < text.index("empty: 1") < text.index("missing_file: 1")
    assert all(f"t{day}.wav" in text for day in range(3, 8))
    assert "t2.wav" not in text
    assert "3 more: --code truncated --limit 8" in text


def test_a_limit_holds_for_each_reason_also_in_json(root: Root) -> None:
    found = json.loads(listed(root, "--limit", "1", "--json"))
    assert [row["path"] for row in found["quarantine"]] == ["t7.wav", "e.wav", "w.csv, row 2"]
    assert [reason["count"] for reason in found["reasons"]] == [8, 1, 1]
    assert found["reasons"][0]["first_noticed_at"] == str(MIDDAY)
    assert len(json.loads(listed(root, "--json"))["quarantine"]) == 10


def test_one_reason_is_listed_in_full(root: Root) -> None:
    text = listed(root, "--code", "truncated", "--limit", "8")
    assert all(f"t{day}.wav" in text for day in range(8))
    assert "e.wav" not in text
