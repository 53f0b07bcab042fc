"""The file that is being built beside the published one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ser_batch.warehouse.published import CLOSED
from ser_batch.warehouse.sources import quoted

STORAGE_VERSION = "v1.0.0"
"""Format of the published file: DuckDB 1.1 and later read it."""

_BUILDING = ".building-"


@contextmanager
def building(target: Path, *, grow: bool) -> Iterator[tuple[Path, duckdb.DuckDBPyConnection]]:
    """A file beside the published one, and a connection that writes into it.

    Nothing stays of it if anything goes wrong.

    Args:
        target: the published file
        grow: start from its copy
    """
    built = target.with_name(f"{target.name}{_BUILDING}{os.getpid()}")
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    if grow:
        shutil.copyfile(target, built)
    try:
        with attached(built) as con:
            yield built, con
    except BaseException:
        _sweep(target)
        raise


@contextmanager
def attached(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that writes into a file, as the database `published`."""
    spill = Path(f"{file}.tmp")
    try:
        with duckdb.connect(config={**CLOSED, "temp_directory": str(spill)}) as con:
            con.execute(
                f"attach {quoted(str(file))} as published (storage_version '{STORAGE_VERSION}')"
            )
            con.execute("use published")
            yield con
            con.execute("use memory")
            con.execute("detach published")
    finally:
        shutil.rmtree(spill, ignore_errors=True)


def _sweep(target: Path) -> None:
    """Delete what builds that were killed left."""
    for path in target.parent.glob(f"{target.name}{_BUILDING}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
