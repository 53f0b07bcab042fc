"""The SQL models: one file a table, read with its documentation and put into build order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from string import Template

from ser_batch.errors import WarehouseError

_READ_TABLE = re.compile(r"\b(?:from|join)\s+([a-z_][a-z0-9_]*)")
_COLUMN_DOC = re.compile(r"-- ([a-z_][a-z0-9_]*): (.+)")
_CONTINUED_DOC = re.compile(r"--   (.+)")
_BUILT = re.compile(r"whole|by call|by call date(?:, over (\d+) days)?")


@dataclass(frozen=True)
class Model:
    """A table of the warehouse as its SQL file describes it.

    Attributes:
        name: of the table, the file's stem
        grain: what one row is
        column_docs: meaning and unit of the columns that the model makes; those that it passes on
            are documented where they come from
        version: raised when a column changes
        window_days: days up to a call date that its rows depend on, one of a date by itself, 0 of a
            call by itself; None: on all
        sql: one select statement
    """

    name: str
    grain: str
    column_docs: dict[str, str]
    version: int
    window_days: int | None
    sql: str

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
    window_days = {"whole": None, "by call": 0}.get(built[0], int(built[1] or 1))
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
        of_calls: models built call by call
        of_dates: models built from those of calls, call date by call date
        last: models built from these, of several dates or all
        rules_of_calls: rules that can be tested on some calls alone
        rules_of_dates: rules that can be tested on some call dates alone
        rules_of_all: the other rules; of calls and call dates they see what changed
        macros: functions that the models use
        functions: table functions that use the models
    """

    first: tuple[Model, ...]
    of_calls: tuple[Model, ...]
    of_dates: tuple[Model, ...]
    last: tuple[Model, ...]
    rules_of_calls: tuple[Rule, ...]
    rules_of_dates: tuple[Rule, ...]
    rules_of_all: tuple[Rule, ...]
    macros: str
    functions: str

    @property
    def models(self) -> tuple[Model, ...]:
        """Every model, each after those it reads."""
        return (*self.first, *self.grown, *self.last)

    @property
    def grown(self) -> tuple[Model, ...]:
        """Models whose tables keep the rows of calls that did not change."""
        return (*self.of_calls, *self.of_dates)


def read_blueprint(folder: Path) -> Blueprint:
    """The models and rules of a folder.

    Raises:
        WarehouseError: if a file's head is wrong, models read each other in a circle, or a model
            of call dates reads one that is built from all of them
    """
    models = _in_order(folder)
    of_calls = tuple(model for model in models if model.window_days == 0)
    of_dates = tuple(model for model in models if model.window_days == 1)
    calls, dates = ({model.name for model in some} for some in (of_calls, of_dates))
    last: list[Model] = []
    late: set[str] = set()
    for model in models:
        if model.window_days not in (0, 1) and model.reads & (calls | dates | late):
            last.append(model)
            late.add(model.name)
    for model in (*of_calls, *of_dates):
        if behind := model.reads & (late if model in of_dates else late | dates):
            raise WarehouseError(f"model {model.name} reads {behind}, which are built after it")
    rules = _read_rules(folder)
    rules_of_calls = [r for r in rules if r.reads & calls and not r.reads & (dates | late)]
    rules_of_dates = [r for r in rules if r.reads & dates and not r.reads & late]
    return Blueprint(
        first=tuple(m for m in models if m.name not in calls | dates | late),
        of_calls=of_calls,
        of_dates=of_dates,
        last=tuple(last),
        rules_of_calls=tuple(rules_of_calls),
        rules_of_dates=tuple(rules_of_dates),
        rules_of_all=tuple(r for r in rules if r not in (*rules_of_calls, *rules_of_dates)),
        macros=(folder / "macros.sql").read_text(encoding="utf-8"),
        functions=(folder / "functions.sql").read_text(encoding="utf-8"),
    )


def bind_macros(text: str, *, min_calls: int) -> str:
    """The statements that create the functions.

    Args:
        text: of `sql/macros.sql`
        min_calls: the setting report.min_calls
    """
    return Template(text).substitute(min_calls=min_calls)


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
