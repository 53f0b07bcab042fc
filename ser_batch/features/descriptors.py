"""Low-level descriptors of every frame of a channel's segments, in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray, IntArray
from ser_batch.features import formants, pitch, spectrum
from ser_batch.features.frames import frame_index, take_frames
from ser_batch.features.kinds import Measure, numbered
from ser_batch.features.parameters import Parameters

BLOCK = 1024
"""Frames described at a time: their spectra stay in the processor's cache."""

SCALARS = (
    *map(Measure, (
        "level", "loudness", "zcr", "centroid", "bandwidth", "skewness", "kurtosis", "rolloff25",
        "rolloff50", "rolloff75", "rolloff85", "flatness", "entropy", "slope", "slope_low",
        "slope_high", "alpha_ratio", "hammarberg", "lpc_gain",
    )),
    *(Measure(what, number) for number in (1, 2, 3) for what in ("formant", "prominence")),
    *map(Measure, ("cpp", "flux", "voicing", "hnr", "f0", "jitter", "shimmer")),
)  # fmt: skip
"""Descriptors of one number a frame, in order."""

ACTIVE_BELOW_PEAK_DB = 30.0
ACTIVE_FLOOR_DB = -65.0


@dataclass(frozen=True)
class Descriptors:
    """What was measured on each frame.

    Attributes:
        names: of the rows of `values`
        values: shape (n_descriptors, n_frames)
        log_mel: shape (n_mels, n_frames), dB
        chroma: shape (12, n_frames)
        voiced: shape (n_frames,)
        active: loud enough to be speech, shape (n_frames,)
        bounds: first frame of each segment and the end, shape (n_segments + 1,)
    """

    names: tuple[str, ...]
    values: FloatArray
    log_mel: FloatArray
    chroma: FloatArray
    voiced: BoolArray
    active: BoolArray
    bounds: IntArray


def measures(parameters: Parameters) -> tuple[Measure, ...]:
    """The rows that `describe` returns, in order; nothing is computed for them."""
    return (
        *SCALARS,
        *numbered("mfcc", parameters.n_mfcc),
        *numbered("contrast", spectrum.n_contrasts(parameters)),
        *numbered("mel", parameters.n_mels),
    )


def describe(signal: FloatArray, segments: DoubleArray, parameters: Parameters) -> Descriptors:
    """Measure every frame that lies inside a segment.

    Args:
        signal: mono samples in [-1, 1], shape (n_samples,), at the parameters' rate
        segments: start and end in seconds, shape (n_segments, 2)
        parameters: what to measure with
    """
    index = frame_index(len(signal), segments, parameters)
    blocks = [
        _describe_block(
            take_frames(signal, index.starts[start : start + BLOCK], parameters.frame_length),
            parameters,
        )
        for start in range(0, max(len(index.starts), 1), BLOCK)
    ]
    parts = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    log_mel = np.ascontiguousarray(parts.pop("log_mel").T)
    tones = np.ascontiguousarray(parts.pop("chroma").T)
    found = pitch.Candidates(parts.pop("f0_hz"), parts.pop("correlation"))
    tracked = pitch.track(found, parts["level"], index.bounds)
    peak = parts.pop("peak")
    rows = {
        **{name: row for name, row in parts.items() if row.ndim == 1},
        "flux": spectrum.onset_flux(log_mel, index.bounds),
        "voicing": tracked.correlation,
        "hnr": pitch.harmonics_to_noise_db(tracked.correlation),
        "f0": pitch.semitones(tracked.f0_hz),
        "jitter": pitch.jitter(tracked.f0_hz, index.bounds),
        "shimmer": pitch.shimmer(peak, tracked.voiced, index.bounds),
        **_columns("mfcc", parts["mfcc"]),
        **_columns("contrast", parts["contrast"]),
        # relative to the frame's mean: shape alone, whatever the line's level
        **_columns("mel", (log_mel - log_mel.mean(axis=0)).T),
    }
    return Descriptors(
        names=tuple(rows),
        values=np.stack(list(rows.values())).astype(np.float32),
        log_mel=log_mel,
        chroma=tones,
        voiced=tracked.voiced,
        active=_active(parts["level"], index.bounds),
        bounds=index.bounds,
    )


def _describe_block(frames: FloatArray, parameters: Parameters) -> dict[str, FloatArray]:
    """Measures of some frames that need no neighbour."""
    power = spectrum.power_spectrum(frames, parameters)
    inside = np.ascontiguousarray(power[:, parameters.band])
    log_inside = spectrum.decibels(inside)
    mel = power @ parameters.mel
    log_mel = spectrum.decibels(mel)
    found = pitch.candidates(power, parameters)
    hop, middle = parameters.hop_length, parameters.frame_length // 2
    core = frames[:, middle - hop : middle + hop]
    return {
        "level": spectrum.level_db(frames),
        "loudness": spectrum.loudness(mel),
        "zcr": spectrum.zero_crossing_rate(frames),
        **spectrum.shape_descriptors(inside, log_inside, parameters),
        **formants.formants(power, parameters),
        "cpp": pitch.cepstral_peak_db(log_inside, parameters),
        "peak": np.abs(core).max(axis=1),
        "f0_hz": found.f0_hz,
        "correlation": found.correlation,
        "mfcc": spectrum.cepstrum(log_mel, parameters),
        "contrast": spectrum.contrast(log_inside, parameters),
        "log_mel": log_mel,
        "chroma": spectrum.chroma(inside, parameters),
    }


def _columns(stem: str, matrix: FloatArray) -> dict[str, FloatArray]:
    return {f"{stem}{number}": matrix[:, number - 1] for number in range(1, matrix.shape[1] + 1)}


def _active(level_db: FloatArray, bounds: IntArray) -> BoolArray:
    """Frames less than 30 dB below their segment's loudest tenth, and not digital silence."""
    active = level_db > ACTIVE_FLOOR_DB
    for start, end in pairwise(bounds):
        if end > start:
            span = level_db[start:end]
            loud = np.partition(span, -1 - len(span) // 10)[-1 - len(span) // 10]
            active[start:end] &= span > loud - ACTIVE_BELOW_PEAK_DB
    return active
