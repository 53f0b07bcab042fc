"""A published file that grew by replaced rows is rewritten, with everything that is in it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from ser_batch.warehouse import extent
from ser_batch.warehouse.extent import EXTENT_TABLE, is_outgrown, rewrite
from ser_batch.warehouse.file import STORAGE_VERSION, attached

N_ROWS = 400_000
ROWS = f"select range as id, hash(range)::varchar as text from range({N_ROWS})"


def test_a_file_of_replaced_rows_is_rewritten_and_keeps_rows_functions_and_comments(
    tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(extent, "LEAST_BLOCKS", 4)
    monkeypatch.setattr(extent, "MOST_GROWTH", 1.5)
    file = tmp_path / "built.duckdb"
    with attached(file) as con:
        con.execute(f"create table calls as {ROWS}")
        con.execute("comment on table calls is 'a call'")
        con.execute("comment on column calls.text is 'what it says'")
        con.execute("create macro twice(x) as 2 * x")
        con.execute("create macro first_calls(n) as table select * from calls where id < n")
        assert not is_outgrown(con, N_ROWS)
        found = []
        for _ in range(4):  # every night replaces a part of each group of rows
            con.execute("create or replace temp table again as from calls where id % 2 = 0")
            con.execute("delete from calls where id % 2 = 0")
            con.execute("insert into calls from again")
            found.append(is_outgrown(con, N_ROWS))
    assert found[-1]
    before = file.stat().st_size
    rewrite(file, N_ROWS)
    assert file.stat().st_size < before / 1.4
    with attached(file) as con:
        assert con.execute("select count(*), sum(id), twice(3) from calls").fetchall() == [
            (N_ROWS, N_ROWS * (N_ROWS - 1) // 2, 6)
        ]
        assert con.execute("select count(*) from first_calls(5)").fetchall() == [(5,)]
        comments = "select comment from duckdb_columns() where column_name = 'text'"
        assert con.execute(comments).fetchall() == [("what it says",)]
        assert con.execute(f"select count_rows from {EXTENT_TABLE}").fetchall() == [(N_ROWS,)]
        assert not is_outgrown(con, N_ROWS)
        tags = con.execute("select tags from duckdb_databases() where database_name = 'published'")
        assert STORAGE_VERSION in str(tags.fetchall())


def test_a_file_stays_where_it_cannot_be_rewritten(tmp_path: Path):
    file = tmp_path / "built.duckdb"
    with attached(file) as con:
        con.execute("create table calls as select 1 as id")
    (tmp_path / "built.duckdb-rewritten").write_text("no database")
    rewrite(file, 1)
    with duckdb.connect(file, read_only=True) as con:
        assert con.execute("from calls").fetchall() == [(1,)]
