"""From speech probability to segments: intervals of one channel's speech."""

from __future__ import annotations

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.audio.intervals import intervals, lengths, merge_gaps, runs
from ser_batch.audio.levels import LEVEL_FRAME_S, decibel
from ser_batch.audio.vad import FRAME_S
from ser_batch.config import SegmentSettings, VadSettings

LAG_S = (0.02, 0.1)
"""s; how late the network detects that speech begins and ends, on calls whose truth is known."""
REACH_S = 0.16
"""s; how far from the network's edge the sound's own edge is looked for."""
RISE_DB = 7.0
"""dB over the noise at which sound begins; half way to the speech's level if that is less."""
DEPTH_DB = 35.0
"""dB below the speech's level at which sound has ended, however quiet the line is."""
STEADY_FRAMES = 3
"""10 ms frames that levels are averaged over, and that sound must hold to begin."""
MIDDLE_WEIGHT = 0.1
"""Probability that a cut at the end of a segment must be lower by than one in its middle."""
CLOSED_S = 0.15
"""s; shorter gaps are closures within words, not pauses."""


def speech_bursts(
    probability: FloatArray, power: FloatArray, *, vad: VadSettings, segments: SegmentSettings
) -> DoubleArray:
    """Intervals of speech without a pause.

    Args:
        probability: of speech, one a 32 ms frame, shape (n_frames,)
        power: one a 10 ms frame, shape (n_level_frames,); its rises place the edges exactly
        vad: thresholds
        segments: shortest speech

    Returns:
        start and end in seconds, shape (n_bursts, 2), in order
    """
    bursts = merge_gaps(_refined(_hysteresis(probability, vad), power), CLOSED_S)
    return with_company(bursts, segments)


def with_company(bursts: DoubleArray, settings: SegmentSettings) -> DoubleArray:
    """The bursts that are long enough, together with those that less than a pause lies between."""
    turns = merge_gaps(bursts, settings.min_pause_s)
    turn = np.searchsorted(turns[:, 0], bursts[:, 0], side="right") - 1
    speech_s = np.bincount(turn, lengths(bursts), minlength=len(turns))
    return bursts[speech_s[turn] >= settings.min_speech_s]


def to_segments(
    turns: DoubleArray, probability: FloatArray, settings: SegmentSettings
) -> tuple[DoubleArray, float]:
    """Cut long turns at their best pause, join short ones to a neighbour, drop the rest.

    Args:
        turns: speech, start and end in seconds, shape (n_turns, 2), in order
        probability: of speech, one a 32 ms frame, shape (n_frames,)
        settings: lengths

    Returns:
        segments in seconds, shape (n_segments, 2), in order and not overlapping, padded; and the
        seconds of speech that were too short and too lonely to be kept
    """
    padded = _padded(turns, len(probability) * FRAME_S, settings.pad_s)
    merged = _merged(padded, settings)
    long_enough = merged[:, 1] - merged[:, 0] >= settings.min_segment_s
    dropped_s = float(np.sum(np.diff(merged[~long_enough], axis=1)))
    smooth = np.convolve(probability, np.ones(3) / 3, mode="same").astype(np.float32)
    pieces = [
        piece
        for start, stop in merged[long_enough].tolist()
        for piece in _pieces(start, stop, smooth, settings)
    ]
    return np.array(pieces, np.float64).reshape(-1, 2), dropped_s


def _hysteresis(probability: FloatArray, vad: VadSettings) -> DoubleArray:
    """Intervals above release that somewhere reach the threshold: seconds, shape (n, 2)."""
    candidates = runs(probability >= min(vad.release, vad.threshold))
    reaching = (run for run in candidates if probability[slice(*run)].max() >= vad.threshold)
    return intervals(reaching) * FRAME_S


