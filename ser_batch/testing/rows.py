"""Rows of the lake's tables: every column has a likely value, unless it is given."""

from __future__ import annotations

import datetime as dt
from typing import Any

from ser_batch.emotions import EMOTIONS

Row = dict[str, Any]
MIDDAY = dt.datetime(2026, 11, 3, 12, 0)


def call(recording_id: str = "r1", **given: Any) -> Row:
    """A row of `calls`: channel 0 agent, channel 1 customer."""
    row = {
        "recording_id": recording_id,
        "call_id": f"call-{recording_id}",
        "path": f"2026/{recording_id}.wav",
        "audio_root": "/recordings",
        "size_bytes": 2_400_000,
        "started_at": MIDDAY,
        "started_at_source": "metadata",
        "queue": "billing",
        "agent": "agent-7",
        "team": "north",
        "customer": f"customer-{recording_id}",
        "language": "en",
        "notice_given": True,
        "objected": None,
        "roles": ["agent", "customer"],
        "single_role": "unknown",
        "first_speaker": None,
        "metadata_found": True,
        "attributes": [],
    }
    return {**row, **given}


def recording(recording_id: str = "r1", **given: Any) -> Row:
    """A row of `recordings`: two channels, five minutes."""
    row = {
        "recording_id": recording_id,
        "container": "WAV",
        "codec": "ULAW",
        "sample_rate_hz": 8000,
        "n_channels": 2,
        "duration_s": 300.0,
        "dual_mono": False,
        "diarized": False,
        "diarization_confidence": None,
        "agent_channel": None,
        "silence_s": 12.0,
        "count_silences": 3,
        "silence_longest_s": 6.0,
        "silence_mean_s": 4.0,
        "silence_share": 0.04,
        "count_long_silences": 0,
        "hold_s": 30.0,
        "count_holds": 1,
        "hold_longest_s": 30.0,
        "hold_mean_s": 30.0,
        "hold_share": 0.1,
        "overtalk_s": 3.0,
        "overtalk_share": 0.02,
        "analysis_id": "a",
    }
    return {**row, **given}


def channel(recording_id: str = "r1", channel: int = 1, **given: Any) -> Row:
    """A row of `channels`."""
    row = {
        "recording_id": recording_id,
        "channel": channel,
        "speech_s": 60.0,
        "dropped_speech_s": 0.0,
        "level_db": -20.0,
        "noise_db": -55.0,
        "snr_db": 35.0,
        "clipping_ratio": 0.0,
        "dc_offset": 0.0,
        "denoised": False,
        "is_dead": False,
        "bandwidth_hz": 3400.0,
        "crosstalk_db": None,
        "crosstalk_removed_s": 0.0,
        "ring_s": 0.0,
        "keys_s": 0.0,
        "beep_s": 0.0,
        "music_s": 0.0,
        "talk_s": 66.0,
        "talk_share": 0.5,
        "count_turns": 8,
        "turn_mean_s": 8.25,
        "side_overtalk_share": 0.02,
        "count_interruptions": 1,
        "response_time_median_s": 0.6,
        "response_longest_s": 2.5,
        "syllable_rate_hz": 4.2,
    }
    return {**row, **given}


def segment(recording_id: str = "r1", channel: int = 1, segment_no: int = 0, **given: Any) -> Row:
    """A row of `segments`: ten seconds, one after the other."""
    row = {
        "recording_id": recording_id,
        "channel": channel,
        "segment_no": segment_no,
        "start_s": segment_no * 10.0,
        "end_s": segment_no * 10.0 + 10.0,
        "speech_ratio": 0.9,
        "level_db": -20.0,
        "snr_db": 35.0,
        "clipping_ratio": 0.0,
        "overlap_ratio": 0.0,
        "bandwidth_hz": 3400.0,
    }
    return {**row, **given}


LIKELY_DISSATISFIED = {
    "anger": 1.0,
    "disgust": 0.8,
    "fear": 0.4,
    "frustration": 1.0,
    "sadness": 0.4,
}
"""How dissatisfied a row's customer is made, by the emotion of its probability."""


def prediction(
    recording_id: str = "r1",
    channel: int = 1,
    segment_no: int = 0,
    *,
    emotion: str | None = None,
    dissatisfaction: float | None = None,
    **probabilities: float,
) -> Row:
    """A row of `predictions`: certainly neutral unless probabilities are given by emotion.

    Unless it is given, dissatisfaction is what the probabilities suggest.
    """
    probabilities = probabilities or {"neutral": 1.0}
    suggested = sum(LIKELY_DISSATISFIED.get(name, 0) * p for name, p in probabilities.items())
    likeliest = max(probabilities, key=lambda name: probabilities[name])
    known = min(suggested, 1) if dissatisfaction is None else dissatisfaction
    return {
        "recording_id": recording_id,
        "channel": channel,
        "segment_no": segment_no,
        "dissatisfaction": known,
        "dissatisfaction_voice": known,
        "dissatisfaction_words": None,
        "is_uncertain": emotion == "uncertain",
        "emotion": emotion or likeliest,
        "ood_score": 0.2,
        "arousal": None,
        "valence": None,
        "reasons": ["higher voice than this caller's usual"],
        "confidence": probabilities[likeliest],
        **{f"p_{name}": probabilities.get(name) for name in EMOTIONS},
    }


def bad_file(path: str = "bad.wav", **given: Any) -> Row:
    """A row of `quarantine`."""
    row = {
        "audio_root": "/recordings",
        "path": path,
        "recording_id": None,
        "severity": "quarantine",
        "stage": "ingest",
        "code": "empty",
        "message": "file is empty",
        "remedy": "Export the recording again.",
        "noticed_at": MIDDAY,
    }
    return {**row, **given}


def run(run_id: str = "20261103T020000Z", **given: Any) -> Row:
    """A row of `runs`."""
    row = {
        "run_id": run_id,
        "started_at": MIDDAY,
        "finished_at": MIDDAY + dt.timedelta(minutes=5),
        "status": "clean",
        "message": None,
        "audio_root": "/recordings",
        "counts": [("new_recordings", 1)],
        "audio_s": 300.0,
        "stage_s": [("analyse", 3.0)],
        "code_version": "0.1.0",
        "settings_id": "s",
        "analysis_id": "a",
        "feature_set": "f",
        "model_id": "m",
    }
    return {**row, **given}
