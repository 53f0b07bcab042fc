"""Features beside openSMILE and librosa: speed on one core, on the same segments."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.audio.analysis import analyse_calls
from ser_batch.audio.decode import read_audio
from ser_batch.config import Settings
from ser_batch.errors import CorpusError
from ser_batch.features.sets import FeatureSet, get_feature_set
from ser_batch.lab.bench.opensmile import OpenSmileSet
from ser_batch.memory import keep_freed_memory
from ser_batch.store import part_file
from ser_batch.store.packing import pack
from ser_batch.tables import features_contract

HOP, FRAME = 80, 320
SHARD_CHANNELS = 32
"""Channels whose segments lie in one part of the lake, at most."""

Extract = Callable[[FloatArray, DoubleArray], Any]
Speech = Sequence[tuple[FloatArray, DoubleArray]]


def run(paths: Sequence[Path], settings: Settings, *, minutes: float) -> dict[str, Any]:
    """Time each way of describing the same speech.

    Args:
        paths: recordings; their speech is repeated until there is enough
        settings: of the analysis
        minutes: of speech

    Returns:
        ours and peers in seconds of speech per second of one core, their ratios (ours over
        theirs), the seconds of speech, the number of features, and bytes of a segment in the lake

    Raises:
        CorpusError: if the recordings hold no speech
    """
    feature_set = get_feature_set(settings.features.set)
    speech = _speech(paths, settings, minutes * 60)
    peers = _peers(feature_set.sample_rate)
    keep_freed_memory()  # as a night's worker processes do
    with threadpool_limits(1):
        ours = _times_real_time(feature_set.extract, speech)
        theirs = {name: _times_real_time(extract, speech) for name, extract in peers.items()}
    return {
        "audio_s": round(_seconds(speech), 1),
        "n_segments": sum(len(segments) for _, segments in speech),
        "n_features": len(feature_set.names),
        "bytes_a_segment": _bytes_a_segment(feature_set, speech),
        "ours": {"extract": ours},
        "peers": theirs,
        "ratios": {name: ours / speed for name, speed in theirs.items()},
    }


def _speech(paths: Sequence[Path], settings: Settings, seconds: float) -> Speech:
    """Channels with their segments, repeated to about so many seconds of speech."""
    audios = [read_audio(path, settings.audio) for path in paths]
    channels = [
        (channel.signal, channel.segments)
        for call in analyse_calls(audios, settings)
        for channel in call.channels
        if len(channel.segments)
    ]
    if not channels:
        raise CorpusError("the recordings hold no speech")
    chosen: list[tuple[FloatArray, DoubleArray]] = []
    while (missing := seconds - _seconds(chosen)) > 0:
        signal, segments = channels[len(chosen) % len(channels)]
        ends = np.cumsum(segments[:, 1] - segments[:, 0])
        chosen.append((signal, segments[: int(np.searchsorted(ends, missing)) + 1]))
    return chosen


def _bytes_a_segment(feature_set: FeatureSet, speech: Speech) -> float:
    """Size of a part of the lake with the segments of a few channels, by its rows."""
    channels = list({id(signal): (signal, segments) for signal, segments in speech}.values())
    matrix = np.concatenate([feature_set.extract(*each) for each in channels[:SHARD_CHANNELS]])
    keys = {"recording_id": [""] * len(matrix), "channel": [1] * len(matrix)}
    columns = dict(zip(feature_set.names, np.ascontiguousarray(matrix.T), strict=True))
    contract = features_contract(feature_set.name, feature_set.names)
    rows = contract.conform(pa.table({**keys, "segment_no": list(range(len(matrix))), **columns}))
    return len(part_file.encode(pack(contract, rows), version=1, tags={})) / len(matrix)


def _seconds(speech: Speech) -> float:
    return float(sum(np.diff(segments, axis=1).sum() for _, segments in speech))


def _times_real_time(extract: Extract, speech: Speech) -> float:
    """Seconds of speech per second of one core, once everything is loaded and compiled."""
    signal, segments = speech[0]
    extract(signal, segments[:1])
    started = time.process_time()
    for signal, segments in speech:
        extract(signal, segments)
    return _seconds(speech) / (time.process_time() - started)


def _peers(rate_hz: int) -> dict[str, Extract]:
    peers: dict[str, Extract] = {"librosa": lambda x, s: naive_librosa(x, s, rate_hz)}
    if importlib.util.find_spec("opensmile"):
        for name in ("eGeMAPSv02", "ComParE_2016"):
            peers[f"opensmile_{name}"] = OpenSmileSet(name, rate_hz).extract
    return peers


def naive_librosa(signal: FloatArray, segments: DoubleArray, rate_hz: int) -> DoubleArray:
    """The same kinds of descriptors by librosa's own functions, one call each, a segment a time.

    Returns:
        means and standard deviations of descriptors and deltas, shape (n_segments, n_features)
    """
    rows = []
    for start_s, end_s in segments:
        y = signal[int(start_s * rate_hz) : int(end_s * rate_hz)]
        stft: dict[str, Any] = {"y": y, "sr": rate_hz, "n_fft": 512, "hop_length": HOP}
        f0, _, voicing = librosa.pyin(
            y, fmin=62, fmax=550, sr=rate_hz, frame_length=1024, hop_length=HOP
        )
        tracks = [
            librosa.feature.mfcc(n_mfcc=15, n_mels=24, fmin=250, fmax=3500, **stft),
            librosa.power_to_db(
                librosa.feature.melspectrogram(n_mels=24, fmin=250, fmax=3500, **stft)
            ),
            librosa.feature.spectral_centroid(**stft),
            librosa.feature.spectral_bandwidth(**stft),
            *(librosa.feature.spectral_rolloff(roll_percent=p, **stft) for p in (0.25, 0.5, 0.85)),
            librosa.feature.spectral_flatness(y=y, n_fft=512, hop_length=HOP),
            librosa.feature.spectral_contrast(n_bands=3, fmin=250, **stft),
            librosa.feature.chroma_stft(**stft),
            librosa.feature.tonnetz(chroma=librosa.feature.chroma_stft(**stft)),
            librosa.feature.zero_crossing_rate(y, frame_length=FRAME, hop_length=HOP),
            librosa.feature.rms(y=y, frame_length=FRAME, hop_length=HOP),
            librosa.onset.onset_strength(**stft)[None],
            np.nan_to_num(f0)[None],
            voicing[None],
        ]
        n_frames = min(track.shape[1] for track in tracks)
        values = np.concatenate([track[:, :n_frames] for track in tracks])
        moves = librosa.feature.delta(values, width=5, mode="nearest")
        rows.append(
            np.concatenate([f(part, axis=1) for part in (values, moves) for f in (np.mean, np.std)])
        )
    return np.array(rows, np.float64)
