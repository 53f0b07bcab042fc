"""How large the published file is: one that grew by replaced rows is rewritten.

DuckDB uses the room of deleted rows again only where whole groups of rows are gone.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from ser_batch.store.disk import disk
from ser_batch.warehouse.file import attached
from ser_batch.warehouse.sources import quoted

EXTENT_TABLE = "warehouse_extent"
"""One row: how large the file was when it was written whole."""
MOST_GROWTH = 2.0
"""Times the size that its rows need at which a file is rewritten."""
LEAST_BLOCKS = 64
"""Smaller files, of 16 MiB, are left as they are."""


def is_outgrown(con: duckdb.DuckDBPyConnection, n_rows: int) -> bool:
    """Whether too much of a file is the room of rows that were replaced.

    Args:
        con: of the warehouse that is being built; a new one is noted as written whole
        n_rows: of all tables
    """
    con.execute("checkpoint published")
    sql = "select total_blocks from pragma_database_size() where database_name = 'published'"
    [(blocks,)] = con.execute(sql).fetchall()
    con.execute(
        f"create table if not exists {EXTENT_TABLE} (count_blocks bigint, count_rows bigint)"
    )
    known = con.execute(f"from {EXTENT_TABLE}").fetchall()
    if not known:
        con.execute(f"insert into {EXTENT_TABLE} values (?, ?)", [blocks, n_rows])
        text = "one row: blocks and rows of this file when it was written whole"
        con.execute(f"comment on table {EXTENT_TABLE} is '{text}'")
        return False
    [(blocks_then, rows_then)] = known
    needed = blocks_then * n_rows / max(rows_then, 1)
    return bool(blocks > MOST_GROWTH * max(needed, LEAST_BLOCKS))


def rewrite(built: Path, n_rows: int) -> None:
    """Write a built file without the room of rows that were replaced; it stays where that fails.

    Args:
        built: the file, which nobody has open
        n_rows: of all tables
    """
    smaller = built.with_name(f"{built.name}-rewritten")
    try:
        with attached(smaller) as con:
            con.execute(f"attach {quoted(str(built))} as larger (read_only)")
            con.execute("copy from database larger to published")
            con.execute("detach larger")
            con.execute(f"drop table {EXTENT_TABLE}")
            is_outgrown(con, n_rows)
    except duckdb.Error:  # no room for both on the disk, say
        disk().unlink(smaller)
    else:
        disk().rename(smaller, built)
