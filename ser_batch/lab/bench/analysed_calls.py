"""Simulated calls after the pipeline's analysis, kept on disk: another model costs no analysis."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import ser_batch
from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.audio.analysis import analyse_calls
from ser_batch.config import Settings, digest
from ser_batch.features.sets import FeatureSet
from ser_batch.lab.bench.simulated_calls import KINDS, SimulatedCall, Voices, simulated_calls

BATCH = 16
AGENT, CUSTOMER = 0, 1
"""Channels."""

CODE = (
    "audio",
    "features",
    "lab/synthetic",
    "lab/bench/analysed_calls.py",
    "lab/bench/simulated_calls.py",
)
"""What the analysed calls depend on, beside clips and settings."""

OnCall = Callable[[int, int], None]


@dataclass(frozen=True)
class AnalysedCall:
    """A call with its truth, as the pipeline sees the customer's channel and the agent's turns.

    Attributes:
        speaker: the customer
        corpus: of the customer
        kind: name of the call's kind
        true_share: share of the customer's speech that is angry, 0..1
        true_change: worsening, improving or steady
        segments: start and end in seconds, shape (n, 2)
        features: shape (n, n_features)
        anger: true share of anger in each segment, NaN where the customer does not speak
        agent_turns: start and end of the agent's turns in seconds, shape (n_turns, 2)
    """

    speaker: str
    corpus: str
    kind: str
    true_share: float
    true_change: str
    segments: DoubleArray
    features: FloatArray
    anger: DoubleArray
    agent_turns: DoubleArray


def analysed_calls(
    voices: Voices,
    settings: Settings,
    feature_set: FeatureSet,
    *,
    n_calls: int,
    seed: int,
    cache: Path | None,
    on_call: OnCall,
) -> list[AnalysedCall]:
    """Calls after the analysis of the night, from the cache where they are there.

    Args:
        voices: who can speak
        settings: of the analysis
        feature_set: extracted from the customer's segments
        n_calls: how many
        seed: of the calls
        cache: folder of analysed calls; None: nothing is kept
        on_call: called with the number of calls done, and of all
    """
    analysed = _analysed(voices, settings, feature_set, n_calls=n_calls, seed=seed, on_call=on_call)
    if cache is None:
        return list(analysed)
    path = cache / f"{_key(voices, settings, feature_set, n_calls, seed)}.npz"
    if not path.exists():
        _write(path, list(analysed))
    on_call(n_calls, n_calls)
    return _read(path)


def _analysed(
    voices: Voices,
    settings: Settings,
    feature_set: FeatureSet,
    *,
    n_calls: int,
    seed: int,
    on_call: OnCall,
) -> Iterator[AnalysedCall]:
    """A batch of calls at a time, so that samples do not pile up."""
    batch: list[SimulatedCall] = []
    for number, call in enumerate(simulated_calls(voices, n_calls=n_calls, seed=seed), start=1):
        batch.append(call)
        if len(batch) == BATCH or number == n_calls:
            worth = [(CUSTOMER,)] * len(batch)
            analyses = analyse_calls([one.audio for one in batch], settings, worth)
            for one, analysis in zip(batch, analyses, strict=True):
                channel = analysis.channels[CUSTOMER]
                features = feature_set.extract(channel.signal, channel.segments)
                agent_turns = analysis.channels[AGENT].turns
                yield _with_truth(one, channel.segments, features, agent_turns)
            batch = []
            on_call(number, n_calls)


def _with_truth(
    call: SimulatedCall, segments: DoubleArray, features: FloatArray, agent_turns: DoubleArray
) -> AnalysedCall:
    return AnalysedCall(
        speaker=call.speaker,
        corpus=call.corpus,
        kind=call.kind,
        true_share=call.true_share,
        true_change=call.true_change,
        segments=segments,
        features=features,
        anger=call.anger_of(segments),
        agent_turns=agent_turns,
    )


def _key(
    voices: Voices, settings: Settings, feature_set: FeatureSet, n_calls: int, seed: int
) -> str:
    """Digest of everything that the analysed calls depend on."""
    clips = [
        (clip.path.name, clip.path.stat().st_size, clip.emotion, speaker)
        for speaker, emotions in voices.clips.items()
        for emotion in emotions
        for clip in emotions[emotion]
    ]
    sections = ("audio", "vad", "segments", "denoise", "line")
    parts: list[Any] = [
        clips,
        [getattr(settings, name).digest() for name in sections],
        [asdict(kind) for kind in KINDS],
        feature_set.digest,
        n_calls,
        seed,
        code_digest(CODE),
    ]
    return digest(parts)


def code_digest(names: Sequence[str]) -> str:
    """Digest of code that figures depend on.

    Args:
        names: files and folders of the package
    """
    package = Path(ser_batch.__file__).parent
    found = hashlib.blake2b(digest_size=8)
    for name in names:
        place = package / name
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            found.update(path.read_bytes())
    return found.hexdigest()


def _write(path: Path, calls: Sequence[AnalysedCall]) -> None:
    """All calls in one file, written whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as stream:
        np.savez(
            stream,
            names=np.array([(call.speaker, call.corpus, call.kind) for call in calls]),
            true_share=np.array([call.true_share for call in calls]),
            true_change=np.array([call.true_change for call in calls]),
            n_segments=np.array([len(call.segments) for call in calls]),
            segments=np.concatenate([call.segments for call in calls]),
            features=np.concatenate([call.features for call in calls]),
            anger=np.concatenate([call.anger for call in calls]),
            n_turns=np.array([len(call.agent_turns) for call in calls]),
            agent_turns=np.concatenate([call.agent_turns for call in calls]),
        )
    unfinished.replace(path)


def _read(path: Path) -> list[AnalysedCall]:
    with np.load(path, allow_pickle=False) as stored:
        ends = np.cumsum(stored["n_segments"])[:-1]
        by_call = zip(
            stored["names"].tolist(),
            stored["true_share"].tolist(),
            stored["true_change"].tolist(),
            np.split(stored["segments"], ends),
            np.split(stored["features"], ends),
            np.split(stored["anger"], ends),
            np.split(stored["agent_turns"], np.cumsum(stored["n_turns"])[:-1]),
            strict=True,
        )
        return [AnalysedCall(*names, *values) for names, *values in by_call]
