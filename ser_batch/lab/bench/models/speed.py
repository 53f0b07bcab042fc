"""What a night costs with a feature set: core seconds an hour of calls."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from ser_batch.audio.analysis import analyse_calls
from ser_batch.audio.decode import read_audio
from ser_batch.config import Settings
from ser_batch.features.sets import FeatureSet


def hourly(
    feature_set: FeatureSet, sources: Sequence[Path], settings: Settings
) -> dict[str, float]:
    """Decode, analyse and describe calls, on the thread that asks.

    Args:
        feature_set: extracted from both sides' segments, as a night does
        sources: recordings
        settings: of the analysis

    Returns:
        core_s and n_segments, of an hour of calls each
    """
    _described(feature_set, sources[:1], settings)  # loads and compiles what is needed
    began = time.process_time()
    seconds, n_segments = _described(feature_set, sources, settings)
    hours = seconds / 3600
    return {"core_s": (time.process_time() - began) / hours, "n_segments": n_segments / hours}


def _described(
    feature_set: FeatureSet, sources: Sequence[Path], settings: Settings
) -> tuple[float, int]:
    """Seconds of the calls, and the number of their segments."""
    seconds, n_segments = 0.0, 0
    for source in sources:
        audio = read_audio(source, settings.audio)
        seconds += audio.duration_s
        for channel in analyse_calls([audio], settings)[0].channels:
            n_segments += len(feature_set.extract(channel.signal, channel.segments))
    return seconds, n_segments
