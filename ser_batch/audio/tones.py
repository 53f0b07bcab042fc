"""Tones of the telephone network: ring-back and its kin, pressed keys, beeps. None is speech.

A tone is distinguished from a voice by its steadiness: nearly all power in one or two peaks
whose frequency does not move by more than a few Hz while it lasts.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, get_args

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray, IntArray
from ser_batch.audio.intervals import intervals, runs
from ser_batch.audio.peaks import HOP_S, Peaks
from ser_batch.config import LineSettings

ToneKind = Literal["ring", "keys", "beep"]

JUMP_HZ = 100.0
"""Hz from one frame to the next at which another tone begins."""

DTMF_LOW_HZ = np.array([697.0, 770.0, 852.0, 941.0])
DTMF_HIGH_HZ = np.array([1209.0, 1336.0, 1477.0, 1633.0])
DTMF_WITHIN = 0.02
"""Share by which a key's tones may be off. Source: ITU-T Q.24, 1.5 accepted, 3.5 % refused."""
DTMF_TWIST_DB = 10.0
"""dB between a key's two tones. Source: ITU-T Q.24, 4 to 8 dB, with room for a codec."""
KEY_S = 0.04
"""s; shortest key. Source: ITU-T Q.24."""

RING_HZ = (340.0, 500.0)
"""Hz; ring-back, busy and dial tones. Source: ITU-T E.180."""
RING_S = 0.3
"""s; shortest of their bursts (British ring-back has 0.4)."""
BEAT_HZ, BEAT_DB = 95.0, 6.5
"""Hz and dB by which two tones 40 to 90 Hz apart (North America, Britain) pull the strongest peak
to and fro; such a sound must also begin and end at once, as no vowel does."""
EDGE_FRAMES, EDGE_DB = 3, 15.0
"""Frames within which, and dB by which, it does so."""

BEEP_S = 0.2
STEADY_HZ, STEADY_DB = 4.0, 3.0
"""Hz and dB by which a single tone may vary while it lasts."""


def find_tones(peaks: Peaks, settings: LineSettings) -> dict[ToneKind, DoubleArray]:
    """Where the network's tones sound.

    Args:
        peaks: of the channel
        settings: least level and share of power

    Returns:
        for each kind start and end in seconds, shape (n, 2), in order
    """
    tonal = (peaks.share.sum(axis=1) >= settings.tone_share) & (peaks.level_db >= settings.sound_db)
    found: dict[ToneKind, list[tuple[float, float]]] = {kind: [] for kind in get_args(ToneKind)}
    for start, stop in _steady_runs(tonal, peaks.hz[:, 0]):
        kind = _kind(peaks, start, stop)
        if kind is not None:
            # Frame k is centred on k hops: the tone reaches half a hop beyond its outer frames.
            found[kind].append(((start - 0.5) * HOP_S, (stop - 0.5) * HOP_S))
    return {kind: np.maximum(intervals(pairs), 0) for kind, pairs in found.items()}


def _steady_runs(tonal: np.ndarray, hz: FloatArray) -> Iterator[tuple[int, int]]:
    """Runs of tonal frames, cut where the frequency jumps."""
    for start, stop in runs(tonal):
        jumps: IntArray = np.flatnonzero(np.abs(np.diff(hz[start:stop])) > JUMP_HZ) + start + 1
        edges = [start, *jumps.tolist(), stop]
        yield from pairwise(edges)


def _kind(peaks: Peaks, start: int, stop: int) -> ToneKind | None:
    """Which tone a steady run is, None if it may be a voice."""
    duration_s = (stop - start) * HOP_S
    if duration_s < KEY_S:
        return None
    hz, share = (np.median(values[start:stop], axis=0) for values in (peaks.hz, peaks.share))
    if _is_key(hz, share):
        return "keys"
    if duration_s < BEEP_S:
        return None
    # The outer frames hold only part of the tone, whose edge blurs the peak.
    inner = slice(start + 2, stop - 2)
    spread_hz, spread_db = np.ptp(peaks.hz[inner, 0]), np.ptp(peaks.level_db[inner])
    steady = spread_hz <= STEADY_HZ and spread_db <= STEADY_DB
    if duration_s >= RING_S and RING_HZ[0] <= hz[0] <= RING_HZ[1]:
        beats = spread_hz <= BEAT_HZ and spread_db <= BEAT_DB
        return "ring" if steady or (beats and _abrupt(peaks.level_db, start, stop)) else None
    return "beep" if steady else None


def _abrupt(level_db: FloatArray, start: int, stop: int) -> bool:
    """Whether a run begins and ends at once; the ends of the signal count as its edges."""
    outside = [level_db[start - EDGE_FRAMES]] if start >= EDGE_FRAMES else []
    outside += level_db[stop - 1 + EDGE_FRAMES : stop + EDGE_FRAMES].tolist()
    return all(np.median(level_db[start:stop]) - level >= EDGE_DB for level in outside)


def _is_key(hz: FloatArray, share: FloatArray) -> bool:
    """Whether two peaks are the two tones of a telephone key at comparable levels."""
    low, high = np.sort(hz)
    close = [
        np.abs(known / value - 1).min() <= DTMF_WITHIN
        for known, value in ((DTMF_LOW_HZ, low), (DTMF_HIGH_HZ, high))
    ]
    return all(close) and bool(share.min() * 10 ** (DTMF_TWIST_DB / 10) >= share.max())
