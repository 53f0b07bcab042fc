"""Contracts of what is measured in the audio: recordings, channels, segments, features."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import pyarrow as pa

from ser_batch.tables.contract import (
    CHANNEL,
    RECORDING_ID,
    SEGMENT_KEY,
    SEGMENT_NO,
    Packed,
    TableContract,
    column,
)


def _waits(name: str, meaning: str) -> tuple[pa.Field[Any], ...]:
    """Columns on intervals of a call that are of one kind."""
    return (
        column(f"{name}_s", pa.float32(), f"seconds of {name}: {meaning}"),
        column(f"count_{name}s", pa.int32(), f"intervals of {name}"),
        column(f"{name}_longest_s", pa.float32(), f"longest {name}, seconds; 0 if none"),
        column(f"{name}_mean_s", pa.float32(), f"mean {name}, seconds; 0 if none"),
        column(f"{name}_share", pa.float32(), f"share of the call that is {name}, 0..1"),
    )


RECORDINGS = TableContract(
    name="recordings",
    version=1,
    grain="one row a recording that could be decoded",
    key=("recording_id",),
    arrow=pa.schema(
        [
            RECORDING_ID,
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
            RECORDING_ID,
            CHANNEL,
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
            column("count_turns", pa.int32(), "turns of this side"),
            column("turn_mean_s", pa.float32(), "mean length of its turns, seconds"),
            column("side_overtalk_share", pa.float32(), "of its turns with the other in, 0..1"),
            column("count_interruptions", pa.int32(), "times that it interrupted the other side"),
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
    key=SEGMENT_KEY,
    arrow=pa.schema(
        [
            RECORDING_ID,
            CHANNEL,
            SEGMENT_NO,
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


_IS_STATE = re.compile(r".+_\d{4}")
"""Names of an encoder's states, which are numbered."""
DESCRIPTOR_BITS = 12
STATE_BITS = 8
"""Of the 24 of a float32. Dissatisfaction changes by .001 a segment on average, .012 at most."""


@lru_cache(maxsize=8)  # thousands of columns, asked for once a shard
def features_contract(feature_set: str, names: tuple[str, ...]) -> TableContract:
    """The contract of one feature set's table: a column a feature.

    A part holds the descriptors of a row together, and an encoder's states, both rounded.
    """
    states = tuple(name for name in names if _IS_STATE.fullmatch(name))
    descriptors = tuple(name for name in names if not _IS_STATE.fullmatch(name))
    return TableContract(
        name=f"features/{feature_set}",
        version=2,
        grain="one row a segment of a customer that may be scored",
        key=SEGMENT_KEY,
        arrow=pa.schema(
            [
                RECORDING_ID,
                CHANNEL,
                SEGMENT_NO,
                *(column(name, pa.float32(), f"feature of {feature_set}") for name in names),
            ]
        ),
        packed=tuple(
            Packed(*each)
            for each in (
                ("descriptors", descriptors, DESCRIPTOR_BITS),
                ("states", states, STATE_BITS),
            )
            if each[1]
        ),
    )
