"""Filter banks of librosa, kept as numbers in `filters.npz`.

A process that imports librosa's filters waits for numba and 100 MB: a night's processes read the
numbers instead. `python -m ser_batch.lab.keep_filters` writes them; a test compares them with what
librosa computes. Banks that are not kept, of other rates, are librosa's of the moment.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import librosa
import numpy as np

from ser_batch.arrays import FloatArray

KEPT = Path(__file__).with_name("filters.npz")


def mel(
    sample_rate: int,
    n_fft: int,
    n_bands: int,
    low_hz: float = 0.0,
    high_hz: float | None = None,
    *,
    is_htk: bool = False,
) -> FloatArray:
    """librosa's triangular mel filters, shape (n_bins, n_bands).

    Args:
        sample_rate: Hz
        n_fft: points of the transform
        n_bands: number of filters
        low_hz, high_hz: where they begin and end; None: half the rate
        is_htk: on HTK's scale and of equal height, instead of Slaney's and of equal area
    """
    high_hz = sample_rate / 2 if high_hz is None else high_hz
    name = f"mel {sample_rate} {n_fft} {n_bands} {low_hz:g} {high_hz:g} {is_htk}"
    return _kept(
        name,
        lambda: librosa.filters.mel(
            sr=sample_rate,
            n_fft=n_fft,
            n_mels=n_bands,
            fmin=low_hz,
            fmax=high_hz,
            htk=is_htk,
            norm=None if is_htk else "slaney",
        ),
    )


def chroma(sample_rate: int, n_fft: int) -> FloatArray:
    """librosa's chroma filters, shape (n_bins, 12)."""
    return _kept(
        f"chroma {sample_rate} {n_fft}",
        lambda: librosa.filters.chroma(sr=sample_rate, n_fft=n_fft),
    )


def tonnetz() -> FloatArray:
    """librosa's projection of a chroma that sums to one on fifths and thirds, shape (12, 6)."""
    return _kept("tonnetz", lambda: librosa.feature.tonnetz(chroma=np.eye(12)))


@cache
def kept() -> dict[str, FloatArray]:
    """The banks by name, those of the file first; what librosa computes is added."""
    with np.load(KEPT, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _kept(name: str, compute: Callable[[], FloatArray]) -> FloatArray:
    banks = kept()
    if name not in banks:
        banks[name] = np.ascontiguousarray(compute().T, np.float32)
    return banks[name]
