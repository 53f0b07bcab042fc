"""Networks that were trained with their heads: what they end in is a feature set.

The ONNX file reads one segment and gives its features: the embedding, of which the heads of a
bundle are linear, then statistics of what was read, for the distance from the training speech.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soxr

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.config import digest
from ser_batch.errors import EncoderError
from ser_batch.features.encoders.local import (
    MANIFEST_FILE,
    NETWORK_FORMAT,
    checked_graph,
    encoder_folder,
    read_manifest,
)
from ser_batch.features.encoders.mel import MODEL_RATE_HZ, levelled, log_mel
from ser_batch.features.kinds import Feature, FeatureKind, Measure
from ser_batch.features.sequences import sequence

RATE_HZ = 8000
LONGEST_S = 30.0
"""Longer segments are described in parts."""

Reads = Literal["sequence", "samples", "log_mel"]
SEGMENT, FEATURES = "segment", "features"
"""Names of the graph's input and output."""


def _at_model_rate(signal: FloatArray) -> FloatArray:
    """A segment at 16 kHz, at least 25 ms of it, so that a convolution has something to read."""
    samples = np.asarray(soxr.resample(signal, RATE_HZ, MODEL_RATE_HZ), np.float32)
    return np.pad(samples, (0, max(0, MODEL_RATE_HZ // 40 - len(samples))))


INPUTS: Mapping[Reads, Callable[[FloatArray], FloatArray]] = {
    "sequence": sequence,
    "samples": _at_model_rate,
    "log_mel": lambda signal: levelled(log_mel(signal, RATE_HZ)),
}
"""What a network reads of a segment at 8 kHz, by name; the first dimension is time."""


@dataclass(frozen=True)
class NetworkFeatureSet:
    """What a network ends in.

    Attributes:
        name: the network's, which is its folder's
        sample_rate: Hz of the signals it takes
        names: of the features, in the order of the columns
        kinds: what they measure, in the same order
        digest: hash of the network
        folder: where its files lie
        sha256: of the ONNX file
        reads: key of `INPUTS`
    """

    name: str
    sample_rate: int
    names: tuple[str, ...] = field(repr=False)
    kinds: tuple[FeatureKind, ...] = field(repr=False)
    digest: str
    folder: Path
    sha256: str
    reads: Reads

    def require(self) -> None:
        """Make sure that segments can be described, before any work.

        Raises:
            EncoderError: if the network's file is not the one that was written
        """
        checked_graph(self.folder, self.sha256)

    def extract(self, signal: FloatArray, segments: DoubleArray) -> FloatArray:
        """Features of a channel's segments.

        Args:
            signal: mono samples in [-1, 1] at `sample_rate`, shape (n_samples,)
            segments: start and end in seconds, shape (n_segments, 2)

        Returns:
            shape (n_segments, len(names)), float32; a segment's row depends on nothing around it

        Raises:
            EncoderError: if the network's file is not the one that was written
        """
        edges = np.rint(np.asarray(segments, np.float64).reshape(-1, 2) * RATE_HZ).astype(int)
        rows = np.empty((len(edges), len(self.names)), np.float32)
        for row, (first, last) in zip(rows, edges, strict=True):
            segment = signal[max(first, 0) : last]
            n_parts = max(math.ceil(len(segment) / (LONGEST_S * RATE_HZ)), 1)
            parts = [INPUTS[self.reads](part) for part in np.array_split(segment, n_parts)]
            row[:] = self.features(parts).mean(axis=0)
        return rows

    def features(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Features of segments from what the network reads of them, one row each."""
        return graph_features(_session(self.folder, self.sha256), inputs)


def network_set(name: str) -> NetworkFeatureSet | None:
    """The feature set of a network; None if there is none of this name.

    Raises:
        EncoderError: if there is one that cannot be read
    """
    folder = encoder_folder(name)
    return None if folder is None else read_network(folder)


def read_network(folder: Path) -> NetworkFeatureSet | None:
    """The feature set of the network in a folder; None if an encoder lies there.

    Raises:
        EncoderError: if it cannot be read
    """
    manifest = read_manifest(folder)
    if manifest["format"] != NETWORK_FORMAT:
        return None
    try:
        sha256, reads = str(manifest["sha256"]), manifest["reads"]
        columns = network_features(folder.name, int(manifest["n_features"]))
    except (KeyError, TypeError, ValueError) as error:
        raise EncoderError(f"{folder / MANIFEST_FILE} cannot be read: {error!r}") from error
    if reads not in INPUTS:
        raise EncoderError(f"{folder / MANIFEST_FILE}: nothing is known to read {reads!r}")
    names, kinds = zip(*columns, strict=True)
    definition = digest([NETWORK_FORMAT, RATE_HZ, reads, names, sha256])
    return NetworkFeatureSet(folder.name, RATE_HZ, names, kinds, definition, folder, sha256, reads)


def network_features(name: str, n_features: int) -> list[Feature]:
    """The columns of a network's features; no two networks have one in common."""
    kind, stem = FeatureKind(Measure("state"), "mean"), name.replace("-", "_")
    return [Feature(f"{stem}_{number:04d}", kind) for number in range(n_features)]


@cache
def _session(folder: Path, sha256: str) -> Any:
    return graph_session(checked_graph(folder, sha256))


def graph_features(session: Any, inputs: Sequence[FloatArray]) -> FloatArray:
    """Features of segments from what a network reads of them, shape (n_segments, n_features)."""
    found = [session.run([FEATURES], {SEGMENT: one[None]})[0] for one in inputs]
    return np.concatenate(found)


def graph_session(graph: bytes) -> Any:
    """A network on onnxruntime, on one thread."""
    import onnxruntime  # noqa: PLC0415  (naming a feature set must not load it)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
