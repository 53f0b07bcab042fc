"""Intervals of time: start and end in seconds, shape (n, 2), in order; and the masks they make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from ser_batch.arrays import BoolArray, DoubleArray


def runs(mask: BoolArray) -> Iterator[tuple[int, int]]:
    """First index and index after the last of each run of True in a mask, shape (n,)."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def intervals(pairs: Iterable[tuple[float, float]]) -> DoubleArray:
    """Intervals from pairs, shape (n, 2) also where there are none."""
    return np.array(list(pairs), np.float64).reshape(-1, 2)


def from_mask(mask: BoolArray, frame_s: float) -> DoubleArray:
    """The runs of a mask as intervals; frame k lasts from k to k + 1 times `frame_s`."""
    return intervals(runs(mask)) * frame_s


def to_mask(times: DoubleArray, n_frames: int, frame_s: float) -> BoolArray:
    """Which frames lie in some intervals, shape (n_frames,)."""
    steps = np.zeros(n_frames + 1, np.int64)
    edges = np.clip(np.rint(times / frame_s).astype(np.int64), 0, n_frames)
    np.add.at(steps, edges[:, 0], 1)
    np.add.at(steps, edges[:, 1], -1)
    return np.cumsum(steps[:-1]) > 0


def lengths(times: DoubleArray) -> DoubleArray:
    """Seconds that each interval lasts, shape (n,)."""
    return times[:, 1] - times[:, 0]


def min_duration(times: DoubleArray, least_s: float) -> DoubleArray:
    """The intervals of at least a duration."""
    return times[lengths(times) >= least_s]


def merge_gaps(times: DoubleArray, least_gap_s: float) -> DoubleArray:
    """Join intervals with less than a gap between them."""
    if len(times) == 0:
        return times
    apart = times[1:, 0] - times[:-1, 1] >= least_gap_s
    starts = times[np.concatenate([[True], apart]), 0]
    stops = times[np.concatenate([apart, [True]]), 1]
    return np.stack([starts, stops], axis=1)


def union(*groups: DoubleArray) -> DoubleArray:
    """All intervals in order, those that touch or overlap as one."""
    merged: list[list[float]] = []
    for start, stop in sorted(pair for group in groups for pair in group.tolist()):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], stop)
        else:
            merged.append([start, stop])
    return np.array(merged, np.float64).reshape(-1, 2)


def common(first: DoubleArray, second: DoubleArray) -> DoubleArray:
    """The time covered by both."""
    return subtract(first, subtract(first, second))


def subtract(times: DoubleArray, taken: DoubleArray) -> DoubleArray:
    """The time covered by the first and not by the second."""
    left = times.tolist()
    for begin, end in taken.tolist():
        left = [
            piece
            for start, stop in left
            for piece in ((start, min(stop, begin)), (max(start, end), stop))
            if piece[0] < piece[1]
        ]
    return intervals(left)
