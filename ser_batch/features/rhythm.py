"""Rhythm of a segment: voiced runs, pauses, syllable nuclei."""

from __future__ import annotations

import numpy as np
import scipy

from ser_batch.arrays import BoolArray, FloatArray, IntArray

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
    level_db: FloatArray, loudness: FloatArray, voiced: BoolArray, active: BoolArray, hop_s: float
) -> FloatArray:
    """Shares, runs and rates of one segment.

    Args:
        level_db: level of each frame, shape (n_frames,)
        loudness: loudness of each frame
        voiced: which frames are voiced
        active: which frames are loud enough to be speech
        hop_s: seconds from frame to frame

    Returns:
        shape (len(RHYTHM_NAMES),); zeros for a segment without a frame
    """
    n_frames = len(level_db)
    if not n_frames:
        return np.zeros(len(RHYTHM_NAMES), np.float32)
    duration_s = n_frames * hop_s
    voiced_s = run_lengths(voiced) * hop_s
    unvoiced_s = run_lengths(~voiced) * hop_s
    pauses_s = run_lengths(~active) * hop_s
    nuclei, prominence_db = syllable_nuclei(level_db, voiced)
    intervals_s = np.diff(nuclei) * hop_s
    peaks, _ = scipy.signal.find_peaks(_smooth(loudness))
    return np.array(
        [
            active.mean(),
            voiced.mean(),
            len(voiced_s) / duration_s,
            _mean(voiced_s),
            _spread(voiced_s),
            voiced_s.max(initial=0),
            _mean(unvoiced_s),
            _spread(unvoiced_s),
            np.count_nonzero(pauses_s > 0.1) / duration_s,
            pauses_s.max(initial=0),
            len(nuclei) / duration_s,
            len(nuclei) / max(voiced_s.sum(), 0.1),
            _spread(intervals_s),
            _mean(prominence_db),
            len(peaks) / duration_s,
            np.log2(duration_s),
        ],
        dtype=np.float32,
    )


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


def run_lengths(mask: BoolArray) -> IntArray:
    """Lengths of the runs of true frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return edges[1::2] - edges[::2]


def _smooth(values: FloatArray) -> FloatArray:
    smooth: FloatArray = scipy.ndimage.uniform_filter1d(values, SMOOTHING_FRAMES, mode="nearest")
    return smooth


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _spread(values: np.ndarray) -> float:
    return float(values.std()) if len(values) > 1 else 0.0
