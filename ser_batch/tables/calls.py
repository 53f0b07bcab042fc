"""Contracts of what a night takes in: files, metadata, calls."""

from __future__ import annotations

import pyarrow as pa

from ser_batch.tables.contract import (
    ATTRIBUTES,
    RECORDING_ID,
    TIME,
    TableContract,
    column,
)

FILES = TableContract(
    name="files",
    version=1,
    grain="one row a path and the content that was found there",
    key=("audio_root", "path", "recording_id"),
    irreplaceable=True,
    arrow=pa.schema(
        [
            column("path", pa.string(), "path below the audio folder, with forward slashes"),
            RECORDING_ID,
            column("audio_root", pa.string(), "the audio folder, absolute"),
            column("size_bytes", pa.int64(), "size, bytes"),
            column("modified_ns", pa.int64(), "time of last change, ns since 1970, UTC"),
            column(
                "duplicate_of",
                pa.string(),
                "earlier path of the same audio; absolute where it lies below another audio folder",
                nullable=True,
            ),
            column("ingested_at", TIME, "when the night took it in, UTC"),
        ]
    ),
)


METADATA = TableContract(
    name="metadata",
    version=1,
    grain="one row a line of a metadata file, as it arrived",
    key=("source", "line_no"),
    partitioned=False,
    irreplaceable=True,
    arrow=pa.schema(
        [
            column("source", pa.string(), "digest of the metadata file"),
            column("line_no", pa.int32(), "row in that file, from 1"),
            column("source_name", pa.string(), "name of the metadata file"),
            column("arrived_at", TIME, "when it was first read, UTC"),
            column("fields", ATTRIBUTES, "column → text, as given; empty cells left out"),
        ]
    ),
)


CALLS = TableContract(
    name="calls",
    version=1,
    grain="one row a call: a recording, or two that hold one side each",
    key=("recording_id",),
    arrow=pa.schema(
        [
            RECORDING_ID,
            column("call_id", pa.string(), "the call centre's own id, else the file's stem"),
            column("path", pa.string(), "path below the audio folder"),
            column("audio_root", pa.string(), "the audio folder, absolute"),
            column("size_bytes", pa.int64(), "size of the file, bytes"),
            column("started_at", TIME, "start of the call, local time of the call centre"),
            column("started_at_source", pa.string(), "metadata, name, or file: its last change"),
            column("queue", pa.string(), "queue", nullable=True),
            column("agent", pa.string(), "agent's id as supplied", nullable=True),
            column("team", pa.string(), "agent's team", nullable=True),
            column("customer", pa.string(), "customer's id as supplied", nullable=True),
            column("language", pa.string(), "language as supplied", nullable=True),
            column(
                "notice_given", pa.bool_(), "customer was informed of the analysis", nullable=True
            ),
            column("objected", pa.bool_(), "customer objected to it", nullable=True),
            column("roles", pa.list_(pa.string()), "role of each channel of a two-channel file"),
            column("single_role", pa.string(), "role where one channel carries the call"),
            column(
                "first_speaker",
                pa.string(),
                "who speaks first where two share a channel; null: nothing says so",
                nullable=True,
            ),
            column("metadata_found", pa.bool_(), "a line of metadata names the call"),
            column(
                "sides",
                pa.list_(
                    pa.struct(
                        [
                            pa.field("recording_id", pa.string()),
                            pa.field("audio_root", pa.string()),
                            pa.field("path", pa.string()),
                            pa.field("start_s", pa.float64()),
                        ]
                    )
                ),
                "its recordings by channel where each side has its own file, with the start after "
                "the call's, seconds, if stated; null: one file holds the call",
                nullable=True,
            ),
            column("attributes", ATTRIBUTES, "columns with no place of their own"),
        ]
    ),
)
