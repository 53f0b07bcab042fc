"""The database of a Prefect server that a command starts: set up from the schema kept beside this.

Prefect sets an empty database up by replaying all migrations of its history, which takes longer
than a small night. `prefect_schema.sql` is what they lead to in the locked release; any other
release sets its database up itself.
"""

from __future__ import annotations

import sqlite3
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from importlib.metadata import version
from pathlib import Path

SCHEMA = Path(__file__).with_name("prefect_schema.sql")
MOST_BYTES = 128 << 20
"""A larger history of flow runs is discarded: the lake keeps the record of each night."""

WAIT_S = 10.0


def is_prepared(database: Path) -> bool:
    """Whether this Prefect's database is set up, by now; one half set up or too large is deleted.

    Args:
        database: SQLite file below a folder that exists
    """
    if database.exists() and database.stat().st_size <= MOST_BYTES:
        with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as con:
            if con.execute("pragma user_version").fetchone() == (_mark(),):
                return True
    for path in database.parent.glob(f"{database.name}*"):
        path.unlink()
    if not SCHEMA.read_text(encoding="utf-8").startswith(_first_line()):
        return False
    with closing(sqlite3.connect(database)) as con:
        con.executescript(SCHEMA.read_text(encoding="utf-8"))
    mark_prepared(database)
    return True


def mark_prepared(database: Path) -> None:
    """State in the database itself which Prefect has set it up."""
    with closing(sqlite3.connect(database, timeout=WAIT_S)) as con:
        con.execute(f"pragma user_version = {_mark()}")


def dump(database: Path) -> Iterator[str]:
    """Lines of the schema of a database that Prefect's migrations have just set up."""
    yield _first_line()
    with closing(sqlite3.connect(database)) as con:
        for statement in con.iterdump():
            yield from (line.rstrip() for line in statement.splitlines())


def _first_line() -> str:
    return f"-- prefect {version('prefect')}"


def _mark() -> int:
    return zlib.crc32(version("prefect").encode()) >> 1


if __name__ == "__main__":
    SCHEMA.write_text("\n".join(dump(Path(sys.argv[1]))) + "\n", encoding="utf-8")
