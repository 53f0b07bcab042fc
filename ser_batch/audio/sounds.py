"""What on a channel is sound but not speech: the network's tones and hold music."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.audio.intervals import merge_gaps, to_mask, union
from ser_batch.audio.music import find_music
from ser_batch.audio.peaks import HOP_S, spectral_peaks
from ser_batch.audio.tones import find_tones
from ser_batch.config import LineSettings

RING_PAUSE_S = 6.5
"""s; longest pause between two rings. Source: ITU-T E.180 allows 5, some networks take 6."""
KEY_PAUSE_S = 3.0
"""s; longest pause between two keys of one number."""


@dataclass(frozen=True)
class Sounds:
    """Intervals of one channel, start and end in seconds, shape (n, 2) each.

    Attributes:
        ring: ring-back, busy and dial tone
        keys: pressed keys (DTMF)
        beep: other single tones
        music: hold music
    """

    ring: DoubleArray
    keys: DoubleArray
    beep: DoubleArray
    music: DoubleArray

    @property
    def all(self) -> DoubleArray:
        """Everything that is not speech though it sounds."""
        return union(self.ring, self.keys, self.beep, self.music)

    @property
    def waiting(self) -> DoubleArray:
        """The time that a listener spends with it, the pauses between rings and keys included."""
        return union(self.ringing, merge_gaps(self.keys, KEY_PAUSE_S), self.beep, self.music)

    @property
    def ringing(self) -> DoubleArray:
        """The rings with the pauses between them."""
        return merge_gaps(self.ring, RING_PAUSE_S)


def find_sounds(signal: FloatArray, sample_rate: int, settings: LineSettings) -> Sounds:
    """Tones and music of a channel.

    Args:
        signal: mono samples, shape (n_samples,)
        sample_rate: Hz
        settings: levels and thresholds
    """
    peaks = spectral_peaks(signal, sample_rate)
    tones = find_tones(peaks, settings)
    # A frame overlaps its neighbours by half: the outer ones hold some of the tone too.
    around = [times + np.array([-HOP_S, HOP_S]) for times in tones.values()]
    tonal = np.any([to_mask(times, len(peaks.level_db), HOP_S) for times in around], axis=0)
    music = find_music(peaks, tonal, settings)
    return Sounds(ring=tones["ring"], keys=tones["keys"], beep=tones["beep"], music=music)
