"""The semantic layer as a page: tables, columns, units, lineage, functions and the cookbook."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

import ser_batch
from ser_batch.report.lineage import lineage_svg
from ser_batch.report.page import asset, environment
from ser_batch.resources import sql_folder
from ser_batch.warehouse import TableDoc, describe
from ser_batch.warehouse.cookbook import recipes
from ser_batch.warehouse.models import Blueprint, read_blueprint

_SOURCE_PREFIXES = ("lake_", "ref_")
_MACRO = re.compile(r"create macro ([a-z_0-9]+)\s*\(([^)]*)\)")
_SUFFIX_UNITS = {
    "s": "s",
    "days": "days",
    "db": "dB",
    "hz": "Hz",
    "min": "per minute",
    "hour": "per hour",
}


@dataclass(frozen=True)
class Functions:
    """SQL functions that are documented together.

    Attributes:
        signatures: name and arguments of each
        text: what they give, a paragraph each
    """

    signatures: tuple[str, ...]
    text: tuple[str, ...]


def render_docs(target: Path) -> str:
    """One page that works offline.

    Args:
        target: the published file, whose comments are the texts

    Raises:
        WarehouseError: if nothing was published yet
    """
    return (
        environment()
        .from_string(asset("docs.html"))
        .render(
            css=Markup(asset("page.css") + asset("docs.css")),
            script=Markup(asset("docs.js")),
            body=Markup(docs_body(target)),
            version=ser_batch.__version__,
        )
    )


def docs_body(target: Path) -> str:
    """The content of the page, for a page of the web application too."""
    blueprint = read_blueprint(sql_folder())
    tables = describe(target, staging=True)
    return (
        environment()
        .from_string(asset("docs_body.html"))
        .render(
            marts=[table for table in tables if not table.name.startswith("stg_")],
            staging=[table for table in tables if table.name.startswith("stg_")],
            lineage=Markup(lineage_svg(lineage(blueprint))),
            versions={model.name: model.version for model in blueprint.models},
            functions=[*functions(blueprint.macros), *functions(blueprint.functions)],
            recipes=recipes(),
            units=units,
        )
    )


def lineage(blueprint: Blueprint) -> dict[str, frozenset[str]]:
    """Tables and inputs that each table is built from."""
    names = {model.name for model in blueprint.models}
    return {
        model.name: frozenset(
            name for name in model.reads if name in names or name.startswith(_SOURCE_PREFIXES)
        )
        for model in blueprint.models
    }


def functions(text: str) -> list[Functions]:
    """The documented functions of a file of `create macro` statements.

    Args:
        text: paragraphs of comment lines and statements; a comment that begins with `name: ` or
            `name, name: ` is a paragraph of its own
    """
    found = []
    for block in re.split(r"\n\n(?=-- |create )", text):
        signatures = tuple(
            f"{name}({' '.join(arguments.split())})" for name, arguments in _MACRO.findall(block)
        )
        head = re.match(r"(?:-- .*\n)*", block)
        comment = head[0] if head else ""
        lines = [line.removeprefix("-- ") for line in comment.splitlines()]
        joined = re.sub(r"\n +", " ", "\n".join(lines))
        if signatures and joined:
            found.append(Functions(signatures, tuple(joined.splitlines())))
    return found


def units(table: TableDoc) -> dict[str, str]:
    """The unit of each column, as its name or its meaning says; empty: it has none."""
    meanings = {column.name: column.meaning for column in table.columns}

    def unit(name: str) -> str:
        stem = re.sub(r"_(low|high|before|start|end|\d)(?=_|$)", "", name)
        if stem != name and stem in meanings:
            return unit(stem)
        return _unit(name, meanings[name])

    return {name: unit(name) for name in meanings}


def _unit(name: str, meaning: str) -> str:
    if name.startswith("count_"):
        return "number"
    stem, _, last = re.sub(r"_(low|high)(?=_|$)", "", name).rpartition("_")
    if stem and last in _SUFFIX_UNITS:
        return _SUFFIX_UNITS[last]
    if found := re.search(r"-?\d+ ?(?:[a-zA-Z]+ ?)?\.\. ?\d+", meaning):
        return re.sub(r"[^-\d.]", "", found[0])
    if re.match("change|adjusted_change|correlation", name):
        return "-1..1"
    is_share = re.search("probability|share|chance", f"{name} {meaning}")
    return (
        "0..1" if is_share or re.fullmatch("[pq]_value|coverage.*|dissatisfaction.*", name) else ""
    )
