"""The file that is being built beside the published one."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from ser_batch.errors import BrokenSealError, WarehouseError
from ser_batch.store.atomic import replacing, write_text_atomic
from ser_batch.store.content import copy_in, copy_out, open_content, read_bytes, working_folder
from ser_batch.store.disk import disk
from ser_batch.warehouse.published import CLOSED, connect
from ser_batch.warehouse.sources import quoted

STORAGE_VERSION = "v1.0.0"
"""Format of the published file: DuckDB 1.1 and later read it."""

_BUILDING = ".building-"
_HEAD_BYTES = 3 * 4096
_BLOCK_BYTES = 1 << 18
_CHECKSUM_BYTES = 8
"""DuckDB's format: three heads, then blocks that each begin with the checksum of their content."""


@contextmanager
def building(target: Path, *, grow: bool) -> Iterator[tuple[Path, duckdb.DuckDBPyConnection]]:
    """A file beside the published one, and a connection that writes into it.

    Nothing stays of it if anything goes wrong.

    Args:
        target: the published file
        grow: start from its copy
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    built = working_folder(target) / f"{target.name}{_BUILDING}{os.getpid()}"
    _sweep(target)
    try:
        if grow:
            copy_out(target, built)
        with attached(built) as con:
            yield built, con
    except duckdb.Error as error:
        _sweep(target)
        raise WarehouseError(
            f"{target} cannot be built: {' '.join(str(error).split())}; the published file stays "
            "as it was: free some space or correct the cause, and publish again"
        ) from error
    except BaseException:
        _sweep(target)
        raise


def publish_file(built: Path, target: Path) -> None:
    """Put a built file in the published one's place, with the digest of its content beside it.

    The digest is written first and names the old file too: a run that is killed between the two
    leaves a file that is known.
    """
    digest = _digest(built)
    if built.parent == target.parent:
        _state(target, digest, built)
        disk().rename(built, target)
        return
    with replacing(target) as temporary:
        copy_in(built, temporary)
        _state(target, digest, temporary)
    disk().unlink(built)
    with suppress(OSError):  # another night of this root may use it
        built.parent.rmdir()


def _state(target: Path, digest: str, file: Path) -> None:
    """Write down what is going to be published beside what is.

    Args:
        target: the published file
        digest: of the content
        file: that takes its place
    """
    now = f" {_identity(target)}"
    before = [line for line in _stated(target) if line.endswith(now) or " " not in line]
    lines = [f"{digest} {_identity(file)}", *before]
    write_text_atomic(_digest_file(target), "\n".join(lines) + "\n")


def _stated(target: Path) -> list[str]:
    """Lines of digest and identity, the newest first; those of earlier versions are digests."""
    try:
        return read_bytes(_digest_file(target)).decode(errors="replace").splitlines()
    except (FileNotFoundError, BrokenSealError):
        return []


def _identity(file: Path) -> str:
    """Size, time of change and inode of a file: one that was written since has others."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return "none"
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"


def is_as_published(target: Path) -> bool:
    """Whether a published file is what was put there.

    It is read to its end where it was written since, or is another one.
    """
    if any(line.endswith(f" {_identity(target)}") for line in _stated(target)):
        return True
    return has_stated_digest(target) and not damaged_tables(target)


def has_stated_digest(target: Path) -> bool:
    """Whether heads and checksums of a published file are those of one that was put there.

    Its content may still be unlike its checksums, as `damaged_tables` finds out. One that was
    published before digests were kept has that of any.
    """
    try:
        stated = read_bytes(_digest_file(target)).decode(errors="replace").splitlines()
        return _digest(target) in [line.partition(" ")[0] for line in stated]
    except FileNotFoundError:
        return True
    except BrokenSealError:
        return False


def damaged_tables(target: Path) -> list[str]:
    """Tables of a published file that cannot be read to their end; its own name if it is none."""
    damaged = []
    try:
        with connect(target) as con:
            tables = con.execute("select table_name from duckdb_tables() order by all").fetchall()
            for (table,) in tables:
                try:
                    con.execute(f'select bit_xor(hash(rows)) from "{table}" as rows').fetchall()
                except duckdb.Error:
                    damaged.append(str(table))
    except (duckdb.Error, WarehouseError):
        return [target.name]
    return damaged


def _digest_file(target: Path) -> Path:
    return target.with_name(f".{target.name}.digest")


def _digest(path: Path) -> str:
    """Digest of a database's heads and of the checksum of each block, which says what is in it."""
    digest = hashlib.blake2b(digest_size=16)
    with open_content(path) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        digest.update(file.read(_HEAD_BYTES))
        for start in range(_HEAD_BYTES, size, _BLOCK_BYTES):
            file.seek(start)
            digest.update(file.read(_CHECKSUM_BYTES))
    return digest.hexdigest()


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
    for path in working_folder(target).glob(f"{target.name}{_BUILDING}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            disk().unlink(path)
