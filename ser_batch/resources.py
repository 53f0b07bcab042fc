"""Where files shipped beside the code lie, and encoders: SQL models, bundled models, folders.

In a checkout what is shipped lies at the top level, where people look for it; in an installed
wheel it lies inside the package.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_added_encoders: list[Path] = []

ENCODERS = "encoders"
"""Folder of encoders, beside the bundles that read them."""


def _shipped(checkout: str, wheel: str) -> Path:
    shipped = _PACKAGE / "shipped" / wheel
    return shipped if shipped.is_dir() else _PACKAGE.parent / checkout


def sql_folder() -> Path:
    """The SQL models: staging/, marts/, tests/, cookbook/."""
    return _shipped("sql", "sql")


def bundled_models() -> Path:
    """The model bundles that come with the program, one folder each."""
    return _shipped("data/bundled", "bundled")


def encoder_folders() -> tuple[Path, ...]:
    """Folders that hold encoders, each in its own: the shipped one, then the added, newest first.

    A process that is started is told of them (`analysis/workers.py`).
    """
    return (bundled_models() / ENCODERS, *_added_encoders)


def add_encoders(folder: Path) -> None:
    """Look for encoders in a folder too, before those that were added earlier."""
    folder = folder.absolute()
    if folder not in encoder_folders():
        _added_encoders.insert(0, folder)
