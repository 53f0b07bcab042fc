"""Hold music: sound whose strongest peak stands still, note after note, for seconds on end.

A voice glides: its strongest harmonic moves by several Hz from one moment to the next. An
instrument holds its notes. Noise jumps about.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray
from ser_batch.audio.intervals import from_mask, merge_gaps, min_duration
from ser_batch.audio.peaks import HOP_S, Peaks
from ser_batch.config import LineSettings

STILL_HZ = 6.0
"""Hz by which a peak that stands still may move from one frame to the next."""
WINDOW_S, STEP_S = 3.0, 0.5
"""s; what is judged at a time, and how often."""
LEAST_SOUND = 0.5
"""Share of a window that must sound to be judged."""
PAUSE_DB, MOST_PAUSES = 12.0, 0.12
"""dB below a window's mean level that count as a pause, and the share of pauses that an unbroken
sound has at most; speech has .2 to .6."""
UNBROKEN_SHARE = 0.75
"""Part of `music_share` that suffices where the sound is unbroken."""
EDGE_S = 1.0
"""s; over which the edges of an interval are judged."""
BREATH_S, PHRASE_S, REST_S = 0.5, 1.5, 3.0
"""s; longest gap within a phrase, shortest phrase, longest rest between phrases of one tune. A word
spoken just before or after the music is a phrase too short."""


def find_music(peaks: Peaks, tones: BoolArray, settings: LineSettings) -> DoubleArray:
    """Where music plays.

    Args:
        peaks: of the channel
        tones: which of its frames are the network's tones, shape (n_frames,)
        settings: least level, length and share of standing peaks

    Returns:
        start and end in seconds, shape (n, 2), in order
    """
    sounding = (peaks.level_db >= settings.sound_db) & ~tones
    moved = np.abs(np.diff(peaks.hz[:, 0], prepend=-np.inf))
    still = sounding & (moved <= STILL_HZ)
    playing = _windows_with_music(peaks.level_db, sounding, still, settings)
    playing &= sounding & (_share(still, sounding) >= UNBROKEN_SHARE * settings.music_share)
    phrases = merge_gaps(from_mask(playing, HOP_S), BREATH_S)
    tunes = merge_gaps(min_duration(phrases, PHRASE_S), REST_S)
    return min_duration(tunes, settings.min_music_s)


def _windows_with_music(
    level_db: FloatArray, sounding: BoolArray, still: BoolArray, settings: LineSettings
) -> BoolArray:
    """Which frames lie in a window that is music, shape (n_frames,)."""
    width, step = round(WINDOW_S / HOP_S), round(STEP_S / HOP_S)
    playing = np.zeros(len(level_db), np.bool_)
    if len(level_db) < width:
        return playing
    levels = sliding_window_view(level_db, width)[::step]
    sound_share = sliding_window_view(sounding, width)[::step].mean(axis=1)
    still_share = sliding_window_view(still, width)[::step].mean(axis=1)
    share = still_share / np.maximum(sound_share, 1 / width)
    mean_db = 10 * np.log10(np.mean(10 ** (levels / 10), axis=1))
    pauses = np.mean(levels < mean_db[:, None] - PAUSE_DB, axis=1)
    needed = np.where(pauses <= MOST_PAUSES, UNBROKEN_SHARE, 1.0) * settings.music_share
    for window in np.flatnonzero((share >= needed) & (sound_share >= LEAST_SOUND)):
        playing[window * step : window * step + width] = True
    return playing


def _share(still: BoolArray, sounding: BoolArray) -> FloatArray:
    """Share of standing peaks among the sound around each frame."""
    kernel = np.ones(round(EDGE_S / HOP_S))
    n_still, n_sounding = (
        np.convolve(values, kernel, mode="same")[: len(values)] for values in (still, sounding)
    )
    return np.asarray(n_still / np.maximum(n_sounding, 1), np.float32)
