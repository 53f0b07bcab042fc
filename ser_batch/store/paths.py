"""The folders under a root: where lake, warehouse, reports and models lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ser_batch.errors import NoRootError, RootIsFileError
from ser_batch.resources import ENCODERS


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
    def encoders(self) -> Path:
        """Encoders adapted to this centre's calls, and networks, one folder each."""
        return self.models / ENCODERS

    @property
    def words(self) -> Path:
        """Models of words, a file for each model of the voice that they are fused with."""
        return self.models / "words"

    @property
    def labels(self) -> Path:
        """What annotators are given: one folder a batch, with its snippets."""
        return self.path / "labels"

    @property
    def sent_alerts(self) -> Path:
        """When each alert was sent, by digest."""
        return self.path / "alerts" / "sent.json"

    @property
    def sent_digest(self) -> Path:
        """Which week's digest was sent last."""
        return self.path / "alerts" / "digest.json"

    @property
    def prefect(self) -> Path:
        """Prefect's own folder, where PREFECT_HOME names no other."""
        return self.path / ".prefect"

    @property
    def cache(self) -> Path:
        """What libraries compile, where neither they nor the user's home can keep it."""
        return self.path / ".cache"

    @property
    def lock(self) -> Path:
        """Held by the one run that may write."""
        return self.path / ".lock"


def find_root(path: Path, *, must_exist: bool) -> Root:
    """The root at a path, made absolute; nothing is made.

    Args:
        path: the folder
        must_exist: for commands that read, whom a mistyped name would show an empty root

    Raises:
        RootIsFileError: if a file lies there, or on the way there
        NoRootError: if it must be there and is not
    """
    path = path.absolute()
    nearest = next(place for place in (path, *path.parents) if place.exists())
    if not nearest.is_dir():
        raise RootIsFileError(path, nearest)
    if must_exist and nearest != path:
        raise NoRootError(path)
    return Root(path)
