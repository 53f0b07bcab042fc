"""Files shipped beside the code: the SQL models and the bundled model.

In a checkout they lie at the top level, where people look for them; in an installed wheel they
lie inside the package.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _shipped(checkout: str, wheel: str) -> Path:
    shipped = _PACKAGE / "shipped" / wheel
    return shipped if shipped.is_dir() else _PACKAGE.parent / checkout


def sql_folder() -> Path:
    """The SQL models: staging/, marts/, tests/, cookbook/."""
    return _shipped("sql", "sql")


def bundled_models() -> Path:
    """The model bundles that come with the program, one folder each."""
    return _shipped("data/bundled", "bundled")
