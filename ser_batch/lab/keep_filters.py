"""Write the filter banks that a night reads: `python -m ser_batch.lab.keep_filters`."""

from __future__ import annotations

import numpy as np

from ser_batch.arrays import FloatArray
from ser_batch.audio import diarization, filters
from ser_batch.features.encoders import mel
from ser_batch.features.sets import FEATURE_SETS

TELEPHONE_RATE_HZ = 8000


def compute_filters() -> dict[str, FloatArray]:
    """Every bank that a night reads, by name, as librosa computes it."""
    filters.kept().clear()
    for of_set in FEATURE_SETS.values():
        rate, n_fft = of_set.sample_rate, of_set.n_fft
        filters.mel(rate, n_fft, of_set.n_mels, of_set.low_hz, of_set.high_hz)
        filters.chroma(rate, n_fft)
    filters.tonnetz()
    filters.mel(mel.MODEL_RATE_HZ, int(mel.WINDOW_S * mel.MODEL_RATE_HZ), mel.N_MELS)
    n_window = round(diarization.WINDOW_S * TELEPHONE_RATE_HZ)
    filters.mel(TELEPHONE_RATE_HZ, n_window, diarization.N_BANDS, *diarization.BAND_HZ, is_htk=True)
    return dict(filters.kept())


if __name__ == "__main__":
    np.savez_compressed(filters.KEPT, allow_pickle=False, **compute_filters())
