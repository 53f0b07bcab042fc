"""What a feature set measures with: sampling rate, frames, band, filters."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import scipy

from ser_batch.arrays import DoubleArray, FloatArray, IntArray
from ser_batch.audio import filters


@dataclass(frozen=True)
class Parameters:
    """Numbers that define the low-level descriptors; every one enters the set's digest.

    Attributes:
        sample_rate: Hz
        frame_length: samples of a frame, all of them inside the segment
        hop_length: samples from frame to frame
        n_fft: points of the transform
        low_hz, high_hz: band in which spectra are described; telephone lines carry no more
        n_mels: bands of the log-mel spectrum
        n_mfcc: cepstral coefficients, the first of them (level) left out
        f0_low_hz, f0_high_hz: range of the fundamental
        lpc_order: poles of the formant envelope
    """

    sample_rate: int = 8000
    frame_length: int = 320
    hop_length: int = 80
    n_fft: int = 512
    low_hz: float = 250.0
    high_hz: float = 3500.0
    n_mels: int = 24
    n_mfcc: int = 14
    f0_low_hz: float = 62.0
    f0_high_hz: float = 550.0
    lpc_order: int = 10

    @property
    def lag_steps(self) -> int:
        """Steps a sample in which the autocorrelation is read: 16000 or more a second."""
        return max(1, 16000 // self.sample_rate)

    @property
    def frame_rate_hz(self) -> float:
        """Frames a second."""
        return self.sample_rate / self.hop_length

    @cached_property
    def frequencies_hz(self) -> DoubleArray:
        """Frequency of each bin, shape (n_fft // 2 + 1,)."""
        return np.asarray(np.fft.rfftfreq(self.n_fft, 1 / self.sample_rate), float)

    @cached_property
    def band(self) -> slice:
        """The bins between `low_hz` and `high_hz`."""
        inside = np.flatnonzero(
            (self.frequencies_hz >= self.low_hz) & (self.frequencies_hz <= self.high_hz)
        )
        return slice(int(inside[0]), int(inside[-1]) + 1)

    @cached_property
    def band_hz(self) -> DoubleArray:
        """Frequency of each bin of the band."""
        return self.frequencies_hz[self.band]

    @cached_property
    def window(self) -> FloatArray:
        """Hann window, shape (frame_length,)."""
        return np.asarray(scipy.signal.get_window("hann", self.frame_length), np.float32)

    @cached_property
    def mel(self) -> FloatArray:
        """librosa's mel filters over all bins, shape (n_bins, n_mels)."""
        return filters.mel(self.sample_rate, self.n_fft, self.n_mels, self.low_hz, self.high_hz)

    @cached_property
    def chroma(self) -> FloatArray:
        """librosa's chroma filters over the bins of the band, shape (n_band_bins, 12)."""
        return filters.chroma(self.sample_rate, self.n_fft)[self.band]

    @cached_property
    def lags(self) -> IntArray:
        """Periods searched for the fundamental, in samples."""
        shortest = int(self.sample_rate / self.f0_high_hz)
        longest = int(np.ceil(self.sample_rate / self.f0_low_hz))
        return np.arange(shortest, longest + 1)

    def as_dict(self) -> dict[str, float]:
        """The numbers by name."""
        return asdict(self)
