"""Rhythm of segments: voiced runs, pauses, syllable nuclei."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray, IntArray

SMOOTHING_FRAMES = 7
NUCLEUS_DIP_DB = 2.0
NUCLEUS_FLOOR_DB = 25.0

DURATION = "duration_log2_s"
RHYTHM_NAMES = (
    "active_share",
    "voiced_share",
    "voiced_runs_per_s",
    "voiced_run_mean_s",
    "voiced_run_sd_s",
    "voiced_run_longest_s",
    "unvoiced_run_mean_s",
    "unvoiced_run_sd_s",
    "pauses_per_s",
    "pause_longest_s",
    "syllables_per_s",
    "syllables_per_voiced_s",
    "syllable_interval_sd_s",
    "syllable_prominence_db",
    "loudness_peaks_per_s",
    DURATION,
)


def rhythm(
    level_db: FloatArray,
    loudness: FloatArray,
    voiced: BoolArray,
    active: BoolArray,
    bounds: IntArray,
    hop_s: float,
) -> FloatArray:
    """Shares, runs and rates of segments.

    Args:
        level_db: level of each frame, one segment after the other, shape (n_frames,)
        loudness: loudness of each frame
        voiced: which frames are voiced
        active: which frames are loud enough to be speech
        bounds: first frame of each segment and the end, shape (n_segments + 1,)
        hop_s: seconds from frame to frame

    Returns:
        shape (n_segments, len(RHYTHM_NAMES)); zeros for a segment without a frame
    """
    n_frames = np.diff(bounds)
    duration_s = np.maximum(n_frames, 1) * hop_s
    of_frames = np.repeat(np.arange(len(n_frames)), n_frames)
    voiced_runs, unvoiced_runs, pauses = (
        _Runs.of(mask, bounds, hop_s) for mask in (voiced, ~voiced, ~active)
    )
    columns = [
        np.bincount(of_frames[active], minlength=len(n_frames)) / np.maximum(n_frames, 1),
        np.bincount(of_frames[voiced], minlength=len(n_frames)) / np.maximum(n_frames, 1),
        voiced_runs.count() / duration_s,
        voiced_runs.mean(),
        voiced_runs.spread(),
        voiced_runs.longest(),
        unvoiced_runs.mean(),
        unvoiced_runs.spread(),
        pauses.count(longer_than_s=0.1) / duration_s,
        pauses.longest(),
    ]
    spoken_s = np.maximum(voiced_runs.total(), 0.1)
    peaks = [
        _peaks(level_db[start:end], loudness[start:end], voiced[start:end], hop_s)
        for start, end in pairwise(bounds.tolist())
    ]
    n_nuclei, interval_sd_s, prominence_db, n_peaks = np.array(peaks).reshape(-1, 4).T
    columns += [
        n_nuclei / duration_s,
        n_nuclei / spoken_s,
        interval_sd_s,
        prominence_db,
        n_peaks / duration_s,
        np.log2(duration_s),
    ]
    rows = np.stack(columns, axis=1).astype(np.float32)
    rows[n_frames == 0] = 0
    return rows


@dataclass(frozen=True)
class _Runs:
    """Runs of frames, none across two segments: shape (n_segments,) of each figure.

    Attributes:
        seconds: length of each run
        segment: in which it lies
        n_segments: how many there are
    """

    seconds: DoubleArray
    segment: IntArray
    n_segments: int

    @classmethod
    def of(cls, mask: BoolArray, bounds: IntArray, hop_s: float) -> _Runs:
        """Those of the true frames."""
        lengths, firsts = run_lengths(mask, bounds)
        segment = np.searchsorted(bounds, firsts, side="right") - 1
        return cls(hop_s * lengths.astype(float), segment, len(bounds) - 1)

    def count(self, longer_than_s: float = 0.0) -> IntArray:
        """How many a segment."""
        segment = self.segment[self.seconds > longer_than_s]
        return np.bincount(segment, minlength=self.n_segments)

    def total(self) -> DoubleArray:
        """Their sum, seconds."""
        return self._sum(self.seconds)

    def mean(self) -> DoubleArray:
        """0 where there is none, seconds."""
        return self.total() / np.maximum(self.count(), 1)

    def spread(self) -> DoubleArray:
        """Standard deviation, 0 of one run, seconds."""
        apart = self.seconds - self.mean()[self.segment]
        return np.sqrt(self._sum(apart**2) / np.maximum(self.count(), 1))

    def longest(self) -> DoubleArray:
        """0 where there is none, seconds."""
        longest = np.zeros(self.n_segments)
        np.maximum.at(longest, self.segment, self.seconds)
        return longest

    def _sum(self, values: DoubleArray) -> DoubleArray:
        return np.asarray(
            np.bincount(self.segment, weights=values, minlength=self.n_segments), float
        )


def _peaks(
    level_db: FloatArray, loudness: FloatArray, voiced: BoolArray, hop_s: float
) -> tuple[float, float, float, float]:
    """Of a segment: number of nuclei, spread of their distances, their prominence; loud peaks."""
    if not len(level_db):
        return 0.0, 0.0, 0.0, 0.0
    nuclei, prominence_db = syllable_nuclei(level_db, voiced)
    peaks, _ = scipy.signal.find_peaks(_smooth(loudness))
    interval_sd_s = np.diff(nuclei).std() * hop_s if len(nuclei) > 2 else 0.0
    return len(nuclei), interval_sd_s, prominence_db.mean() if len(nuclei) else 0.0, len(peaks)


def syllable_nuclei(level_db: FloatArray, voiced: BoolArray) -> tuple[IntArray, FloatArray]:
    """Voiced peaks of the smoothed level with a dip of 2 dB around them: frames, prominences.

    Source: de Jong and Wempe (2009), "Praat script to detect syllable nuclei and measure speech
    rate automatically".
    """
    smooth = _smooth(level_db)
    peaks, found = scipy.signal.find_peaks(
        smooth, prominence=NUCLEUS_DIP_DB, height=smooth.max() - NUCLEUS_FLOOR_DB
    )
    is_nucleus = voiced[peaks]
    return peaks[is_nucleus].astype(np.int64), found["prominences"][is_nucleus].astype(np.float32)


def run_lengths(mask: BoolArray, bounds: IntArray) -> tuple[IntArray, IntArray]:
    """Lengths and first frames of the runs of true frames; a run ends where its segment does."""
    is_edge = np.zeros(len(mask) + 1, bool)
    is_edge[bounds] = True
    begins, ends = mask & is_edge[:-1], mask & is_edge[1:]
    begins[1:] |= mask[1:] & ~mask[:-1]
    ends[:-1] |= mask[:-1] & ~mask[1:]
    firsts = np.flatnonzero(begins)
    return np.flatnonzero(ends) + 1 - firsts, firsts


def _smooth(values: FloatArray) -> FloatArray:
    smooth: FloatArray = scipy.ndimage.uniform_filter1d(values, SMOOTHING_FRAMES, mode="nearest")
    return smooth
