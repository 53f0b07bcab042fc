"""A published file that is not what was put there is noticed, without reading it every night."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from ser_batch.warehouse.file import (
    attached,
    damaged_tables,
    has_stated_digest,
    is_as_published,
    publish_file,
)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    built, target = tmp_path / "built.duckdb", tmp_path / "calls.duckdb"
    with attached(built) as con:
        con.execute("create table calls as select range as id, hash(range) as b from range(200000)")
    publish_file(built, target)
    return target


def test_a_copy_of_the_published_file_is_as_published(published: Path) -> None:
    assert is_as_published(published)
    copy = published.with_name("copy")
    shutil.copyfile(published, copy)
    copy.replace(published)
    assert is_as_published(published)


@pytest.mark.parametrize("at", [0.1, 0.5, 0.6])
def test_a_changed_byte_of_a_block_is_noticed_by_its_checksum(published: Path, at: float) -> None:
    data = bytearray(published.read_bytes())
    data[int(at * len(data))] ^= 1
    published.write_bytes(data)
    assert not is_as_published(published)


def test_rows_that_somebody_else_changed_are_noticed(published: Path) -> None:
    with duckdb.connect(published) as con:
        con.execute("update calls set b = 0 where id = 7")
    assert not damaged_tables(published)
    assert not has_stated_digest(published)
    assert not is_as_published(published)
