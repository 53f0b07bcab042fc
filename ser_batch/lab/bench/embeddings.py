"""Embeddings against the clock, beside wav2vec2-base and beside windows padded to 30 s.

What an encoder computes does not depend on what is said, so noise in segments as long as those of
calls will do, and so will random weights for the peer.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.features.encoders.sets import EMBEDDING_SETS, RECOMMENDED, EmbeddingSet

SEGMENTS_S = (1.0, 1.4, 1.8, 2.2, 2.6, 3.0, 3.4, 4.0, 5.0, 7.0, 12.0)
"""Lengths of a channel's segments, s."""

WINDOW_S = 30.0

PEER = "wav2vec2_base"
PEER_RATE_HZ = 16000


COMPARED = (RECOMMENDED, "whisper_base_l2")


def run(names: Sequence[str] = COMPARED, *, repeats: int = 3) -> dict[str, Any]:
    """Time feature sets of embeddings and their peers on one thread.

    Args:
        names: of the sets; the first one is compared with the peers
        repeats: how often each is timed; the fastest counts

    Returns:
        ours and peers in seconds of speech per core-second, and ratios of the first of ours to
        each peer; `missing` says why a peer was not timed

    Raises:
        MissingWeightsError: if the weights of a set were not fetched
    """
    with threadpool_limits(1):
        ours = {name: _speed_of(EMBEDDING_SETS[name], repeats) for name in names}
        first = EMBEDDING_SETS[names[0]]
        peers = {"padded_to_30_s": _padded_speed(first, repeats)}
        missing = {}
        try:
            peers[PEER] = peer_speed(repeats)
        except ImportError as error:
            missing[PEER] = f"{error}; pip install torch transformers"
    return {
        "unit": "speech-seconds per core-second, one thread",
        "ours": ours,
        "peers": peers,
        "ratios": {name: ours[names[0]] / speed for name, speed in peers.items()},
        "missing": missing,
    }


def _speed_of(feature_set: EmbeddingSet, repeats: int) -> float:
    """Segments of a channel, as the night extracts them."""
    edges = segment_edges()
    signal = noise(edges[-1, 1], feature_set.sample_rate)
    seconds = fastest(lambda: feature_set.extract(signal, edges), repeats)
    return sum(SEGMENTS_S) / seconds


def _padded_speed(feature_set: EmbeddingSet, repeats: int) -> float:
    """Each segment in a window of 30 s, as speech recognisers run the encoder."""
    signal = noise(WINDOW_S, feature_set.sample_rate)
    window = np.array([[0.0, WINDOW_S]])
    seconds = fastest(lambda: feature_set.extract(signal, window), repeats)
    return float(np.mean(SEGMENTS_S)) / seconds


def peer_speed(repeats: int) -> float:
    """The architecture with random weights, a segment at a time and nothing padded.

    Raises:
        ImportError: if torch or transformers are not installed
    """
    torch, transformers = (importlib.import_module(name) for name in ("torch", "transformers"))
    torch.set_num_threads(1)
    model = transformers.Wav2Vec2Model(transformers.Wav2Vec2Config()).eval()
    segments = [
        torch.from_numpy(noise(length_s, PEER_RATE_HZ)[None]) for length_s in SEGMENTS_S[::2]
    ]

    def forward() -> None:
        with torch.inference_mode():
            for segment in segments:
                model(segment)

    return sum(SEGMENTS_S[::2]) / fastest(forward, repeats)


def segment_edges() -> DoubleArray:
    """Segments one after the other, shape (n_segments, 2)."""
    ends = np.cumsum(SEGMENTS_S)
    return np.stack([ends - SEGMENTS_S, ends], axis=1)


def noise(seconds: float, sample_rate: int) -> FloatArray:
    """Something to be described, shape (n_samples,)."""
    rng = np.random.default_rng(0)
    return (0.1 * rng.standard_normal(round(seconds * sample_rate))).astype(np.float32)


def fastest(work: Callable[[], object], repeats: int) -> float:
    """Core-seconds of the fastest of some runs, after one that loads and warms."""
    work()
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)
