"""The SQL models: one file a table, read with its documentation and put into build order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from ser_batch.errors import WarehouseError

_READ_TABLE = re.compile(r"\b(?:from|join)\s+([a-z_][a-z0-9_]*)")
_COLUMN_DOC = re.compile(r"-- ([a-z_][a-z0-9_]*): (.+)")
_CONTINUED_DOC = re.compile(r"--   (.+)")
_BUILT = re.compile(r"whole|by call date(?:, over (\d+) days)?")


@dataclass(frozen=True)
class Model:
    """A table of the warehouse as its SQL file describes it.

    Attributes:
        name: of the table, the file's stem
        grain: what one row is
        column_docs: meaning and unit of the columns that the model makes; those that it passes on
            are documented where they come from
        version: raised when a column changes
        window_days: days up to a call date that its rows depend on, one of a date by itself; None:
            on all
        sql: one select statement
    """

    name: str
    grain: str
    column_docs: dict[str, str]
    version: int
    window_days: int | None
    sql: str

    @property
    def by_date(self) -> bool:
        """Whether its rows depend on calls of one date alone."""
        return self.window_days == 1

    @property
    def reads(self) -> frozenset[str]:
        """Names that follow `from` or `join`: tables and the model's own CTEs."""
        return _tables_read(self.sql)


def read_model(path: Path) -> Model:
    """The model in a file.

    Raises:
        WarehouseError: if the head does not state grain, version and how it is built
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
    built = _BUILT.fullmatch(docs.get("built", ""))
    if list(docs)[:3] != ["grain", "version", "built"] or built is None:
        raise WarehouseError(
            f"{path}: must begin with `-- grain: …`, `-- version: …`, `-- built: …`"
        )
    grain, version, _ = (docs.pop(name) for name in ("grain", "version", "built"))
    window_days = None if built[0] == "whole" else int(built[1] or 1)
    return Model(path.stem, grain, docs, int(version), window_days, statement)


@dataclass(frozen=True)
class Rule:
    """A test of the warehouse: what holds, and the select that finds the rows which break it."""

    name: str
    text: str
    sql: str

    @property
    def reads(self) -> frozenset[str]:
        """Names that follow `from` or `join`."""
        return _tables_read(self.sql)


@dataclass(frozen=True)
class Blueprint:
    """All models and rules, in the order in which they are run.

    Attributes:
        first: models built whole before any model of calls
        of_calls: models built call date by call date
        last: models built from those of calls, of several dates or all
        rules_of_calls: rules that can be tested on some call dates alone
        rules_of_all: the other rules
        macros: functions that the models use
        functions: table functions that use the models
    """

    first: tuple[Model, ...]
    of_calls: tuple[Model, ...]
    last: tuple[Model, ...]
    rules_of_calls: tuple[Rule, ...]
    rules_of_all: tuple[Rule, ...]
    macros: str
    functions: str

    @property
    def models(self) -> tuple[Model, ...]:
        """Every model, each after those it reads."""
        return (*self.first, *self.of_calls, *self.last)


def read_blueprint(folder: Path) -> Blueprint:
    """The models and rules of a folder.

    Raises:
        WarehouseError: if a file's head is wrong, models read each other in a circle, or a model
            of call dates reads one that is built from all of them
    """
    models = _in_order(folder)
    of_calls = tuple(model for model in models if model.by_date)
    behind = {model.name for model in of_calls}
    last: list[Model] = []
    for model in models:
        if not model.by_date and model.reads & behind:
            last.append(model)
            behind.add(model.name)
    late = {model.name for model in last}
    for model in of_calls:
        if model.reads & late:
            raise WarehouseError(f"model {model.name} is built by call date but reads {late}")
    rules = _read_rules(folder)
    dates_do = {rule for rule in rules if rule.reads & behind and not rule.reads & late}
    return Blueprint(
        first=tuple(model for model in models if model.name not in behind),
        of_calls=of_calls,
        last=tuple(last),
        rules_of_calls=tuple(rule for rule in rules if rule in dates_do),
        rules_of_all=tuple(rule for rule in rules if rule not in dates_do),
        macros=(folder / "macros.sql").read_text(encoding="utf-8"),
        functions=(folder / "functions.sql").read_text(encoding="utf-8"),
    )


def _in_order(folder: Path) -> list[Model]:
    """The models of `staging/` and `marts/`, each after those it reads."""
    paths = [*folder.glob("staging/*.sql"), *folder.glob("marts/*.sql")]
    models = {path.stem: read_model(path) for path in sorted(paths)}
    # sorted: the order must not change with the hash seed of the process
    graph = {name: sorted(model.reads & models.keys()) for name, model in models.items()}
    try:
        return [models[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise WarehouseError(f"models read each other in a circle: {error.args[1]}") from error


def _read_rules(folder: Path) -> list[Rule]:
    """The rules of `tests/`, in order of their names."""
    rules = []
    for path in sorted(folder.glob("tests/*.sql")):
        header, statement = _split_header(path.read_text(encoding="utf-8"))
        rules.append(Rule(path.stem, header[0].removeprefix("-- rule: "), statement))
    return rules


def _tables_read(sql: str) -> frozenset[str]:
    return frozenset(_READ_TABLE.findall(sql))


def _split_header(text: str) -> tuple[list[str], str]:
    """The comment lines at the top, and what follows them."""
    lines = text.splitlines()
    end = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    return lines[:end], "\n".join(lines[end:])
