"""LightGBM, loaded late, with a plain error when it cannot be."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType

from ser_batch.errors import DependencyError

UNUSED = ("pandas", "sklearn")
"""What LightGBM imports if it is there, for interfaces of its own: 1.4 s and 100 MB."""


def lightgbm() -> ModuleType:
    """The library; where scikit-learn was not imported before, without its interface to that.

    Raises:
        DependencyError: if its shared library cannot be loaded
    """
    try:
        with _hidden_from_this_thread():
            import lightgbm as module  # noqa: PLC0415  (loads OpenMP, which may be missing)
    except OSError as error:
        raise DependencyError(
            f"LightGBM cannot be loaded: {error}. It needs OpenMP: install libgomp1 "
            "(apt install libgomp1, dnf install libgomp, brew install libomp)"
        ) from error
    loaded: ModuleType = module
    return loaded


class _Hidden(MetaPathFinder):
    """Finds no unused library for the thread that made it; others import what they like."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> None:
        """Refuse one of them; leave everything else to the other finders."""
        if name in UNUSED and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(name)


@contextmanager
def _hidden_from_this_thread() -> Iterator[None]:
    finder = _Hidden()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
