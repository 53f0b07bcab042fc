"""LightGBM, loaded late, with a plain error when it cannot be."""

from __future__ import annotations

from types import ModuleType

from ser_batch.errors import DependencyError


def lightgbm() -> ModuleType:
    """The library.

    Raises:
        DependencyError: if its shared library cannot be loaded
    """
    try:
        import lightgbm as module  # noqa: PLC0415  (loads OpenMP, which may be missing)
    except OSError as error:
        raise DependencyError(
            f"LightGBM cannot be loaded: {error}. It needs OpenMP: install libgomp1 "
            "(apt install libgomp1, dnf install libgomp, brew install libomp)"
        ) from error
    loaded: ModuleType = module
    return loaded
