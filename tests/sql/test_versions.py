"""A mart's columns do not change without a new version and a line in the changelog."""

from __future__ import annotations

import json
from pathlib import Path

from ser_batch.config import Settings
from ser_batch.resources import sql_folder
from ser_batch.testing.lakes import MODEL_ID
from ser_batch.warehouse import build, describe
from ser_batch.warehouse.models import read_blueprint

FROZEN = Path(__file__).with_name("mart_columns.json")


def test_columns_change_only_with_the_version(lake, tmp_path):
    """After a wanted change: raise the version, add a line, and put the columns into the file."""
    build(lake, tmp_path / "calls.duckdb", model_id=MODEL_ID, settings=Settings())
    versions = {model.name: model.version for model in read_blueprint(sql_folder()).models}
    marts = {
        table.name: {
            "version": versions[table.name],
            "columns": [f"{column.name} {column.type}" for column in table.columns],
        }
        for table in describe(tmp_path / "calls.duckdb")
    }
    assert marts == json.loads(FROZEN.read_text(encoding="utf-8"))


def test_every_version_has_its_line_in_the_changelog():
    changelog = (sql_folder() / "CHANGELOG.md").read_text(encoding="utf-8")
    for name, mart in json.loads(FROZEN.read_text(encoding="utf-8")).items():
        for version in range(1, mart["version"] + 1):
            assert f"\n- {name} {version}: " in changelog
