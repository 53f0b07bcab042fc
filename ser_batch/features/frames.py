"""Frames of the segments of a channel, gathered once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray, IntArray
from ser_batch.features.parameters import Parameters


@dataclass(frozen=True)
class FrameIndex:
    """Where the frames of all segments start, one segment after the other.

    Attributes:
        starts: first sample of each frame, shape (n_frames,)
        bounds: frames of segment i are `bounds[i]` to `bounds[i + 1]`, shape (n_segments + 1,)
    """

    starts: IntArray
    bounds: IntArray


def frame_index(n_samples: int, segments: DoubleArray, parameters: Parameters) -> FrameIndex:
    """Frames that lie wholly inside the segments, so that no padding is ever measured.

    Args:
        n_samples: length of the channel
        segments: start and end in seconds, shape (n_segments, 2)
        parameters: frame length and step
    """
    samples = np.clip(np.rint(segments * parameters.sample_rate), 0, n_samples).astype(np.int64)
    room = samples[:, 1] - samples[:, 0] - parameters.frame_length
    counts = np.where(room >= 0, room // parameters.hop_length + 1, 0)
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    within = np.arange(bounds[-1]) - np.repeat(bounds[:-1], counts)
    starts = np.repeat(samples[:, 0], counts) + within * parameters.hop_length
    return FrameIndex(starts, bounds)


def take_frames(signal: FloatArray, starts: IntArray, frame_length: int) -> FloatArray:
    """Samples of frames, shape (n_frames, frame_length)."""
    if not len(starts):
        return np.zeros((0, frame_length), np.float32)
    frames: FloatArray = np.lib.stride_tricks.sliding_window_view(signal, frame_length)[starts]
    return frames


def delta(values: FloatArray, bounds: IntArray) -> FloatArray:
    """Slope of each descriptor over five frames, as librosa's `delta` with width 5.

    Args:
        values: descriptors by frame, shape (n_descriptors, n_frames)
        bounds: first frame of each segment and the end, shape (n_segments + 1,)

    Returns:
        change a frame, shape (n_descriptors, n_frames); NaN within two frames of a segment's
        ends, where five frames of the segment are not to be had
    """
    slopes = np.full_like(values, np.nan)
    if values.shape[1] >= 5:
        slopes[:, 2:-2] = 0.2 * (values[:, 4:] - values[:, :-4])
        slopes[:, 2:-2] += 0.1 * (values[:, 3:-1] - values[:, 1:-3])
        edges = np.concatenate([bounds[:-1], bounds[:-1] + 1, bounds[1:] - 1, bounds[1:] - 2])
        slopes[:, edges[(edges >= 0) & (edges < values.shape[1])]] = np.nan
    return slopes
