"""The contract of every table of the lake: columns, types, keys, version and meaning.

A column is declared here once; Parquet files, the DuckDB staging tables, the documentation and
the checks all follow from it. Rows never carry what can be derived from another table.

On a change: bump `version`, add one step to `MIGRATIONS`, freeze a file of the old version under
`tests/store/frozen/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ser_batch.emotions import EMOTIONS
from ser_batch.errors import ContractError


@dataclass(frozen=True)
class TableContract:
    """What a table holds.

    Attributes:
        name: folder under the lake; may have a variant below it (`features/descriptors_v1`)
        version: raised by every change of the schema
        grain: what one row is
        key: columns that make a row unique
        arrow: columns with type, nullability and doc line
        partitioned: whether its files lie by call date
    """

    name: str
    version: int
    grain: str
    key: tuple[str, ...]
    arrow: pa.Schema
    partitioned: bool = True

    def conform(self, table: pa.Table) -> pa.Table:
        """The table in the contract's column order and types, sorted by key.

        Raises:
            ContractError: if a column is missing or extra, of another type, or null where it
                must not be
        """
        names = set(table.column_names)
        missing = [name for name in self.arrow.names if name not in names]
        extra = sorted(names - set(self.arrow.names))
        if missing or extra:
            raise ContractError(f"table {self.name}: missing {missing}, not in contract {extra}")
        try:
            cast = table.select(self.arrow.names).cast(self.arrow)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
            raise ContractError(f"table {self.name}: {error}") from error
        for field in self.arrow:
            if not field.nullable and cast.column(field.name).null_count:
                raise ContractError(f"table {self.name}: column {field.name} has nulls")
        return cast.sort_by([(name, "ascending") for name in self.key])

    def from_rows(self, rows: Iterable[dict[str, object]]) -> pa.Table:
        """A conforming table from dictionaries; missing keys are null."""
        return self.conform(pa.Table.from_pylist(list(rows), schema=self.arrow))

    def empty(self) -> pa.Table:
        """A conforming table without rows."""
        return self.arrow.empty_table()


def column(name: str, kind: pa.DataType, doc: str, *, nullable: bool = False) -> pa.Field[Any]:
    """A column with its doc line."""
    return pa.field(name, kind, nullable=nullable, metadata={"doc": doc})


def doc(field: pa.Field[Any]) -> str:
    """The doc line of a column."""
    return (field.metadata or {}).get(b"doc", b"").decode()


def _waits(name: str, meaning: str) -> tuple[pa.Field[Any], ...]:
    """Columns on intervals of a call that are of one kind."""
    return (
        column(f"{name}_s", pa.float32(), f"seconds of {name}: {meaning}"),
        column(f"count_{name}s", pa.int32(), f"intervals of {name}"),
        column(f"{name}_longest_s", pa.float32(), f"longest {name}, seconds; 0 if none"),
        column(f"{name}_mean_s", pa.float32(), f"mean {name}, seconds; 0 if none"),
        column(f"{name}_share", pa.float32(), f"share of the call that is {name}, 0..1"),
    )


_TIME = pa.timestamp("us")
_ATTRIBUTES = pa.map_(pa.string(), pa.string())
_SEGMENT_KEY = ("recording_id", "channel", "segment_no")

_RECORDING_ID = column("recording_id", pa.string(), "digest of the audio bytes")
_CHANNEL = column("channel", pa.int8(), "channel in the file, or voice in the only one, from 0")
_SEGMENT_NO = column("segment_no", pa.int32(), "number of the segment on its channel, from 0")

FILES = TableContract(
    name="files",
    version=1,
    grain="one row a path and the content that was found there",
    key=("audio_root", "path", "recording_id"),
    arrow=pa.schema(
        [
            column("path", pa.string(), "path below the audio folder, with forward slashes"),
            _RECORDING_ID,
            column("audio_root", pa.string(), "the audio folder, absolute"),
            column("size_bytes", pa.int64(), "size, bytes"),
            column("modified_ns", pa.int64(), "time of last change, ns since 1970, UTC"),
            column(
                "duplicate_of",
                pa.string(),
                "earlier path of the same audio; absolute where it lies below another audio folder",
                nullable=True,
            ),
            column("ingested_at", _TIME, "when the night took it in, UTC"),
        ]
    ),
)

METADATA = TableContract(
    name="metadata",
    version=1,
    grain="one row a line of a metadata file, as it arrived",
    key=("source", "line_no"),
    partitioned=False,
    arrow=pa.schema(
        [
            column("source", pa.string(), "digest of the metadata file"),
            column("line_no", pa.int32(), "row in that file, from 1"),
            column("source_name", pa.string(), "name of the metadata file"),
            column("arrived_at", _TIME, "when it was first read, UTC"),
            column("fields", _ATTRIBUTES, "column → text, as given; empty cells left out"),
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
            _RECORDING_ID,
            column("call_id", pa.string(), "the call centre's own id, else the file's stem"),
            column("path", pa.string(), "path below the audio folder"),
            column("audio_root", pa.string(), "the audio folder, absolute"),
            column("size_bytes", pa.int64(), "size of the file, bytes"),
            column("started_at", _TIME, "start of the call, local time of the call centre"),
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
            column("attributes", _ATTRIBUTES, "columns with no place of their own"),
        ]
    ),
)

RECORDINGS = TableContract(
    name="recordings",
    version=1,
    grain="one row a recording that could be decoded",
    key=("recording_id",),
    arrow=pa.schema(
        [
            _RECORDING_ID,
            column("container", pa.string(), "file format, e.g. WAV"),
            column("codec", pa.string(), "sample coding, e.g. ULAW"),
            column("sample_rate_hz", pa.int32(), "sampling rate of the file, Hz"),
            column("n_channels", pa.int8(), "channels in the file"),
            column("duration_s", pa.float64(), "length, seconds"),
            column("dual_mono", pa.bool_(), "both channels carry the same signal"),
            column("diarized", pa.bool_(), "two voices of one channel were diarized"),
            column(
                "diarization_confidence",
                pa.float32(),
                "how clearly they differ, 0..1; null: not tried",
                nullable=True,
            ),
            column("agent_channel", pa.int8(), "where an agent seems to speak", nullable=True),
            *_waits("silence", "nobody speaks and nothing plays"),
            column("count_long_silences", pa.int32(), "silences called long by the settings"),
            *_waits(
                "hold", "music or tones and nobody speaks, rings before the call is answered aside"
            ),
            column("overtalk_s", pa.float32(), "seconds in which both sides speak"),
            column("overtalk_share", pa.float32(), "of the time in which anybody speaks, 0..1"),
            column("analysis_id", pa.string(), "digest of the settings that cut its segments"),
        ]
    ),
)

CHANNELS = TableContract(
    name="channels",
    version=1,
    grain="one row a recording and side: a channel with a signal of its own, or a diarized voice",
    key=("recording_id", "channel"),
    arrow=pa.schema(
        [
            _RECORDING_ID,
            _CHANNEL,
            column("speech_s", pa.float32(), "seconds of speech"),
            column("dropped_speech_s", pa.float32(), "seconds of speech too short for a segment"),
            column("level_db", pa.float32(), "speech level, dB re full scale", nullable=True),
            column("noise_db", pa.float32(), "noise level, dB re full scale", nullable=True),
            column("snr_db", pa.float32(), "speech level over noise level, dB", nullable=True),
            column("clipping_ratio", pa.float32(), "share of samples at full scale"),
            column("dc_offset", pa.float32(), "mean of the samples, -1..1"),
            column("denoised", pa.bool_(), "noise reduction was applied before the features"),
            column("is_dead", pa.bool_(), "the channel carries nothing but clicks"),
            column("bandwidth_hz", pa.float32(), "to which its speech reaches, Hz", nullable=True),
            column(
                "crosstalk_db", pa.float32(), "how loud the other side leaks in, dB", nullable=True
            ),
            column(
                "crosstalk_removed_s", pa.float32(), "seconds of the other side's voice left out"
            ),
            column("ring_s", pa.float32(), "seconds of ring-back, busy or dial tone"),
            column("keys_s", pa.float32(), "seconds of pressed keys (DTMF)"),
            column("beep_s", pa.float32(), "seconds of other single tones"),
            column("music_s", pa.float32(), "seconds of hold music"),
            column("talk_s", pa.float32(), "seconds of its turns, pauses in them included"),
            column("talk_share", pa.float32(), "of both sides' turns, 0..1"),
            column("count_turns", pa.int32(), "times that it had the floor"),
            column("turn_mean_s", pa.float32(), "mean length of its turns, seconds"),
            column("side_overtalk_share", pa.float32(), "of its turns with the other in, 0..1"),
            column("count_interruptions", pa.int32(), "times it took the floor from the other"),
            column(
                "response_time_median_s", pa.float32(), "pause before it answers, s", nullable=True
            ),
            column("response_longest_s", pa.float32(), "longest such pause, s", nullable=True),
            column("syllable_rate_hz", pa.float32(), "syllables a second of speech", nullable=True),
        ]
    ),
)

SEGMENTS = TableContract(
    name="segments",
    version=1,
    grain="one row a segment of one channel's speech",
    key=_SEGMENT_KEY,
    arrow=pa.schema(
        [
            _RECORDING_ID,
            _CHANNEL,
            _SEGMENT_NO,
            column("start_s", pa.float32(), "start in the recording, seconds"),
            column("end_s", pa.float32(), "end in the recording, seconds"),
            column("speech_ratio", pa.float32(), "share of the segment that is speech"),
            column("level_db", pa.float32(), "level, dB re full scale"),
            column("snr_db", pa.float32(), "level over the channel's noise, dB", nullable=True),
            column("clipping_ratio", pa.float32(), "share of samples at full scale"),
            column("overlap_ratio", pa.float32(), "share in which the other side speaks too"),
            column("bandwidth_hz", pa.float32(), "to which its speech reaches, Hz", nullable=True),
        ]
    ),
)

PREDICTIONS = TableContract(
    name="predictions",
    version=1,
    grain="one row a segment and model, customers that may be scored only",
    key=_SEGMENT_KEY,
    arrow=pa.schema(
        [
            _RECORDING_ID,
            _CHANNEL,
            _SEGMENT_NO,
            column(
                "dissatisfaction",
                pa.float32(),
                "calibrated probability that listeners perceive anger or frustration, 0..1",
            ),
            column("is_uncertain", pa.bool_(), "the model abstains about dissatisfaction"),
            column("emotion", pa.string(), "likeliest emotion, or uncertain"),
            column("confidence", pa.float32(), "probability of the likeliest emotion"),
            column("ood_score", pa.float32(), "unlike the training speech; above 1: uncertain"),
            column("reasons", pa.list_(pa.string()), "what raised the likeliest emotion most"),
            *(
                column(
                    f"p_{name}",
                    pa.float32(),
                    f"calibrated probability of {name}; null where the model does not know it",
                    nullable=True,
                )
                for name in EMOTIONS
            ),
        ]
    ),
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
            column("noticed_at", _TIME, "when it was noticed first, UTC"),
        ]
    ),
)

RUNS = TableContract(
    name="runs",
    version=1,
    grain="one row a nightly run",
    key=("run_id",),
    partitioned=False,
    arrow=pa.schema(
        [
            column("run_id", pa.string(), "time-ordered id"),
            column("started_at", _TIME, "UTC"),
            column("finished_at", _TIME, "UTC; null while it runs or if killed", nullable=True),
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

LABEL_QUEUE = TableContract(
    name="label_queue",
    version=1,
    grain="one row a segment that annotators are asked about",
    key=_SEGMENT_KEY,
    partitioned=False,
    arrow=pa.schema(
        [
            _RECORDING_ID,
            _CHANNEL,
            _SEGMENT_NO,
            column("start_s", pa.float32(), "start in the recording when it was queued, seconds"),
            column("end_s", pa.float32(), "end in the recording when it was queued, seconds"),
            column("batch_id", pa.string(), "the queueing that it belongs to, time-ordered"),
            column("rank", pa.int32(), "order in its batch, from 0"),
            column("reason", pa.string(), "why it was picked; random: for honest measuring"),
            column("model_id", pa.string(), "model whose scores it was picked by"),
            column("suggested", pa.string(), "predicted emotion; null if random", nullable=True),
            column("queued_at", _TIME, "UTC"),
        ]
    ),
)

LABELS = TableContract(
    name="labels",
    version=1,
    grain="one row a decision of an annotator; none is ever changed, the newest counts",
    key=("label_id",),
    partitioned=False,
    arrow=pa.schema(
        [
            column("label_id", pa.string(), "digest of segment, annotator, time and decision"),
            _RECORDING_ID,
            _CHANNEL,
            _SEGMENT_NO,
            column("start_s", pa.float32(), "start of the labelled audio, seconds"),
            column("end_s", pa.float32(), "end of the labelled audio, seconds"),
            column("annotator", pa.string(), "who decided"),
            column("emotion", pa.string(), "or cannot_tell; null: taken back", nullable=True),
            column("made_at", _TIME, "when it was decided, UTC"),
            column("source", pa.string(), "page, label_studio or csv"),
            column("imported_at", _TIME, "when it came into the lake, UTC"),
        ]
    ),
)

ERASED = TableContract(
    name="erased",
    version=1,
    grain="one row a recording, or line of metadata, that was erased and is not taken in again",
    key=("erased_hash",),
    partitioned=False,
    arrow=pa.schema(
        [
            column(
                "erased_hash", pa.string(), "digest by which it is known again, and nothing else"
            ),
            column("erased_at", _TIME, "UTC"),
        ]
    ),
)

PROFILES = TableContract(
    name="profiles",
    version=1,
    grain="one row a call date, model and measure: how the day's calls are spread over its bins",
    key=("subject", "name"),
    arrow=pa.schema(
        [
            column("subject", pa.string(), "features, scores, coverage or line"),
            column("name", pa.string(), "what is counted"),
            column("counts", pa.list_(pa.int64()), "in each bin; the bins never change"),
            column("count_calls", pa.int32(), "calls that the counts come from"),
        ]
    ),
)

DRIFT = TableContract(
    name="drift",
    version=1,
    grain="one row a call date, model, measure and reference",
    key=("call_date", "model_id", "subject", "name", "reference"),
    arrow=pa.schema(
        [
            column("call_date", pa.date32(), "the day"),
            column("model_id", pa.string(), "whose training data and scores are meant"),
            column("subject", pa.string(), "features, scores, coverage or line"),
            column("name", pa.string(), "group of features, or what is counted"),
            column("reference", pa.string(), "training, days before, or first days of the model"),
            column(
                "psi",
                pa.float32(),
                "population stability index, 0 alike; null: not comparable",
                nullable=True,
            ),
            column(
                "psi_expected",
                pa.float32(),
                "what it is on average where nothing changed; null: not comparable",
                nullable=True,
            ),
            column(
                "count_calls",
                pa.int32(),
                "calls of the day; against the first days, of the window up to it",
            ),
            column(
                "count_calls_before",
                pa.int32(),
                "calls of the days before; null: training",
                nullable=True,
            ),
            column("level", pa.string(), "steady, watch, drift, too few or not comparable"),
            column(
                "advice",
                pa.string(),
                "what to do, or why there is no comparison; null: nothing",
                nullable=True,
            ),
        ]
    ),
)

TABLES: dict[str, TableContract] = {
    contract.name: contract
    for contract in (
        FILES,
        METADATA,
        CALLS,
        RECORDINGS,
        CHANNELS,
        SEGMENTS,
        PREDICTIONS,
        QUARANTINE,
        RUNS,
        LABEL_QUEUE,
        LABELS,
        ERASED,
        PROFILES,
        DRIFT,
    )
}


def features_contract(feature_set: str, names: Iterable[str]) -> TableContract:
    """The contract of one feature set's table: a column a feature."""
    return TableContract(
        name=f"features/{feature_set}",
        version=1,
        grain="one row a segment of a customer that may be scored",
        key=_SEGMENT_KEY,
        arrow=pa.schema(
            [
                _RECORDING_ID,
                _CHANNEL,
                _SEGMENT_NO,
                *(column(name, pa.float32(), f"feature of {feature_set}") for name in names),
            ]
        ),
    )


def predictions_contract(model_id: str) -> TableContract:
    """The contract of one model's predictions."""
    return TableContract(
        name=f"predictions/{model_id}",
        version=PREDICTIONS.version,
        grain=PREDICTIONS.grain,
        key=PREDICTIONS.key,
        arrow=PREDICTIONS.arrow,
    )


MIGRATIONS: dict[tuple[str, int], Callable[[pa.Table], pa.Table]] = {}
"""(table, old version) → step that turns a file of that version into the next."""


def migrate(contract: TableContract, table: pa.Table, version: int) -> pa.Table:
    """A file's rows brought to the contract's version, step by step.

    Raises:
        ContractError: if the file is newer than this program, or a step is missing
    """
    if version > contract.version:
        raise ContractError(
            f"table {contract.name} was written by a newer ser-batch "
            f"(version {version}, this one knows {contract.version})"
        )
    base = contract.name.split("/")[0]
    for old in range(version, contract.version):
        if (base, old) not in MIGRATIONS:
            raise ContractError(f"table {base}: no way from version {old} to {old + 1}")
        table = MIGRATIONS[base, old](table)
    return table
