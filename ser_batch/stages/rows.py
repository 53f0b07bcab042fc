"""From what was heard in calls to rows of the lake's tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from ser_batch.audio.analysis import ChannelAnalysis
from ser_batch.features.sets import FeatureSet
from ser_batch.stages.describe import CallOutcome
from ser_batch.tables import CHANNELS, RECORDINGS, SEGMENTS, features_contract

CHANNEL_FIELDS = tuple(
    name for name in CHANNELS.arrow.names if name not in ("recording_id", "channel")
)


def recording_rows(outcomes: Sequence[CallOutcome], analysis_id: str) -> pa.Table:
    """Rows of `recordings`."""
    return RECORDINGS.from_rows(
        {
            "recording_id": outcome.recording_id,
            "container": outcome.container,
            "codec": outcome.codec,
            "sample_rate_hz": outcome.sample_rate_hz,
            "n_channels": outcome.n_channels,
            "duration_s": outcome.analysis.duration_s,
            "dual_mono": outcome.analysis.dual_mono,
            "analysis_id": analysis_id,
        }
        for outcome in outcomes
        if outcome.analysis is not None
    )


def channel_rows(outcomes: Sequence[CallOutcome]) -> pa.Table:
    """Rows of `channels`; a level that cannot be measured is null."""
    return CHANNELS.from_rows(
        {
            "recording_id": recording_id,
            "channel": number,
            **{name: _null_if_nan(getattr(channel, name)) for name in CHANNEL_FIELDS},
        }
        for recording_id, number, channel in _channels(outcomes)
    )


def segment_rows(outcomes: Sequence[CallOutcome]) -> pa.Table:
    """Rows of `segments`."""
    tables = [
        _keyed(
            recording_id,
            number,
            {
                "start_s": channel.segments[:, 0],
                "end_s": channel.segments[:, 1],
                **channel.measures,
            },
        )
        for recording_id, number, channel in _channels(outcomes)
        if len(channel.segments)
    ]
    return SEGMENTS.conform(pa.concat_tables(tables)) if tables else SEGMENTS.empty()


def feature_rows(outcomes: Sequence[CallOutcome], feature_set: FeatureSet) -> pa.Table:
    """Rows of the feature set's table."""
    contract = features_contract(feature_set.name, feature_set.names)
    tables = [
        _keyed(outcome.recording_id, channel, dict(zip(feature_set.names, matrix.T, strict=True)))
        for outcome in outcomes
        for channel, matrix in outcome.features.items()
        if len(matrix)
    ]
    return contract.conform(pa.concat_tables(tables)) if tables else contract.empty()


def _channels(outcomes: Sequence[CallOutcome]) -> Iterator[tuple[str, int, ChannelAnalysis]]:
    for outcome in outcomes:
        if outcome.analysis is not None:
            for number, channel in enumerate(outcome.analysis.channels):
                yield outcome.recording_id, number, channel


def _keyed(recording_id: str, channel: int, columns: dict[str, np.ndarray]) -> pa.Table:
    """Columns of one channel's segments with their key; a number that is none is null."""
    count = len(next(iter(columns.values())))
    return pa.table(
        {
            "recording_id": pa.array([recording_id] * count, pa.string()),
            "channel": pa.array([channel] * count, pa.int8()),
            "segment_no": pa.array(range(count), pa.int32()),
            **{
                name: pa.array(np.ascontiguousarray(values, np.float32), from_pandas=True)
                for name, values in columns.items()
            },
        }
    )


def _null_if_nan(value: float | bool) -> float | bool | None:
    return None if isinstance(value, float) and np.isnan(value) else value
