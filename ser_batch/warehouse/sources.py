"""What the staging models read: the lake's tables as `lake_…`, the rules' tables as `given_…`."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from ser_batch.config import Settings
from ser_batch.eligibility import CHANNEL_SCORING, channel_scoring
from ser_batch.emotions import UNCERTAIN
from ser_batch.errors import LakeError
from ser_batch.lake import Lake
from ser_batch.law import NOT_SCORED, NotScored
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    QUARANTINE,
    RECORDINGS,
    RUNS,
    SEGMENTS,
    TableContract,
    doc,
    predictions_contract,
)

NOTHING_TO_SCORE = (
    NotScored("no_speech", "the customer's channel holds no speech long enough for a segment", ""),
    NotScored("not_scored_yet", "this model has not scored the call", "run the night again"),
    NotScored(
        UNCERTAIN,
        "the model is unsure about every segment",
        "a lower model.min_confidence shows its guesses",
    ),
)
"""Reasons that lie in the recording and the model, beside those of the law."""


def source_contracts(model_id: str) -> dict[str, TableContract]:
    """Name of each source table → contract of the lake's table behind it."""
    tables = (CALLS, RECORDINGS, CHANNELS, SEGMENTS, QUARANTINE, RUNS)
    return {
        **{f"lake_{contract.name}": contract for contract in tables},
        "lake_predictions": predictions_contract(model_id),
    }


def source_docs(model_id: str) -> dict[str, dict[str, str]]:
    """Doc lines by column of each source table that declares them."""
    schemas = {name: contract.arrow for name, contract in source_contracts(model_id).items()}
    schemas["given_channel_scoring"] = CHANNEL_SCORING
    return {name: {field.name: doc(field) for field in schema} for name, schema in schemas.items()}


def open_sources(
    con: duckdb.DuckDBPyConnection, lake: Lake, *, model_id: str, settings: Settings
) -> None:
    """Make the lake and the rules readable to the models on this connection.

    Raises:
        LakeError: if a file of the lake cannot be read
        ContractError: if one was written by a newer program
    """
    for name, contract in source_contracts(model_id).items():
        _open_table(con, lake, name, contract)
    calls, recordings = lake.read(CALLS), lake.read(RECORDINGS)
    con.register("given_channel_scoring", channel_scoring(calls, recordings, settings.law))
    weights = settings.dissatisfaction.weights
    con.register(
        "given_dissatisfaction_weights",
        pa.table({"emotion": list(weights), "weight": list(weights.values())}),
    )
    con.register(
        "given_not_scored_reasons",
        _rows((reason.code, reason.meaning, reason.remedy) for reason in _reasons()),
    )
    for variable, value in variables(model_id, settings).items():
        con.execute(f"set variable {variable} = ?", [value])


def variables(model_id: str, settings: Settings) -> dict[str, object]:
    """What the models ask for by `getvariable`."""
    return {
        "model_id": model_id,
        "dissatisfaction_threshold": settings.dissatisfaction.threshold,
        "min_calls": settings.report.min_calls,
    }


def _open_table(
    con: duckdb.DuckDBPyConnection, lake: Lake, name: str, contract: TableContract
) -> None:
    """A view over the files; a copy in memory where some are of an older version."""
    paths = [str(lake.path(contract, part)) for part in lake.parts(contract)]
    if not paths:
        con.register(name, contract.empty())
        return
    con.execute(f"set variable {name} = ?", [paths])
    try:
        if _all_current(con, name, contract):
            columns = ", ".join(contract.arrow.names)
            con.execute(
                f"create temp view {name} as select {columns} from read_parquet("
                f"getvariable('{name}'), union_by_name = true, hive_partitioning = false)"
            )
        else:
            con.register(name, lake.read(contract))
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise LakeError(f"table {contract.name}: {reason}; delete it to have it made again") from (
            error
        )


def _all_current(con: duckdb.DuckDBPyConnection, name: str, contract: TableContract) -> bool:
    versions = con.execute(
        f"select distinct value::varchar from parquet_kv_metadata(getvariable('{name}')) "
        "where key::varchar = 'ser_batch.version'"
    ).fetchall()
    return versions == [(str(contract.version),)]


def _reasons() -> Iterable[NotScored]:
    return (*NOT_SCORED.values(), *NOTHING_TO_SCORE)


def _rows(rows: Iterable[tuple[str, str, str]]) -> pa.Table:
    names = ("code", "meaning", "remedy")
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])
