"""Rows in through real Parquet, rows out of the real published file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ser_batch.config import Settings
from ser_batch.store.lake import Lake
from ser_batch.testing.lakes import MODEL_ID
from ser_batch.warehouse import build, connect

Published = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def published(lake: Lake, tmp_path: Path) -> Published:
    """Build the warehouse of the lake and select from it; a single call makes a figure."""

    def select(sql: str, settings: Settings | None = None) -> list[tuple[Any, ...]]:
        target = tmp_path / "calls.duckdb"
        settings = settings or Settings(report={"min_calls": 1})
        build(lake, target, model_id=MODEL_ID, settings=settings)
        with connect(target) as con:
            return con.sql(sql).fetchall()

    return select
