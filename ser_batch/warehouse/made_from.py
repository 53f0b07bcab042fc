"""What the published file was made from: SQL, settings, model, and the state of the lake."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

import ser_batch
from ser_batch.config import Settings, digest
from ser_batch.errors import WarehouseError
from ser_batch.store.lake import Lake, Part
from ser_batch.store.listing import FileState
from ser_batch.tables import ACCESS_LOG, RUNS, TableContract
from ser_batch.warehouse.changes import PartStates, lake_states, read_states, write_states
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
        parts: the rest of the lake
    """

    recipe: str
    whole_files: str
    parts: PartStates


def present_input(
    lake: Lake,
    blueprint: Blueprint,
    model_id: str,
    settings: Settings,
    before: BuildInput | None,
) -> BuildInput:
    """What a file would be made from now.

    Args:
        lake: where the rows come from
        blueprint: the models
        model_id: whose predictions are shown
        settings: those that the models read
        before: what the published file was made from; of its parts only changed ones are opened
    """
    # records of runs and access are left out: a night that changed nothing else builds nothing
    whole_files = [
        (contract.name, part.name, changed_ns)
        for contract in WHOLE
        if contract not in (RUNS, ACCESS_LOG)
        for part, (_, changed_ns, _) in sorted(_files(lake, contract).items(), key=str)
    ]
    contracts = (*OF_CALLS, *predictions_of(lake).values())
    parts = lake_states(lake, contracts, before.parts if before else {})
    return BuildInput(_recipe(blueprint, model_id, settings), digest(whole_files), parts)


def _files(lake: Lake, contract: TableContract) -> dict[Part, FileState]:
    """State of the parts of a table; of one of which only the second copy is left, of that."""
    copies = lake.files(contract, copies=True) if contract.irreplaceable else {}
    return {**copies, **lake.files(contract)}


def published_input(target: Path) -> BuildInput | None:
    """What the published file was made from, None if there is none that can be read."""
    try:
        with connect(target) as con:
            rows = con.execute(f"select recipe, whole_files from {BUILD_TABLE}").fetchall()
            return BuildInput(rows[0][0], rows[0][1], read_states(con)) if rows else None
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
    write_states(con, made_from.parts)


def _recipe(blueprint: Blueprint, model_id: str, settings: Settings) -> str:
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
