"""The folders under a root: where lake, warehouse, reports and models lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_ROOT = Path("data")


@dataclass(frozen=True)
class Root:
    """The folder that holds everything a call centre's runs make."""

    path: Path

    @property
    def lake(self) -> Path:
        """Parquet tables: the truth."""
        return self.path / "lake"

    @property
    def warehouse(self) -> Path:
        """The published DuckDB file: made from the lake, read by analysts."""
        return self.path / "warehouse" / "calls.duckdb"

    @property
    def reports(self) -> Path:
        """One HTML file a run."""
        return self.path / "reports"

    @property
    def models(self) -> Path:
        """Model bundles, one folder each."""
        return self.path / "models"

    @property
    def labels(self) -> Path:
        """What annotators are given: one folder a batch, with its snippets."""
        return self.path / "labels"

    @property
    def lock(self) -> Path:
        """Held by the one run that may write."""
        return self.path / ".lock"
