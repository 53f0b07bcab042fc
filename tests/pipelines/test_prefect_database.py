"""The database of Prefect that a night sets up is the one that Prefect's migrations lead to."""

from __future__ import annotations

import importlib.util
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.prefect_database import SCHEMA, dump, is_prepared, mark_prepared


def revisions(database: Path) -> list[tuple[str]]:
    with closing(sqlite3.connect(database)) as con:
        return con.execute("select version_num from alembic_version").fetchall()


def test_a_new_database_stands_at_the_last_migration_of_the_installed_prefect(tmp_path):
    assert is_prepared(tmp_path / "prefect.db"), "regenerate pipelines/prefect_schema.sql"
    [(revision,)] = revisions(tmp_path / "prefect.db")

    spec = importlib.util.find_spec("prefect")
    migrations = Path(spec.origin).parent / "server/database/_migrations/versions/sqlite"
    texts = [path.read_text(encoding="utf-8") for path in migrations.glob("*.py")]
    ids, before = (
        {found for text in texts for found in re.findall(rf'^{name} = "(\w+)"', text, re.M)}
        for name in ("revision", "down_revision")
    )
    assert ids - before == {revision}


def test_a_database_that_was_not_set_up_to_its_end_is_set_up_again(tmp_path):
    database = tmp_path / "prefect.db"
    for content in (b"", b"no database"):
        database.write_bytes(content)
        database.with_name("prefect.db-wal").touch()
        assert is_prepared(database)
        assert list(tmp_path.iterdir()) == [database]
        assert revisions(database)


def test_a_prefect_of_another_release_sets_its_database_up_itself(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.prefect_database.version", lambda _: "0.0.1")
    database = tmp_path / "prefect.db"
    assert not is_prepared(database)
    assert not database.exists()
    mark_prepared(database)
    assert is_prepared(database)


@pytest.mark.slow
def test_the_schema_is_what_the_migrations_lead_to(tmp_path):
    program = (
        "import asyncio; from prefect.server.database import provide_database_interface;"
        "asyncio.run(provide_database_interface().create_db())"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        env={**os.environ, "PREFECT_HOME": str(tmp_path)},
    )
    ours = SCHEMA.read_text(encoding="utf-8").splitlines()
    assert any_order(dump(tmp_path / "prefect.db")) == any_order(ours)


def any_order(lines: Iterable[str]) -> list[str]:
    """Migrations name a table's constraints in the order of a set."""
    return sorted(line.rstrip(",") for line in lines)
