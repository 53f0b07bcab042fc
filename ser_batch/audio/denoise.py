"""Noise reduction: each band is lowered by how little it stands out of the channel's own noise."""

from __future__ import annotations

from typing import cast

import numpy as np
import scipy

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray
from ser_batch.audio.levels import LEVEL_FRAME_S
from ser_batch.config import DenoiseSettings

HOP_S = 0.016
"""s; windows of twice this, square-root Hann before and after: they add up to one."""
BLOCK_FRAMES = 2048
"""Frames transformed at a time."""
NOISE_FRAMES = 1000
"""Frames that the noise is learnt from, spread over the whole channel; fewer if there are fewer."""
LEAST_NOISE_FRAMES = 10
"""Below this many the noise is not known, and nothing is done."""
SMOOTHING_BANDS = 3


def pays(snr_db: float, settings: DenoiseSettings) -> bool:
    """Whether a channel of this signal-to-noise ratio (NaN without speech) is denoised."""
    if settings.mode == "gated":
        return snr_db < settings.snr_below_db
    return settings.mode == "always"


def denoised(
    signal: FloatArray, sample_rate: int, speech: BoolArray, settings: DenoiseSettings
) -> FloatArray:
    """Lower the noise of a channel by a spectral gain.

    The gain of a band is 1 - noise / power (Wiener's, the speech's power being what is left over
    the noise), power averaged over time and neighbouring bands so that noise leaves no whistling.

    Args:
        signal: mono samples, shape (n_samples,)
        sample_rate: Hz
        speech: which 10 ms frames are speech, shape (n_level_frames,); noise is learnt elsewhere
        settings: floor and smoothing

    Returns:
        shape (n_samples,); the signal itself where it has no pauses to learn the noise from
    """
    hop = round(HOP_S * sample_rate)
    window = np.sqrt(scipy.signal.get_window("hann", 2 * hop)).astype(np.float32)
    padded = np.pad(signal, (hop, 2 * hop - len(signal) % hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * hop)[::hop]
    noise = _noise_power(frames, window, _quiet_frames(len(frames), speech))
    if noise is None:
        return signal
    halo = max(round(settings.smoothing_s / HOP_S / 2), 0)
    result = np.zeros_like(padded)
    for first in range(0, len(frames), BLOCK_FRAMES):
        start, stop = max(first - halo, 0), min(first + BLOCK_FRAMES, len(frames))
        spectrum = scipy.fft.rfft(frames[start : stop + halo] * window, axis=1)
        spectrum *= _gain(np.square(np.abs(spectrum)), noise, 2 * halo + 1, settings.floor_db)
        waves = (
            scipy.fft.irfft(spectrum, axis=1).astype(np.float32)[first - start : stop - start]
            * window
        )
        _add_overlapping(result[first * hop :], waves, hop)
    return result[hop : hop + len(signal)]


def _quiet_frames(n_frames: int, speech: BoolArray) -> BoolArray:
    """Which transform frames hold no speech at all."""
    # Frame k spans (k - 1) hops to (k + 1) hops of the signal, because a hop of zeros leads it.
    edges = (np.arange(n_frames)[:, None] + [-1, 1]) * HOP_S / LEVEL_FRAME_S
    running = np.concatenate([[0], np.cumsum(speech)])
    first = np.clip(np.floor(edges[:, 0]).astype(np.int64), 0, len(speech))
    stop = np.clip(np.ceil(edges[:, 1]).astype(np.int64), 0, len(speech))
    return cast(BoolArray, (running[stop] == running[first]) & (stop > first))


def _noise_power(frames: FloatArray, window: FloatArray, quiet: BoolArray) -> DoubleArray | None:
    """Noise power of each band, shape (n_bands,), None where there is too little to learn it from.

    The median, which clicks and breaths do not move; for noise it is ln 2 of the mean.
    """
    numbers = np.flatnonzero(quiet)
    if len(numbers) < LEAST_NOISE_FRAMES:
        return None
    spread = numbers[:: -(-len(numbers) // NOISE_FRAMES)]
    power = np.square(np.abs(scipy.fft.rfft(frames[spread] * window, axis=1)))
    return np.asarray(np.median(power, axis=0) / np.log(2), np.float64)


def _gain(power: FloatArray, noise: DoubleArray, n_smooth: int, floor_db: float) -> FloatArray:
    """Gain of each band of each frame, shape (n_frames, n_bands)."""
    tiny = np.finfo(np.float32).tiny
    smooth = scipy.ndimage.uniform_filter(power, (n_smooth, SMOOTHING_BANDS), mode="nearest")
    gain = 1 - noise.astype(np.float32) / np.maximum(smooth, tiny)
    return cast(FloatArray, np.maximum(gain, np.float32(10 ** (floor_db / 20))))


def _add_overlapping(result: FloatArray, waves: FloatArray, hop: int) -> None:
    """Add windows, half over half, into a signal: waves of shape (n_frames, 2 * hop)."""
    n_frames = len(waves)
    body = result[: (n_frames + 1) * hop].reshape(n_frames + 1, hop)
    body[:-1] += waves[:, :hop]
    body[1:] += waves[:, hop:]
