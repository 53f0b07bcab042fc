"""Clips as a network reads them, with their labels, copies and long segments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ser_batch.analysis.workers import Workers
from ser_batch.arrays import BoolArray, DoubleArray, FloatArray, IntArray
from ser_batch.corpora.base import Clip
from ser_batch.errors import CorpusError
from ser_batch.features.dataset import Dataset, joined
from ser_batch.features.encoders.network import INPUTS, RATE_HZ, Reads
from ser_batch.features.kinds import FeatureKind
from ser_batch.progress import Progress, silent
from ser_batch.training.augment import Augmentation
from ser_batch.training.describe import describe_clips
from ser_batch.training.long_segments import long_segments

CHUNK = 24
"""Clips that a process reads at a time."""

AUGMENTATION = Augmentation(copies=1, classic=0.5, gated=0.2)
"""The shipped recipe's copies over simulated lines, half of them varied in a classic way too."""


@dataclass(frozen=True)
class NeuralMaterial:
    """Clips and their augmented copies; a row each.

    Attributes:
        dataset: labels, speakers and copies; its features are empty, shape (n_rows, 0)
        inputs: what the network reads of each row; the first dimension is time
    """

    dataset: Dataset
    inputs: tuple[FloatArray, ...] = field(repr=False)

    def take(self, rows: IntArray | BoolArray) -> NeuralMaterial:
        """Some of the rows."""
        numbers = np.arange(len(self.inputs))[rows]
        return NeuralMaterial(self.dataset.take(numbers), tuple(self.inputs[i] for i in numbers))

    @property
    def clips(self) -> NeuralMaterial:
        """The clips as they are, without copies and long segments."""
        return self.take(self.dataset.copies == 0)


def read_material(
    clips: Sequence[Clip],
    reads: Reads | None,
    augmentation: Augmentation | None = AUGMENTATION,
    *,
    joins: bool = True,
    on_progress: Progress = silent,
) -> NeuralMaterial:
    """Clips over the telephone as a network reads them; each row's copies follow it.

    Args:
        clips: labelled recordings
        reads: key of `features.encoders.network.INPUTS`; None: the speech itself, at `RATE_HZ`
        augmentation: of copies; None: the clips alone, to test on
        joins: whether long segments, joined from clips, follow where there are copies
        on_progress: called after every `CHUNK` clips

    Raises:
        CorpusError: if a clip cannot be decoded
    """
    jobs = [
        _Job(number, tuple(clips[first : first + CHUNK]), reads, augmentation)
        for number, first in enumerate(range(0, len(clips), CHUNK))
    ]
    parts: dict[int, NeuralMaterial] = {}
    for number, part in _in_processes(jobs) if len(jobs) > 1 else _read(jobs):
        if isinstance(part, CorpusError):
            raise part
        parts[number] = part
        on_progress("reading clips", min(len(parts) * CHUNK, len(clips)), len(clips))
    whole = _together([parts[number] for number in sorted(parts)])
    if augmentation is None or not joins:
        return whole
    return _with_long_segments(whole, clips, reads, augmentation)


@dataclass(frozen=True)
class _Job:
    number: int
    clips: tuple[Clip, ...]
    reads: Reads | None
    augmentation: Augmentation | None


_Result = tuple[int, NeuralMaterial | CorpusError]


def _in_processes(jobs: Sequence[_Job]) -> Iterator[_Result]:
    """The parts, in the order in which they are ready."""
    with Workers(_read, _died) as workers:
        for results in workers.map([[job] for job in jobs]):
            yield from results


def _read(jobs: Sequence[_Job]) -> list[_Result]:
    """What a worker process does."""
    return [(job.number, _material_of(job)) for job in jobs]


def _material_of(job: _Job) -> NeuralMaterial | CorpusError:
    collector = _Collector(job.reads)
    try:
        dataset = describe_clips(job.clips, collector, augmentation=job.augmentation)
    except CorpusError as error:
        return error
    return NeuralMaterial(dataset, tuple(collector.inputs))


def _died(job: _Job) -> _Result:
    return job.number, CorpusError(f"a process ended while it read {job.clips[0].path} and others")


def _together(parts: Sequence[NeuralMaterial]) -> NeuralMaterial:
    dataset = parts[0].dataset
    for part in parts[1:]:
        dataset = joined(dataset, part.dataset)
    return NeuralMaterial(dataset, tuple(one for part in parts for one in part.inputs))


def _with_long_segments(
    whole: NeuralMaterial, clips: Sequence[Clip], reads: Reads | None, augmentation: Augmentation
) -> NeuralMaterial:
    collector = _Collector(reads)
    long = long_segments(clips, collector, band="telephone", augmentation=augmentation)
    if long is None:
        return whole
    return _together([whole, NeuralMaterial(long, tuple(collector.inputs))])


class _Collector:
    """In the place of a feature set: it keeps what a network reads of each signal.

    Args:
        reads: key of `INPUTS`; None: the signal
    """

    name, digest, sample_rate = "", "", RATE_HZ
    names: tuple[str, ...] = ()
    kinds: tuple[FeatureKind, ...] = ()

    def __init__(self, reads: Reads | None) -> None:
        self._read = INPUTS[reads] if reads else np.array
        self.inputs: list[FloatArray] = []

    def require(self) -> None:
        """Nothing is needed."""

    def extract(self, signal: FloatArray, segments: DoubleArray) -> FloatArray:
        """Keep what is read of each segment; its row has no features."""
        for first, last in np.rint(segments * RATE_HZ).astype(int):
            self.inputs.append(self._read(signal[first:last]))
        return np.zeros((len(segments), 0), np.float32)


def batches(lengths: IntArray, size: int, rng: np.random.Generator | None) -> Iterator[IntArray]:
    """Row numbers of batches of inputs of about one length.

    Args:
        lengths: of the inputs, shape (n_rows,)
        size: inputs in a batch
        rng: draws the order; None: by length, for predictions
    """
    order = np.argsort(lengths, kind="stable") if rng is None else rng.permutation(len(lengths))
    several = size * 8
    for first in range(0, len(order), several):
        some = order[first : first + several]
        some = some[np.argsort(lengths[some], kind="stable")]
        parts = [some[start : start + size] for start in range(0, len(some), size)]
        if rng is not None:
            rng.shuffle(parts)
        yield from parts


def relabelled(material: NeuralMaterial, emotions: Sequence[str]) -> NeuralMaterial:
    """The same rows with other classes, of which no votes are known.

    Args:
        material: the rows
        emotions: class of each row
    """
    return replace(
        material, dataset=replace(material.dataset, emotions=tuple(emotions), shares=None)
    )
