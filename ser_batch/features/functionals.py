"""Statistics of descriptors over the frames of a segment.

Every statistic is taken over frames that were measured; where there are none (silence, all
unvoiced, too short) it is that of one frame with the descriptor's resting value.
"""

from __future__ import annotations

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray

PERCENTILES = (5, 20, 50, 80, 95)
TRIM = 0.1


def statistic_names() -> tuple[str, ...]:
    """Names of the columns of `statistics`."""
    return ("mean", "sd", *(f"p{p}" for p in PERCENTILES), "range", "slope", "curvature")


def statistics(values: FloatArray, seconds: DoubleArray) -> FloatArray:
    """Level, spread and course of each descriptor.

    Args:
        values: measured frames, shape (n_descriptors, n_frames), at least one frame
        seconds: time of each frame, shape (n_frames,)

    Returns:
        shape (n_descriptors, n_statistics): mean without the outer tenths, standard deviation,
        percentiles, the 20th to the 80th, slope a second, and the quadratic term of the course
    """
    ordered = np.sort(values, axis=1)
    percentiles = quantiles(ordered, PERCENTILES)
    cut = int(TRIM * values.shape[1])
    mean = ordered[:, cut : values.shape[1] - cut].mean(axis=1)
    linear, quadratic = _course(seconds)
    return np.stack(
        [
            mean,
            ordered.std(axis=1),
            *percentiles,
            percentiles[3] - percentiles[1],
            values @ linear,
            values @ quadratic,
        ],
        axis=1,
    )


def change_names() -> tuple[str, ...]:
    """Names of the columns of `changes`."""
    return ("delta_sd", "delta_p20", "delta_p80", "delta_rise")


def changes(deltas: FloatArray) -> FloatArray:
    """Spread of each descriptor's change a frame.

    Args:
        deltas: shape (n_descriptors, n_frames), at least one frame

    Returns:
        shape (n_descriptors, n_changes): standard deviation, percentiles, share of frames that
        rise
    """
    ordered = np.sort(deltas, axis=1)
    low, high = quantiles(ordered, (20, 80))
    return np.stack([ordered.std(axis=1), low, high, (deltas > 0).mean(axis=1)], axis=1)


def quantiles(ordered: FloatArray, percents: tuple[int, ...]) -> list[FloatArray]:
    """Percentiles of sorted rows, interpolated, each of shape (n_rows,)."""
    last = ordered.shape[1] - 1
    found = []
    for percent in percents:
        position = last * percent / 100
        below = int(position)
        weight = np.float32(position - below)
        above = min(below + 1, last)
        found.append((1 - weight) * ordered[:, below] + weight * ordered[:, above])
    return found


def _course(seconds: DoubleArray) -> tuple[FloatArray, FloatArray]:
    """Weights of the linear and the quadratic term of a least-squares fit over time."""
    time = seconds - seconds.mean()
    power = (time**2).sum()
    linear = time / power if power > 0 else np.zeros_like(time)
    bend = time**2 - (time**2).mean() - (linear @ time**2) * time
    power = (bend**2).sum()
    quadratic = bend / power if power > 1e-12 else np.zeros_like(bend)
    return linear.astype(np.float32), quadratic.astype(np.float32)