def _refined(edges: DoubleArray, power: FloatArray) -> DoubleArray:
    """Move each edge to where the sound itself begins or ends, if that is near.

    Args:
        edges: start and end in seconds, shape (n, 2)
        power: one a 10 ms frame, shape (n_frames,)
    """
    smooth = np.convolve(power, np.ones(STEADY_FRAMES) / STEADY_FRAMES, mode="same")
    level_db = decibel(smooth[: len(power)])
    frames = np.rint((edges - LAG_S) / LEVEL_FRAME_S).astype(np.int64)
    frames = np.clip(frames[frames[:, 1] > frames[:, 0]], 0, len(level_db))
    refined = np.array(
        [
            (
                _onset(level_db, start),
                len(level_db) - _onset(level_db[::-1], len(level_db) - stop),
            )
            for start, stop in frames.tolist()
        ]
    ).reshape(-1, 2)
    crossed = refined[:, 1] <= refined[:, 0]
    refined[crossed] = frames[crossed]
    refined[1:, 0] = np.maximum(refined[1:, 0], refined[:-1, 1])
    return refined * LEVEL_FRAME_S


def _onset(level_db: FloatArray, frame: int) -> int:
    """The frame near another from which sound holds; that other where none stands out.

    The noise is the quietest moment within reach, the speech the loudest.
    """
    reach = round(REACH_S / LEVEL_FRAME_S)
    first = max(frame - reach, 0)
    near = level_db[first : frame + reach + STEADY_FRAMES]
    if len(near) <= STEADY_FRAMES:
        return frame
    noise_db, speech_db = float(near.min()), float(near.max())
    if speech_db - noise_db < RISE_DB:
        return frame
    least_db = min(noise_db + RISE_DB, (noise_db + speech_db) / 2)
    sounding = near >= max(least_db, speech_db - DEPTH_DB)
    holds = np.lib.stride_tricks.sliding_window_view(sounding, STEADY_FRAMES).all(axis=1)
    return first + int(np.argmax(holds)) if holds.any() else frame


def _padded(regions: DoubleArray, duration_s: float, pad_s: float) -> DoubleArray:
    """Regions with some air around them, at most up to half way to the next."""
    padded = np.stack([regions[:, 0] - pad_s, regions[:, 1] + pad_s], axis=1)
    half_way = (regions[1:, 0] + regions[:-1, 1]) / 2
    padded[1:, 0] = np.maximum(padded[1:, 0], half_way)
    padded[:-1, 1] = np.minimum(padded[:-1, 1], half_way)
    return np.clip(padded, 0, duration_s)


def _merged(regions: DoubleArray, settings: SegmentSettings) -> DoubleArray:
    """Join each region that is too short to its nearer neighbour, if one is near enough."""
    kept = regions.tolist()
    number = 0
    while number < len(kept):
        start, stop = kept[number]
        neighbour = _nearest(kept, number, settings)
        if stop - start >= settings.min_segment_s or neighbour is None:
            number += 1
        else:
            first, second = sorted((number, neighbour))
            kept[first : second + 1] = [[kept[first][0], kept[second][1]]]
            number = first
    return np.array(kept, np.float64).reshape(-1, 2)


def _nearest(regions: list[list[float]], number: int, settings: SegmentSettings) -> int | None:
    """The neighbour that a region can be joined to within the limits, None if there is none."""
    start, stop = regions[number]
    gaps = {}
    for other in (number - 1, number + 1):
        if 0 <= other < len(regions):
            length = max(stop, regions[other][1]) - min(start, regions[other][0])
            gap = max(regions[other][0] - stop, start - regions[other][1])
            if gap <= settings.merge_gap_s and length <= settings.max_segment_s:
                gaps[gap] = other
    return gaps[min(gaps)] if gaps else None


def _pieces(
    start: float, stop: float, smooth: FloatArray, settings: SegmentSettings
) -> list[tuple[float, float]]:
    """Cut at the lowest probability, of equals nearest the middle, until all are short enough."""
    length = stop - start
    if length <= settings.max_segment_s:
        return [(start, stop)]
    margin = min(max(settings.min_segment_s, settings.max_segment_s / 4), 0.4 * length)
    frames = np.arange(round((start + margin) / FRAME_S), round((stop - margin) / FRAME_S))
    centres = (frames + 0.5) * FRAME_S
    off_middle = np.abs(centres - (start + stop) / 2) / length
    cut = float(centres[np.argmin(smooth[frames] + MIDDLE_WEIGHT * off_middle)])
    return [*_pieces(start, cut, smooth, settings), *_pieces(cut, stop, smooth, settings)]
