"""From what was detected in calls to rows of the lake's tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from ser_batch.analysis.describe import CallOutcome
from ser_batch.arrays import FloatArray
from ser_batch.audio.analysis import ChannelAnalysis
from ser_batch.audio.interaction import CallInteraction, SideInteraction
from ser_batch.tables import CHANNELS, RECORDINGS, SEGMENTS

OWN_FIELDS = (
    "speech_s", "dropped_speech_s", "level_db", "noise_db", "snr_db", "clipping_ratio",
    "dc_offset", "denoised",
)  # fmt: skip
"""Columns of `channels` that stand in `ChannelAnalysis` itself."""

LINE_FIELDS = (
    "is_dead", "bandwidth_hz", "crosstalk_db", "crosstalk_removed_s", "ring_s", "keys_s", "beep_s",
    "music_s",
)  # fmt: skip
"""Columns of `channels` that stand in its `LineDiagnosis`."""


def recording_rows(outcomes: Sequence[CallOutcome], analysis_ids: Sequence[str]) -> pa.Table:
    """Rows of `recordings`, with the digest of what each outcome was made from."""
    return RECORDINGS.from_rows(
        {
            "recording_id": outcome.recording_id,
            "container": outcome.container,
            "codec": outcome.codec,
            "sample_rate_hz": outcome.sample_rate_hz,
            "n_channels": outcome.n_channels,
            "duration_s": outcome.analysis.duration_s,
            "dual_mono": outcome.analysis.dual_mono,
            "diarized": outcome.analysis.diarized,
            "diarization_confidence": outcome.analysis.diarization_confidence,
            "analysis_id": analysis_id,
            "agent_channel": outcome.analysis.agent_channel,
            **_call_measures(outcome.analysis.interaction),
        }
        for outcome, analysis_id in zip(outcomes, analysis_ids, strict=True)
        if outcome.analysis is not None
    )


def channel_rows(outcomes: Sequence[CallOutcome]) -> pa.Table:
    """Rows of `channels`; what cannot be measured is null."""
    return CHANNELS.from_rows(
        {
            "recording_id": recording_id,
            "channel": number,
            **{name: _null_if_nan(getattr(channel, name)) for name in OWN_FIELDS},
            **{name: _null_if_nan(getattr(channel.line, name)) for name in LINE_FIELDS},
            **_side_measures(side),
        }
        for recording_id, number, channel, side in _channels(outcomes)
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
                "bandwidth_hz": channel.bandwidth_hz,
            },
        )
        for recording_id, number, channel, _ in _channels(outcomes)
        if len(channel.segments)
    ]
    return SEGMENTS.conform(pa.concat_tables(tables)) if tables else SEGMENTS.empty()


def feature_keys(outcomes: Sequence[CallOutcome]) -> tuple[pa.Table, FloatArray]:
    """The segments that were described: rows of the feature table's key, and their features.

    Returns:
        the keys; the features, shape (n_segments, n_features), (0, 0) if there are none
    """
    found = [
        (outcome.recording_id, channel, matrix)
        for outcome in outcomes
        for channel, matrix in outcome.features.items()
        if len(matrix)
    ]
    names = [(name, channel, no) for name, channel, rows in found for no in range(len(rows))]
    key = SEGMENTS.arrow.names[:3]
    keys = pa.table([list(each) for each in zip(*names, strict=True)] or [[], [], []], key)
    if not found:
        return keys, np.zeros((0, 0), np.float32)
    return keys, np.concatenate([matrix for *_, matrix in found])


def _channels(
    outcomes: Sequence[CallOutcome],
) -> Iterator[tuple[str, int, ChannelAnalysis, SideInteraction]]:
    for outcome in outcomes:
        if outcome.analysis is not None:
            sides = outcome.analysis.interaction.sides
            for number, channel in enumerate(outcome.analysis.channels):
                yield outcome.recording_id, number, channel, sides[number]


def _call_measures(found: CallInteraction) -> dict[str, object]:
    """Columns of `recordings` on how the call went."""
    measures: dict[str, object] = {
        "count_long_silences": found.n_long_silences,
        "overtalk_s": found.overtalk_s,
        "overtalk_share": found.overtalk_share,
    }
    for name, waits in (("silence", found.silence), ("hold", found.hold)):
        measures[f"{name}_s"] = waits.total_s
        measures[f"count_{name}s"] = waits.count
        measures[f"{name}_longest_s"] = waits.longest_s
        measures[f"{name}_mean_s"] = waits.mean_s
        measures[f"{name}_share"] = waits.share
    return measures


def _side_measures(side: SideInteraction) -> dict[str, object]:
    """Columns of `channels` on one side of the call."""
    return {
        "talk_s": side.talk_s,
        "talk_share": side.talk_share,
        "count_turns": side.n_turns,
        "turn_mean_s": side.turn_mean_s,
        "side_overtalk_share": side.overtalk_share,
        "count_interruptions": side.n_interruptions,
        "response_time_median_s": _null_if_nan(side.response_time_median_s),
        "response_longest_s": _null_if_nan(side.response_longest_s),
        "syllable_rate_hz": _null_if_nan(side.syllable_rate),
    }


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
