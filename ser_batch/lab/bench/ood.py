"""How often each kind of sound is out of distribution, and whether that predicts errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ser_batch.analysis.describe import CallJob, describe_calls
from ser_batch.arrays import FloatArray
from ser_batch.audio.call_audio import CallFile
from ser_batch.config import Settings
from ser_batch.corpora import CORPORA, installed
from ser_batch.corpora.base import Clip
from ser_batch.features.sets import FeatureSet, get_feature_set
from ser_batch.lab.bench.other_sounds import far, synthetic_sounds
from ser_batch.progress import Progress
from ser_batch.scoring.bundle import Bundle
from ser_batch.training.describe import decoded, in_band, speech_span

N_SYNTHETIC = 30
ENDINGS = (".flac", ".mp3", ".ogg", ".wav")
SHOUTED = ("strong", "high")
"""Intensities of anger that are shouted, as corpora name them."""


@dataclass(frozen=True)
class Sources:
    """Where the sounds are.

    Attributes:
        corpora: folder of labelled corpora; each that is there is measured
        every: of how many clips one is taken
        noise: folder of environmental sounds; None: left out
        calls: folder of recorded calls, whose segments are all measured; None: left out
    """

    corpora: Path
    every: int = 5
    noise: Path | None = None
    calls: Path | None = None


def run(
    bundle: Bundle, settings: Settings, sources: Sources, *, on_progress: Progress
) -> dict[str, Any]:
    """Share of each kind of sound whose `ood_score` is above 1.

    Args:
        bundle: the model
        settings: of the analysis of calls
        sources: of the sounds; synthetic ones are measured too
        on_progress: called with what is done, how far, of how much

    Returns:
        JSON-able; a row a kind of sound: what it should be (in or out of distribution), how many
        sounds, the share that is out, and the median score
    """
    feature_set = get_feature_set(bundle.feature_set)
    features: dict[tuple[str, str], list[FloatArray]] = {}
    for row, found in _features(feature_set, settings, sources, on_progress):
        features.setdefault(row, []).append(found)
    rows = []
    for (sound, should_be), parts in features.items():
        scores = bundle.predictor.ood_score(np.concatenate(parts), feature_set.names)
        rows.append(
            {
                "sound": sound,
                "should be": should_be,
                "n": len(scores),
                "out": float((scores > 1).mean()),
                "median score": float(np.median(scores)),
            }
        )
    return {"model_id": bundle.model_id, "rows": rows}


def _features(
    feature_set: FeatureSet, settings: Settings, sources: Sources, on_progress: Progress
) -> Iterator[tuple[tuple[str, str], FloatArray]]:
    """Features of sounds, each with its kind and what it should be."""
    for name, clips in installed(sources.corpora, CORPORA).items():
        some = clips[:: sources.every]
        for number, clip in enumerate(some):
            on_progress(f"describing {name}", number, len(some))
            yield from _of_clip(clip, number, feature_set)
    for number, (kind, sound) in enumerate(synthetic_sounds(N_SYNTHETIC)):
        on_progress("describing synthetic sounds", number, N_SYNTHETIC * 5)
        yield (kind, "out"), _whole(sound, feature_set)
    for path in _files(sources.noise):
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        sound = in_band(samples.mean(axis=1), int(rate_hz), feature_set.sample_rate, "telephone")
        yield ("environment", "out"), _whole(sound, feature_set)
    for path in _files(sources.calls):
        on_progress(f"describing {path.name}", 0, 1)
        for found in _of_call(path, settings).values():
            yield (f"call {path.stem[:20]}", "in"), found


def _of_clip(
    clip: Clip, seed: int, feature_set: FeatureSet
) -> Iterator[tuple[tuple[str, str], FloatArray]]:
    """A clip as it is, and from far away."""
    rate_hz = feature_set.sample_rate
    samples, clip_hz = decoded(clip, clip.path.read_bytes())
    is_shouted = clip.emotion == "anger" and clip.intensity in SHOUTED
    near = in_band(samples, clip_hz, rate_hz, "telephone")
    yield (
        (f"{clip.corpus}, shouted" if is_shouted else clip.corpus, "in"),
        _speech(near, feature_set),
    )
    distant = far(samples, clip_hz, np.random.default_rng(seed))
    received = in_band(distant, clip_hz, rate_hz, "telephone")
    yield (f"{clip.corpus}, far", "out"), _speech(received, feature_set)


def _of_call(path: Path, settings: Settings) -> Mapping[int, FloatArray]:
    """Features of a call's segments by channel, whoever speaks."""
    job = CallJob(
        recording_id=path.name,
        files=(CallFile(path),),
        size_bytes=path.stat().st_size,
        roles=("customer", "customer"),
        single_role="customer",
        first_speaker=None,
        notice_given=True,
        objected=None,
        settings=settings,
    )
    return describe_calls([job])[0].features


def _files(folder: Path | None) -> list[Path]:
    """Recordings of a folder, none where there is no folder."""
    return sorted(p for p in folder.iterdir() if p.suffix in ENDINGS) if folder else []


def _speech(signal: FloatArray, feature_set: FeatureSet) -> FloatArray:
    return feature_set.extract(signal, speech_span(signal, feature_set.sample_rate))


def _whole(signal: FloatArray, feature_set: FeatureSet) -> FloatArray:
    return feature_set.extract(signal, np.array([[0.0, len(signal) / feature_set.sample_rate]]))
