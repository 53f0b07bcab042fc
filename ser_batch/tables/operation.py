"""Contracts of what is known of the operation: quarantine, runs, erased recordings, access."""

from __future__ import annotations

import pyarrow as pa

from ser_batch.tables.contract import (
    RECORDING_ID,
    TIME,
    TableContract,
    column,
)

QUARANTINE = TableContract(
    name="quarantine",
    version=1,
    grain="one row a file, or line of metadata, and reason",
    key=("audio_root", "path", "code", "message"),
    partitioned=False,
    arrow=pa.schema(
        [
            column(
                "audio_root",
                pa.string(),
                "the audio folder, absolute; null: a line of metadata, or a path that is absolute",
                nullable=True,
            ),
            column("path", pa.string(), "path below the audio folder, or metadata file and line"),
            column("recording_id", pa.string(), "digest, where it could be read", nullable=True),
            column("severity", pa.string(), "quarantine: left out; warning: taken, but look"),
            column("stage", pa.string(), "ingest or analyse"),
            column("code", pa.string(), "stable reason code"),
            column("message", pa.string(), "what is wrong"),
            column("remedy", pa.string(), "what to do about it"),
            column("noticed_at", TIME, "when it was noticed first, UTC"),
        ]
    ),
)


RUNS = TableContract(
    name="runs",
    version=1,
    grain="one row a nightly run",
    key=("run_id",),
    partitioned=False,
    irreplaceable=True,
    arrow=pa.schema(
        [
            column("run_id", pa.string(), "time-ordered id"),
            column("started_at", TIME, "UTC"),
            column("finished_at", TIME, "UTC; null while it runs or if killed", nullable=True),
            column("status", pa.string(), "running, clean, partial, failed or interrupted"),
            column("message", pa.string(), "why it failed or is partial", nullable=True),
            column("audio_root", pa.string(), "the audio folders, absolute, by `, `"),
            column("counts", pa.map_(pa.string(), pa.int64()), "what was done, by name"),
            column("audio_s", pa.float64(), "seconds of audio analysed in this run"),
            column("stage_s", pa.map_(pa.string(), pa.float64()), "wall seconds by stage"),
            column("code_version", pa.string(), "version of ser-batch"),
            column("settings_id", pa.string(), "digest of all settings"),
            column("analysis_id", pa.string(), "digest of what segments depend on"),
            column("feature_set", pa.string(), "name and digest of the feature set"),
            column("model_id", pa.string(), "model that scored"),
        ]
    ),
)


ERASED = TableContract(
    name="erased",
    version=1,
    grain="one row a recording, or line of metadata, that was erased and is not taken in again",
    key=("erased_hash",),
    partitioned=False,
    irreplaceable=True,
    arrow=pa.schema(
        [
            column(
                "erased_hash", pa.string(), "digest by which it is known again, and nothing else"
            ),
            column("erased_at", TIME, "UTC"),
        ]
    ),
)


ACCESS_LOG = TableContract(
    name="access_log",
    version=1,
    grain="one row each time that somebody saw, played or reviewed a call",
    key=("access_id",),
    partitioned=False,
    irreplaceable=True,
    arrow=pa.schema(
        [
            column("access_id", pa.string(), "digest of the other columns"),
            column("accessed_at", TIME, "UTC"),
            column("person", pa.string(), "who, by the name given at entering"),
            column("session_id", pa.string(), "the browser's session, until the server stopped"),
            column("action", pa.string(), "seen, played, labelled"),
            RECORDING_ID,
        ]
    ),
)
