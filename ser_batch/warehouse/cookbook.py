"""Questions that analysts ask, with the SQL that answers them: the files of `sql/cookbook/`."""

from __future__ import annotations

from dataclasses import dataclass

from ser_batch.config import nearest
from ser_batch.errors import QueryError
from ser_batch.resources import sql_folder


@dataclass(frozen=True)
class Recipe:
    """A question and its SQL."""

    name: str
    question: str
    sql: str


def recipes() -> list[Recipe]:
    """Every recipe, in order of the names."""
    found = []
    for path in sorted((sql_folder() / "cookbook").glob("*.sql")):
        sql = path.read_text(encoding="utf-8")
        question = sql.partition("\n")[0].removeprefix("-- question: ")
        found.append(Recipe(path.stem, question, sql))
    return found


def refuse_name(sql: str) -> None:
    """Refuse a question's name where SQL is expected.

    Raises:
        QueryError: naming the option
    """
    if (name := sql.strip()) in {found.name for found in recipes()}:
        raise QueryError(f"{name} is a question of the cookbook: `--cookbook {name}`")


def recipe(name: str) -> Recipe:
    """The recipe of a name.

    Raises:
        QueryError: naming the nearest one, and all
    """
    by_name = {found.name: found for found in recipes()}
    if name not in by_name:
        known = ", ".join(by_name)
        raise QueryError(f"the cookbook has no {name!r}{nearest(name, by_name)}; it has {known}")
    return by_name[name]
