"""Statistics of descriptors over the frames of segments, of all segments at once.

Every statistic is taken over frames that were measured; where there are none (silence, all
unvoiced, too short) it is that of one frame with the descriptor's resting value.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import numpy as np

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray, IntArray

PERCENTILES = (5, 20, 50, 80, 95)
TRIM = 0.1

Values = TypeVar("Values", FloatArray, DoubleArray)


def measured_frames(mask: BoolArray, bounds: IntArray) -> tuple[IntArray, IntArray]:
    """The frames of each segment that were measured; where there are none, one past the last.

    Args:
        mask: which frames were, shape (n_frames,)
        bounds: first frame of each segment and the end, shape (n_segments + 1,)

    Returns:
        numbers of frames, one segment after the other, and where each segment's begin and end
        among them, shape (n_segments + 1,)
    """
    frames = np.flatnonzero(mask)
    before = np.searchsorted(frames, bounds)
    counts = np.diff(before)
    frames = np.insert(frames, before[:-1][counts == 0], len(mask))
    return frames, np.append(0, np.cumsum(np.maximum(counts, 1)))


def statistic_names() -> tuple[str, ...]:
    """Names of the columns of `statistics`."""
    return ("mean", "sd", *(f"p{p}" for p in PERCENTILES), "range", "slope", "curvature")


def statistics(values: FloatArray, bounds: IntArray, seconds: DoubleArray) -> FloatArray:
    """Level, spread and course of each descriptor.

    Args:
        values: measured frames, one segment after the other, shape (n_descriptors, n_frames)
        bounds: first frame of each segment and the end, at least one frame each
        seconds: time of each frame, shape (n_frames,)

    Returns:
        shape (n_segments, n_descriptors, n_statistics): mean without the outer tenths, standard
        deviation, percentiles, the 20th to the 80th, slope a second, and the quadratic term of the
        course
    """
    ordered = _ordered(values, bounds)
    percentiles = quantiles(ordered, bounds, PERCENTILES)
    linear, quadratic = _course(seconds, bounds)
    return np.stack(
        [
            _trimmed_mean(ordered, bounds),
            _deviation(values, bounds),
            *percentiles,
            percentiles[3] - percentiles[1],
            _sums(values * linear, bounds),
            _sums(values * quadratic, bounds),
        ]
    ).transpose(2, 1, 0)


def change_names() -> tuple[str, ...]:
    """Names of the columns of `changes`."""
    return ("delta_sd", "delta_p20", "delta_p80", "delta_rise")


def changes(deltas: FloatArray, bounds: IntArray) -> FloatArray:
    """Spread of each descriptor's change a frame.

    Args:
        deltas: one segment after the other, shape (n_descriptors, n_frames)
        bounds: first frame of each segment and the end, at least one frame each

    Returns:
        shape (n_segments, n_descriptors, n_changes): standard deviation, percentiles, share of
        frames that rise
    """
    ordered = _ordered(deltas, bounds)
    low, high = quantiles(ordered, bounds, (20, 80))
    rises = means((deltas > 0).astype(np.float32), bounds)
    return np.stack([_deviation(deltas, bounds), low, high, rises]).transpose(2, 1, 0)


def quantiles(ordered: FloatArray, bounds: IntArray, percents: tuple[int, ...]) -> list[FloatArray]:
    """Percentiles of rows sorted within segments, interpolated, each (n_rows, n_segments)."""
    first, last = bounds[:-1], bounds[1:] - 1
    found = []
    for percent in percents:
        position = (last - first) * percent / 100
        below = position.astype(np.int64)
        weight = (position - below).astype(np.float32)
        above = np.minimum(first + below + 1, last)
        found.append((1 - weight) * ordered[:, first + below] + weight * ordered[:, above])
    return found


def means(values: Values, bounds: IntArray) -> Values:
    """Mean of each row over the frames of each segment, shape (n_rows, n_segments)."""
    lengths = np.diff(bounds).astype(values.dtype)
    return np.asarray(_sums(values, bounds) / lengths, values.dtype)


def _sums(values: Values, bounds: IntArray) -> Values:
    """Sum of each row over the frames of each segment, shape (n_rows, n_segments)."""
    return np.asarray(np.add.reduceat(values, bounds[:-1], axis=-1), values.dtype)


def _ordered(values: FloatArray, bounds: IntArray) -> FloatArray:
    """A copy whose rows are sorted within each segment, with a column of zeros after the last."""
    ordered = np.zeros((len(values), values.shape[1] + 1), np.float32)
    ordered[:, :-1] = values
    for start, end in pairwise(bounds.tolist()):
        ordered[:, start:end].sort(axis=1)
    return ordered


def _deviation(values: FloatArray, bounds: IntArray) -> FloatArray:
    apart = values - np.repeat(means(values, bounds), np.diff(bounds), axis=1)
    apart *= apart
    deviation: FloatArray = np.sqrt(means(apart, bounds))
    return deviation


def _trimmed_mean(ordered: FloatArray, bounds: IntArray) -> FloatArray:
    """Mean of `_ordered` rows without the outer tenths."""
    cut = (TRIM * np.diff(bounds)).astype(np.int64)
    ends = np.stack([bounds[:-1] + cut, bounds[1:] - cut], axis=1)
    sums = np.add.reduceat(ordered, ends.reshape(-1), axis=1)[:, ::2]
    return np.asarray(sums / np.diff(ends, axis=1)[:, 0].astype(np.float32))


def _course(seconds: DoubleArray, bounds: IntArray) -> tuple[FloatArray, FloatArray]:
    """Weights of the linear and the quadratic term of a least-squares fit over time."""

    def each(of_segments: DoubleArray) -> DoubleArray:
        return np.repeat(of_segments, np.diff(bounds))

    time = seconds - each(means(seconds, bounds))
    square = time**2
    power = _sums(square, bounds)
    linear = time / each(np.where(power > 0, power, 1))
    bend = square - each(means(square, bounds)) - each(_sums(linear * square, bounds)) * time
    power = _sums(bend**2, bounds)
    quadratic = bend * each(np.where(power > 1e-12, 1 / np.maximum(power, 1e-12), 0))
    return linear.astype(np.float32), quadratic.astype(np.float32)
