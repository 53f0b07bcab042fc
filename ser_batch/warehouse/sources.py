"""What the staging models read: the lake's tables as `lake_…`, the rules' tables as `ref_…`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import duckdb
import pyarrow as pa

from ser_batch.config import Settings
from ser_batch.eligibility import CHANNEL_SCORING, channel_scoring
from ser_batch.emotions import UNCERTAIN
from ser_batch.errors import AnalysisLostError, LakeError
from ser_batch.policy import NOT_SCORED, NotScored
from ser_batch.store.closed_days import closed_before
from ser_batch.store.keys import encrypted_root
from ser_batch.store.lake import Lake, Part
from ser_batch.store.remembered import remembered_rows
from ser_batch.tables import (
    ACCESS_LOG,
    CALLS,
    CHANNELS,
    DRIFT,
    LABEL_QUEUE,
    LABELS,
    PREDICTIONS,
    QUARANTINE,
    RECORDINGS,
    RUNS,
    SEGMENTS,
    TableContract,
    doc,
    predictions_contract,
)

NOTHING_TO_SCORE = (
    NotScored(
        "no_speech",
        "the customer's channel holds no speech long enough for a segment",
        "see `ser-batch inspect FILE`; vad.threshold and segments.min_segment_s define what counts",
    ),
    NotScored(
        AnalysisLostError.code,
        "its stored analysis was damaged or deleted, and the recording is gone",
        AnalysisLostError.remedy[:1].lower() + AnalysisLostError.remedy[1:].rstrip("."),
    ),
    NotScored(
        "past_retention",
        "what this model would read of the day was deleted, as [retention] says",
        "",
    ),
    NotScored("not_scored_yet", "this model has not scored the call", "run the night again"),
    NotScored(
        "too_little_scored",
        "less of the customer's speech is scored than dissatisfaction.min_scored_s",
        "",
    ),
    NotScored(
        UNCERTAIN,
        "the model is unsure about every segment",
        "see segment_emotion.ood_score: above 1 the sound is unlike the training speech, so "
        "check the line, or label some calls and retrain; else a lower model.min_confidence shows "
        "the model's guesses",
    ),
)
"""Reasons that lie in the recording and the model, beside those of the law."""

OF_CALLS = (CALLS, RECORDINGS, CHANNELS, SEGMENTS)
"""Tables whose rows belong to a call, beside the predictions."""

WHOLE = (QUARANTINE, RUNS, DRIFT, LABELS, LABEL_QUEUE, ACCESS_LOG)
"""Tables that are read whole: they belong to no call date."""


OF_NIGHTS = (QUARANTINE, RUNS, DRIFT)
"""Of these, the tables that only nights write, a part or more each."""


def predictions_of(lake: Lake) -> dict[str, TableContract]:
    """Contract of the predictions of each model that has any, by model id."""
    folders = sorted((lake.folder / PREDICTIONS.name).glob("*/"))
    return {folder.name: predictions_contract(folder.name) for folder in folders}


def source_docs() -> dict[str, dict[str, str]]:
    """Doc lines by column of each source table that declares them."""
    tables = (*OF_CALLS, *WHOLE, PREDICTIONS)
    schemas = {f"lake_{contract.name}": contract.arrow for contract in tables}
    schemas["ref_channel_scoring"] = CHANNEL_SCORING
    return {name: {field.name: doc(field) for field in schema} for name, schema in schemas.items()}


def open_settings(con: duckdb.DuckDBPyConnection, *, model_id: str, settings: Settings) -> None:
    """Make what does not change with the calls readable to the models on this connection."""
    reasons = (*NOT_SCORED.values(), *NOTHING_TO_SCORE)
    _bind(
        con,
        "ref_not_scored_reasons",
        pa.Table.from_pylist(
            [{"code": r.code, "meaning": r.meaning, "remedy": r.remedy} for r in reasons]
        ),
    )
    targets = settings.retrain.dissatisfied
    _bind(
        con,
        "ref_dissatisfied",
        pa.table({"emotion": list(targets), "target": list(targets.values())}),
    )
    for variable, value in variables(model_id, settings).items():
        con.execute(f"set variable {variable} = ?", [value])


def variables(model_id: str, settings: Settings) -> dict[str, object]:
    """What the models ask for by `getvariable`."""
    rules = settings.dissatisfaction
    return {
        "model_id": model_id,
        "dissatisfaction_threshold": rules.threshold,
        "call_threshold": rules.call_threshold,
        "end_threshold": rules.end_threshold,
        "min_scored_s": rules.min_scored_s,
        "arc_change": rules.arc_change,
        "min_calls": settings.report.min_calls,
    }


def open_whole(con: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Make the tables that belong to no call date readable.

    Raises:
        LakeError: if a file of the lake cannot be read
        ContractError: if one was written by a newer program
    """
    for contract in WHOLE:
        open_table(con, lake, contract)


