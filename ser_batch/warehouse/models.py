"""The SQL models: one file a table, read with its documentation and put into build order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from ser_batch.errors import WarehouseError

_READ_TABLE = re.compile(r"\b(?:from|join)\s+([a-z_][a-z0-9_]*)")
_COLUMN_DOC = re.compile(r"-- ([a-z_][a-z0-9_]*): (.+)")
_CONTINUED_DOC = re.compile(r"--   (.+)")


@dataclass(frozen=True)
class Model:
    """A table of the warehouse as its SQL file describes it.

    Attributes:
        name: of the table, the file's stem
        grain: what one row is
        column_docs: meaning and unit of the columns that the model makes; those that it passes on
            are documented where they come from
        sql: one select statement
    """

    name: str
    grain: str
    column_docs: dict[str, str]
    sql: str

    @cached_property
    def reads(self) -> frozenset[str]:
        """Names that follow `from` or `join`: tables and the model's own CTEs."""
        return frozenset(_READ_TABLE.findall(self.sql))


def read_model(path: Path) -> Model:
    """The model in a file.

    Raises:
        WarehouseError: if the first line does not state the grain
    """
    header, statement = _split_header(path.read_text(encoding="utf-8"))
    docs: dict[str, str] = {}
    name = ""
    for line in header:
        if started := _COLUMN_DOC.fullmatch(line):
            name = started[1]
            docs[name] = started[2]
        elif continued := _CONTINUED_DOC.fullmatch(line):
            docs[name] += f" {continued[1]}"
    if not header or not header[0].startswith("-- grain: "):
        raise WarehouseError(f"{path}: the first line must be `-- grain: …`")
    return Model(path.stem, docs.pop("grain"), docs, statement)


def read_models(folder: Path) -> list[Model]:
    """The models of `staging/` and `marts/`, each after those it reads.

    Raises:
        WarehouseError: if models read each other in a circle
    """
    paths = [*folder.glob("staging/*.sql"), *folder.glob("marts/*.sql")]
    models = {path.stem: read_model(path) for path in sorted(paths)}
    graph = {name: model.reads & models.keys() for name, model in models.items()}
    try:
        return [models[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise WarehouseError(f"models read each other in a circle: {error.args[1]}") from error


@dataclass(frozen=True)
class Rule:
    """A test of the warehouse: what holds, and the select that finds the rows which break it."""

    name: str
    text: str
    sql: str


def read_rules(folder: Path) -> list[Rule]:
    """The rules of `tests/`, in order of their names."""
    rules = []
    for path in sorted(folder.glob("tests/*.sql")):
        header, statement = _split_header(path.read_text(encoding="utf-8"))
        rules.append(Rule(path.stem, header[0].removeprefix("-- rule: "), statement))
    return rules


def _split_header(text: str) -> tuple[list[str], str]:
    """The comment lines at the top, and what follows them."""
    lines = text.splitlines()
    end = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    return lines[:end], "\n".join(lines[end:])
