"""Rows in through real Parquet, rows out of the real published file."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ser_batch.config import Settings
from ser_batch.resources import sql_folder
from ser_batch.store.lake import Lake
from ser_batch.testing.lakes import MODEL_ID
from ser_batch.warehouse import build, connect
from ser_batch.warehouse.models import Blueprint, read_blueprint

Published = Callable[..., list[tuple[Any, ...]]]
EVERY_BUILD = {"call_summary", "stg_date_correlation"}
"""Calls, and a model of windows: what a build asks itself, whatever is read of it."""


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def published(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Published:
    """Build what a select reads of the lake's warehouse; a single call makes a figure."""

    def select(sql: str, settings: Settings | None = None) -> list[tuple[Any, ...]]:
        target = tmp_path / "calls.duckdb"
        settings = settings or Settings(report={"min_calls": 1})
        folder = models_for(sql, tmp_path / "sql")
        monkeypatch.setattr(sys.modules[build.__module__], "sql_folder", lambda: folder)
        build(lake, target, model_id=MODEL_ID, settings=settings)
        with connect(target) as con:
            return con.sql(sql).fetchall()

    return select


def models_for(sql: str, folder: Path) -> Path:
    """A folder with the models that a select reads, of what these read, and of the rules of these.

    A select that calls a table function has the whole folder.
    """
    blueprint = whole_blueprint()
    if re.search(r"\b(?:from|join)\s+\w+\(", sql):
        return sql_folder()
    models = {model.name: model for model in blueprint.models}
    wanted = set[str]()
    found = (EVERY_BUILD | set(re.findall(r"\w+", sql))) & models.keys()
    while found - wanted:
        wanted |= found
        found = set[str]().union(*(models[name].reads for name in wanted)) & models.keys()
    rules = {
        rule.name
        for rules in (blueprint.rules_of_calls, blueprint.rules_of_dates, blueprint.rules_of_all)
        for rule in rules
        if rule.reads & models.keys() <= wanted
    }
    shutil.rmtree(folder, ignore_errors=True)
    for part, names in {"staging": wanted, "marts": wanted, "tests": rules}.items():
        (folder / part).mkdir(parents=True)
        for path in (sql_folder() / part).glob("*.sql"):
            if path.stem in names:
                shutil.copy(path, folder / part)
    shutil.copy(sql_folder() / "macros.sql", folder)
    (folder / "functions.sql").touch()
    return folder


@cache
def whole_blueprint() -> Blueprint:
    return read_blueprint(sql_folder())