def open_table(con: duckdb.DuckDBPyConnection, lake: Lake, contract: TableContract) -> None:
    """Make a table readable, all its parts as they are now: others may write labels meanwhile.

    Raises:
        LakeError: if a file of the lake cannot be read
        ContractError: if one was written by a newer program
    """
    rows = remembered_rows(lake, contract) if contract in OF_NIGHTS else lake.read(contract)
    _bind(con, f"lake_{contract.name}", rows)


def open_calls(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    parts: Sequence[Part],
    dates: Sequence[dt.date],
    settings: Settings,
) -> None:
    """Make the calls of some dates, and what belongs to them, readable.

    Args:
        con: of the warehouse that is being built
        lake: the lake
        parts: that hold calls of the dates, and may hold others too
        dates: call dates
        settings: whose law decides who is scored

    Raises:
        LakeError: if a file of the lake cannot be read
        ContractError: if one was written by a newer program
    """
    for contract in (RECORDINGS, CHANNELS, SEGMENTS):
        _open_table(con, lake, f"lake_{contract.name}", contract, parts)
    _open_predictions(con, lake, parts)
    con.execute("set variable call_dates = ?::date[]", [list(dates)])
    con.execute("set variable closed_before = ?::date", [closed_before(lake)])
    _bind(con, "lake_calls", _calls_with_parts(lake, parts))
    calls = con.sql(
        "from lake_calls where list_contains(getvariable('call_dates'), started_at::date)"
    ).to_arrow_table()
    _bind(con, "lake_calls", calls)
    scoring = channel_scoring(calls, lake.read(RECORDINGS, parts), settings.policy)
    _bind(con, "ref_channel_scoring", scoring)


def _calls_with_parts(lake: Lake, parts: Sequence[Part]) -> pa.Table:
    """`calls` with a column more: in which part of the lake a call lies."""
    tables = [lake.read(CALLS, [part]) for part in parts]
    places = [
        place
        for part, rows in zip(parts, tables, strict=True)
        for place in [part.place] * rows.num_rows
    ]
    rows = pa.concat_tables([CALLS.empty(), *tables])
    return rows.append_column("part", pa.array(places, pa.string()))


def _open_predictions(con: duckdb.DuckDBPyConnection, lake: Lake, parts: Sequence[Part]) -> None:
    """One view over the predictions of every model, with the model's id beside each row."""
    _bind(con, "lake_predictions_none", PREDICTIONS.empty())
    selects = ["select *, '' as model_id from lake_predictions_none"]
    for number, (model_id, contract) in enumerate(predictions_of(lake).items()):
        name = f"lake_predictions_{number}"
        _open_table(con, lake, name, contract, parts)
        selects.append(f"select *, {quoted(model_id)} as model_id from {name}")
    _bind(con, "lake_predictions", " union all ".join(selects))


def _open_table(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    name: str,
    contract: TableContract,
    parts: Sequence[Part],
) -> None:
    """A view over the files; a copy in memory where some are encrypted or of an older version."""
    if encrypted_root(lake.folder) is not None:
        _bind(con, name, lake.read(contract, parts))
        return
    paths = [str(path) for part in parts if (path := lake.sound_path(contract, part))]
    con.execute(f"set variable files_of_{name} = ?::varchar[]", [paths])
    try:
        if not paths:
            _bind(con, name, contract.empty())
        elif _all_current(con, name, contract):
            columns = ", ".join(contract.arrow.names)
            _bind(
                con,
                name,
                f"select {columns} from read_parquet(getvariable('files_of_{name}'), "
                "union_by_name = true, hive_partitioning = false)",
            )
        else:
            _bind(con, name, lake.read(contract, parts))
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise LakeError(
            f"table {contract.name}: {reason}; `ser-batch verify` finds the file"
        ) from error


def _bind(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table | str) -> None:
    """Let a name stand for rows in memory or for a select."""
    con.execute(f"drop view if exists {name}")
    if isinstance(rows, str):
        con.execute(f"create temp view {name} as {rows}")
    else:
        con.register(name, rows)


def _all_current(con: duckdb.DuckDBPyConnection, name: str, contract: TableContract) -> bool:
    versions = con.execute(
        "select distinct value::varchar from parquet_kv_metadata("
        f"getvariable('files_of_{name}')) where key::varchar = 'ser_batch.version'"
    ).fetchall()
    return versions == [(str(contract.version),)]


def quoted(text: str) -> str:
    """A string literal of SQL."""
    return "'" + text.replace("'", "''") + "'"
