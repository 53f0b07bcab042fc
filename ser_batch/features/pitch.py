"""The fundamental: candidates from the autocorrelation, a path through them, voicing.

Source: P. Boersma (1993), "Accurate short-term analysis of the fundamental frequency and the
harmonics-to-noise ratio of a sampled sound", with the path found in overlapping pieces so that
all frames of a channel go through one vectorised pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray, IntArray
from ser_batch.features.parameters import Parameters

N_CANDIDATES = 4
SILENCE_DB = -70.0
VOICING_THRESHOLD = 0.45
OCTAVE_COST = 0.02
OCTAVE_JUMP_COST = 0.35
VOICED_UNVOICED_COST = 0.14
PIECE = 32
OVERLAP = 12
REFERENCE_HZ = 27.5
"""Semitones are counted from here, the lowest A of a piano, as openSMILE does."""


@dataclass(frozen=True)
class Candidates:
    """Possible fundamentals of each frame.

    Attributes:
        f0_hz: shape (n_frames, N_CANDIDATES)
        correlation: height of the autocorrelation there, 0..1, same shape; 0 where there is none
    """

    f0_hz: FloatArray
    correlation: FloatArray


@dataclass(frozen=True)
class Pitch:
    """The fundamental of each frame.

    Attributes:
        f0_hz: shape (n_frames,), 0 where unvoiced
        correlation: height of the autocorrelation at the chosen (if unvoiced: best) period
        voiced: shape (n_frames,)
    """

    f0_hz: FloatArray
    correlation: FloatArray
    voiced: BoolArray


def candidates(power: FloatArray, parameters: Parameters) -> Candidates:
    """Highest peaks of the window-corrected autocorrelation.

    Args:
        power: power spectrum, shape (n_frames, n_fft // 2 + 1)
        parameters: range of the fundamental
    """
    finer = parameters.lag_steps
    lags = _lags(parameters)[1:-1]
    correlation = _autocorrelation(power, parameters)
    middle = correlation[:, 1:-1]
    peak = (middle > correlation[:, :-2]) & (middle >= correlation[:, 2:]) & (middle > 0)
    # of equal peaks the shorter period is the truer
    bonus = (OCTAVE_COST * np.log2(parameters.sample_rate * finer / lags)).astype(np.float32)
    score = np.where(peak, middle + bonus, np.float32(-1))
    best, found = _highest(score)
    rows = np.arange(len(best))[:, None]
    left, here, right = (correlation[rows, best + shift] for shift in (0, 1, 2))
    curve = left - 2 * here + right
    offset = np.where(np.abs(curve) > 1e-6, 0.5 * (left - right) / np.where(curve, curve, 1), 0)
    offset = np.clip(offset, -0.5, 0.5)
    height = np.clip(here - 0.25 * (left - right) * offset, 0.0, 1.0)
    f0_hz = parameters.sample_rate * finer / (lags[best] + offset)
    return Candidates(f0_hz.astype(np.float32), np.where(found, height, 0.0).astype(np.float32))


def _highest(score: FloatArray) -> tuple[IntArray, BoolArray]:
    """Columns of each row's highest positive scores, and whether there was one; overwrites them."""
    best = np.zeros((len(score), N_CANDIDATES), np.int64)
    found = np.zeros(best.shape, bool)
    rows = np.arange(len(score))
    for place in range(N_CANDIDATES):
        best[:, place] = score.argmax(axis=1)
        found[:, place] = score[rows, best[:, place]] > 0
        score[rows, best[:, place]] = -1
    return best, found


def _lags(parameters: Parameters) -> IntArray:
    """Periods at which the autocorrelation is read, in steps; a peak needs one more each side."""
    finer = parameters.lag_steps
    return np.arange(parameters.lags[0] * finer - 1, parameters.lags[-1] * finer + 2)


def _autocorrelation(power: FloatArray, parameters: Parameters) -> FloatArray:
    """Normalised autocorrelation at `_lags`, corrected for the window's own.

    Steps of `1 / lag_steps` sample: the peak of a high voice at 8 kHz lies between samples, and
    read there it would lose to the one an octave lower.
    """
    basis = _autocorrelation_basis(parameters)
    raw = power @ basis
    return raw[:, 1:] / (raw[:, :1] + np.float32(1e-12))


@cache
def _autocorrelation_basis(parameters: Parameters) -> FloatArray:
    """From a power spectrum to its autocorrelation, shape (n_fft // 2 + 1, 1 + n_lags).

    The first column gives that at no lag. A product with the few lags that are read takes a
    quarter of the time of the transform that gives all of them.
    """
    n_fft, lags = parameters.n_fft * parameters.lag_steps, _lags(parameters)
    basis = _cosines(parameters, np.append(0, lags), n_fft)
    basis[parameters.frequencies_hz < parameters.f0_low_hz] = 0
    window = np.abs(scipy.fft.rfft(parameters.window, n=parameters.n_fft)) ** 2
    own = scipy.fft.irfft(window, n=n_fft)
    basis[:, 1:] *= own[0] / own[lags]
    return basis.astype(np.float32)


def _cosines(parameters: Parameters, lags: IntArray, n_points: int) -> DoubleArray:
    """The inverse transform of a spectrum at some lags, shape (n_fft // 2 + 1, n_lags).

    Args:
        parameters: of the spectrum
        lags: in steps of the inverse transform
        n_points: of the inverse transform, `n_fft` or more
    """
    bins = np.arange(parameters.n_fft // 2 + 1)
    weight = np.where((bins == 0) | (2 * bins == n_points), 1, 2) / n_points
    return np.asarray(weight[:, None] * np.cos(2 * np.pi / n_points * np.outer(bins, lags)))


def track(found: Candidates, level_db: FloatArray, bounds: IntArray) -> Pitch:
    """The cheapest path through the candidates of every segment.

    Args:
        found: candidates of each frame
        level_db: level of each frame, dB re full scale; frames below SILENCE_DB are unvoiced
        bounds: first frame of each segment and the end
    """
    n_frames = len(level_db)
    if not n_frames:
        empty = np.zeros(0, np.float32)
        return Pitch(empty, empty, np.zeros(0, bool))
    octave = np.log2(found.f0_hz)
    strength = np.where(
        found.correlation > 0, found.correlation + OCTAVE_COST * octave, np.float32(-9)
    )
    middle_octave = np.log2(150.0)
    unvoiced = np.where(level_db < SILENCE_DB, 2.0, VOICING_THRESHOLD + OCTAVE_COST * middle_octave)
    gain = np.concatenate([strength, unvoiced[:, None]], axis=1).astype(np.float32)
    begins = np.zeros(n_frames, bool)
    begins[bounds[:-1][bounds[:-1] < n_frames]] = True
    choice = _best_path(gain, octave, begins)
    voiced = choice < N_CANDIDATES
    rows = np.arange(n_frames)
    picked = np.where(voiced, choice, found.correlation.argmax(axis=1))
    f0_hz = np.where(voiced, found.f0_hz[rows, picked], np.float32(0))
    return Pitch(f0_hz, found.correlation[rows, picked], voiced)


def _best_path(gain: FloatArray, octave: FloatArray, begins: BoolArray) -> IntArray:
    """State of each frame on the path of most gain less jumps, in overlapping pieces at once.

    Args:
        gain: of each state, the last being unvoiced, shape (n_frames, n_states)
        octave: log2 frequency of each voiced state, shape (n_frames, n_states - 1)
        begins: frames that start a segment; a jump into them costs nothing
    """
    n_frames, n_states = gain.shape
    n_pieces = -(-n_frames // PIECE)
    steps = np.arange(-OVERLAP, PIECE + OVERLAP)
    frames = np.clip(np.arange(n_pieces)[:, None] * PIECE + steps, 0, n_frames - 1)
    total = gain[frames[:, 0]]
    came_from = np.zeros((len(steps), n_pieces, n_states), np.int8)
    cost = np.full((n_pieces, n_states, n_states), VOICED_UNVOICED_COST, np.float32)
    cost[:, -1, -1] = 0
    for step in range(1, len(steps)):
        now, before = frames[:, step], frames[:, step - 1]
        cost[:, :-1, :-1] = OCTAVE_JUMP_COST * np.abs(
            octave[before][:, :, None] - octave[now][:, None, :]
        )
        free = begins[now] & (now != before)
        arriving = total[:, :, None] - np.where(free[:, None, None], np.float32(0), cost)
        came_from[step] = arriving.argmax(axis=1)
        total = arriving.max(axis=1) + gain[now]
    state = total.argmax(axis=1)
    states = np.zeros((n_pieces, len(steps)), np.int64)
    pieces = np.arange(n_pieces)
    for step in range(len(steps) - 1, -1, -1):
        states[:, step] = state
        state = came_from[step][pieces, state]
    return states[:, OVERLAP : OVERLAP + PIECE].reshape(-1)[:n_frames]


def cepstral_peak_db(log_power: FloatArray, parameters: Parameters) -> FloatArray:
    """Height of the cepstrum's peak at the period over its mean there, dB, shape (n_frames,).

    Args:
        log_power: bins of the band, dB, shape (n_frames, n_band_bins); all others are taken to be
            as high as their mean
        parameters: band and range of the fundamental

    Source: Hillenbrand, Cleveland and Erickson (1994), "Acoustic correlates of breathy vocal
    quality", without their regression line.
    """
    searched = np.abs(log_power @ _cepstrum_basis(parameters))
    height: FloatArray = searched.max(axis=1) - searched.mean(axis=1)
    return height


@cache
def _cepstrum_basis(parameters: Parameters) -> FloatArray:
    """From the band's levels to the cepstrum at the periods searched, (n_band_bins, n_lags).

    What is constant over all bins has no cepstrum, so their mean is taken off the weights.
    """
    basis = _cosines(parameters, parameters.lags, parameters.n_fft)[parameters.band]
    return np.asarray(basis - basis.mean(axis=0), np.float32)


def semitones(f0_hz: FloatArray) -> FloatArray:
    """Semitones above REFERENCE_HZ; 0 for frames that are not voiced."""
    voiced = f0_hz > 0
    scale = 12 * np.log2(np.where(voiced, f0_hz, REFERENCE_HZ) / REFERENCE_HZ)
    return np.asarray(scale, np.float32)


def harmonics_to_noise_db(correlation: FloatArray) -> FloatArray:
    """Energy of the periodic part over the rest, dB, clipped to -20..40.

    Source: Boersma (1993), equation 4.
    """
    share = np.clip(correlation, 0.01, 0.9999)
    return np.asarray(10 * np.log10(share / (1 - share)), np.float32)


def jitter(f0_hz: FloatArray, bounds: IntArray) -> FloatArray:
    """Relative change of the period since the frame before, shape (n_frames,), NaN elsewhere.

    A frame-wise measure akin to jitter: cycles are not marked one by one.
    """
    period = np.where(f0_hz > 0, 1 / np.where(f0_hz > 0, f0_hz, 1), np.nan)
    return _relative_step(period, bounds)


def shimmer(peak_amplitude: FloatArray, voiced: BoolArray, bounds: IntArray) -> FloatArray:
    """Relative change of the peak amplitude since the frame before, NaN where not voiced."""
    return _relative_step(np.where(voiced, peak_amplitude + 1e-5, np.nan), bounds)


def _relative_step(values: np.ndarray, bounds: IntArray) -> FloatArray:
    change = np.full(len(values), np.nan, np.float32)
    if len(values) > 1:
        change[1:] = np.abs(np.diff(values)) * 2 / (values[1:] + values[:-1])
        change[bounds[:-1][bounds[:-1] < len(values)]] = np.nan
    return change
