"""Tools that still hold DuckDB 1.x open the published file: tables, functions and recipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ser_batch.config import Settings
from ser_batch.store.lake import Lake
from ser_batch.testing.lakes import MODEL_ID, put_call, put_weeks
from ser_batch.testing.rows import prediction
from ser_batch.warehouse import build, connect
from ser_batch.warehouse.cookbook import recipes

OLD_DUCKDB = Path(sys.prefix) / "duckdb-1"
"""Where `make setup-dev` installs an old DuckDB beside the current one."""

READ = """
import json, sys
import duckdb
assert duckdb.__version__.startswith("1."), duckdb.__version__
con = duckdb.connect(sys.argv[1], read_only=True)
rows = {}
for (table,) in con.execute("select table_name from duckdb_tables()").fetchall():
    con.execute(f"create temp table copy_of_{table} as from {table}")  # reads every column
    [(rows[table],)] = con.execute(f"select count(*) from copy_of_{table}").fetchall()
for number, sql in enumerate(json.load(sys.stdin)):
    con.execute(f"create temp table result_{number} as {sql}")
json.dump(rows, sys.stdout)
"""

FUNCTIONS = """
    select 'select ' || function_name || '(' || array_to_string(list_transform(
        parameters,
        lambda name: case when name = 'clustered' then 'clustered_share(1, 2)' else '0.5' end
    ), ', ') || ')'
    from duckdb_functions() where function_type = 'macro' and not internal"""
"""A call of each function that the file holds."""


def test_duckdb_1_reads_a_file_that_was_built_and_then_updated(tmp_path):
    if not OLD_DUCKDB.exists():
        pytest.skip(f"{OLD_DUCKDB} is missing: `make setup-dev` installs it")
    lake, target = Lake(tmp_path / "lake"), tmp_path / "calls.duckdb"
    put_weeks(lake, n_days=16, n_calls=96)
    build(lake, target, model_id=MODEL_ID, settings=Settings())
    put_call(lake, prediction(), recording_id="next")
    built = build(lake, target, model_id=MODEL_ID, settings=Settings())
    with connect(target) as con:
        functions = [sql for (sql,) in con.execute(FUNCTIONS).fetchall()]
    assert len(functions) > 10
    read = subprocess.run(
        [sys.executable, "-c", READ, target],
        input=json.dumps([*functions, *(found.sql.rstrip("; \n") for found in recipes())]),
        env={**os.environ, "PYTHONPATH": str(OLD_DUCKDB)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode == 0, read.stderr[-1000:]
    assert built.rows.items() <= json.loads(read.stdout).items()
