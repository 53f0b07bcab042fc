"""What the published file was made from: SQL, settings, model, and the state of the lake."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb

import ser_batch
from ser_batch.config import Settings, digest
from ser_batch.errors import WarehouseError
from ser_batch.store.lake import Lake, Part
from ser_batch.store.listing import FileState
from ser_batch.store.settled import settled_days
from ser_batch.tables import ACCESS_LOG, RUNS, TableContract
from ser_batch.warehouse.changes import (
    PartStates,
    SettledDays,
    lake_states,
    read_days,
    read_states,
    write_states,
)
from ser_batch.warehouse.file import STORAGE_VERSION
from ser_batch.warehouse.models import Blueprint
from ser_batch.warehouse.published import BUILD_TABLE, connect
from ser_batch.warehouse.sources import OF_CALLS, WHOLE, predictions_of


@dataclass(frozen=True)
class BuildInput:
    """What a file is made from.

    Attributes:
        recipe: digest of SQL, settings, model and version: another recipe builds all dates
        whole_files: digest of the files of the tables that belong to no call date
        parts: the rest of the lake, without `same`
        days: all call dates of the lake that are settled
        same: those in which nothing changed since the published file was built
    """

    recipe: str
    whole_files: str
    parts: PartStates
    days: SettledDays = field(compare=False)
    same: frozenset[dt.date] = field(compare=False)


def build_inputs(
    lake: Lake, target: Path | None, recipe: str, *, full: bool
) -> tuple[BuildInput | None, BuildInput]:
    """What the published file was made from, None if there is none; what it would be made from now.

    Args:
        lake: where the rows come from
        target: the published file; None: there is none that can be used
        recipe: of now
        full: leave out no day
    """
    contracts = (*OF_CALLS, *predictions_of(lake).values())
    days = settled_days(lake, contracts)
    before = _published_input(target, {} if full else days, recipe) if target else None
    same = before.same if before else frozenset[dt.date]()
    # records of runs and access are left out: a night that changed nothing else builds nothing
    whole_files = [
        (contract.name, part.name, changed_ns)
        for contract in WHOLE
        if contract not in (RUNS, ACCESS_LOG)
        for part, (_, changed_ns, _) in sorted(_files(lake, contract).items(), key=str)
    ]
    parts = lake_states(lake, contracts, days.keys() - same, before.parts if before else {})
    settled = {date: state for date, state in days.items() if state}
    return before, BuildInput(recipe, digest(whole_files), parts, settled, same)


def _files(lake: Lake, contract: TableContract) -> dict[Part, FileState]:
    """State of the parts of a table; of one of which only the second copy is left, of that."""
    copies = lake.files(contract, copies=True) if contract.irreplaceable else {}
    return {**copies, **lake.files(contract)}


def _published_input(target: Path, days: SettledDays, recipe: str) -> BuildInput | None:
    """What the published file was made from, None if there is none that can be read.

    Args:
        target: the file
        days: of now
        recipe: of now; where the file was made by another one, no day is the same
    """
    try:
        with connect(target) as con:
            rows = con.execute(f"select recipe, whole_files from {BUILD_TABLE}").fetchall()
            if not rows:
                return None
            [(recipe_then, whole_files)] = rows
            known = read_days(con) if recipe_then == recipe else {}
            same = frozenset(
                date for date, state in days.items() if state and known.get(date) == state
            )
            return BuildInput(recipe_then, whole_files, read_states(con, same), known, same)
    except (WarehouseError, duckdb.Error):
        return None


def sign(con: duckdb.DuckDBPyConnection, made_from: BuildInput, model_id: str) -> None:
    """Keep in a file what it was made from."""
    con.execute(
        f"create or replace table {BUILD_TABLE} as select ?::varchar as recipe, "
        "?::varchar as whole_files, ?::varchar as model_id, ?::varchar as code_version",
        [made_from.recipe, made_from.whole_files, model_id, ser_batch.__version__],
    )
    con.execute(f"comment on table {BUILD_TABLE} is 'one row: what this file was made from'")
    write_states(con, made_from.parts, made_from.days, made_from.same)


def recipe_of(blueprint: Blueprint, model_id: str, settings: Settings) -> str:
    """Digest of SQL, settings, model and version.

    Args:
        blueprint: the models
        model_id: whose predictions are shown
        settings: those that the models read
    """
    return digest(
        {
            "blueprint": asdict(blueprint),
            "model_id": model_id,
            "policy": settings.policy.digest(),
            "dissatisfaction": settings.dissatisfaction.digest(),
            "min_calls": settings.report.min_calls,
            "dissatisfied": settings.retrain.dissatisfied,
            "version": ser_batch.__version__,
            "storage_version": STORAGE_VERSION,
        }
    )
