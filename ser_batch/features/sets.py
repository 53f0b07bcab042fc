"""Named, versioned feature sets: a segment of speech as one row of numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

import numpy as np

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray
from ser_batch.audio import filters
from ser_batch.config import digest, nearest
from ser_batch.errors import UnknownFeatureSetError
from ser_batch.features import functionals
from ser_batch.features.descriptors import Descriptors, describe, measures
from ser_batch.features.encoders.local import DEFAULT_ENCODER, own_set
from ser_batch.features.encoders.network import network_set
from ser_batch.features.encoders.sets import EMBEDDING_SETS
from ser_batch.features.frames import delta
from ser_batch.features.functionals import measured_frames
from ser_batch.features.fused import JOINT, fuse
from ser_batch.features.kinds import Feature, FeatureKind, Measure, numbered
from ser_batch.features.modulation import modulation, modulation_names
from ser_batch.features.parameters import Parameters
from ser_batch.features.rhythm import RHYTHM_NAMES, rhythm

VOICED_ONLY = ("f0", "jitter", "shimmer", "hnr", "cpp")
"""Descriptors that mean something on voiced frames only."""

ALSO_VOICED = (
    "level", "slope", "slope_low", "slope_high", "alpha_ratio", "hammarberg", "lpc_gain",
    "formant1", "formant2", "formant3", "prominence1", "prominence2", "prominence3",
    "mfcc1", "mfcc2", "mfcc3", "mfcc4", "mfcc5", "mfcc6",
)  # fmt: skip
"""Descriptors whose voiced frames are also summed up by themselves."""

RESTING = {"f0": 29.4, "level": -100.0, "centroid": 1500.0}
"""Value of a descriptor where nothing was measured; 0 unless named (f0: 150 Hz)."""

CLIP = 1e6

_HEARD = ("level", "loudness")


class FeatureSet(Protocol):
    """A description of segments that never changes under its name."""

    @property
    def name(self) -> str:
        """With its version, `descriptors_v1`."""

    @property
    def sample_rate(self) -> int:
        """Hz of the signals it takes."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features, in the order of the columns."""

    @property
    def kinds(self) -> tuple[FeatureKind, ...]:
        """What the features measure, in the order of the columns."""

    @property
    def digest(self) -> str:
        """Hash of the definition; rows made by another definition differ."""

    def require(self) -> None:
        """Make sure that segments can be described, before any work.

        Raises:
            DependencyError: if something that was never installed is needed
        """

    def extract(self, signal: FloatArray, segments: DoubleArray) -> FloatArray:
        """Features of a channel's segments.

        Args:
            signal: mono samples in [-1, 1] at `sample_rate`, shape (n_samples,)
            segments: start and end in seconds, shape (n_segments, 2)

        Returns:
            shape (n_segments, len(names)), float32, always finite
        """


@dataclass(frozen=True)
class DescriptorSet:
    """Functionals of low-level descriptors.

    Attributes:
        name: with its version, `descriptors_v1`
        sample_rate: Hz of the signals it takes
        names: of the features, in the order of the columns
        kinds: what they measure, in the same order
        digest: hash of name, features and parameters; rows made by another definition differ
        parameters: of the descriptors
    """

    name: str
    sample_rate: int
    names: tuple[str, ...]
    kinds: tuple[FeatureKind, ...] = field(repr=False)
    digest: str
    parameters: Parameters = field(repr=False)

    def require(self) -> None:
        """Nothing is needed that does not come along."""

    def extract(self, signal: FloatArray, segments: DoubleArray) -> FloatArray:
        """Features of a channel's segments.

        Args:
            signal: mono samples in [-1, 1] at `sample_rate`, shape (n_samples,)
            segments: start and end in seconds, shape (n_segments, 2)

        Returns:
            shape (n_segments, len(names)), float32, always finite
        """
        if not len(segments):
            return np.empty((0, len(self.names)), np.float32)
        measured = describe(
            signal, np.asarray(segments, np.float64).reshape(-1, 2), self.parameters
        )
        rows = _rows(measured, self.parameters)
        return np.clip(np.nan_to_num(rows, nan=0.0, posinf=CLIP, neginf=-CLIP), -CLIP, CLIP)


def _rows(measured: Descriptors, parameters: Parameters) -> FloatArray:
    """Features of all segments, in the order of `_features`."""
    spoken, voiced = _rows_by_frames(measured.names)
    is_voiced = measured.voiced & measured.active
    hop_s = parameters.hop_length / parameters.sample_rate
    level, loudness = (measured.values[measured.names.index(name)] for name in _HEARD)
    parts = [
        _summary(measured, spoken, measured.active, hop_s),
        _summary(measured, voiced, is_voiced, hop_s),
        modulation(measured.log_mel, measured.bounds, parameters.frame_rate_hz),
        rhythm(level, loudness, measured.voiced, measured.active, measured.bounds, hop_s),
        _tonality(measured, is_voiced),
    ]
    return np.concatenate(parts, axis=1)


def _summary(measured: Descriptors, rows: list[int], mask: BoolArray, hop_s: float) -> FloatArray:
    """Statistics and changes of some descriptors over some frames, descriptor by descriptor."""
    values, bounds = measured.values[rows], measured.bounds
    steps = delta(values, bounds)
    resting = np.array([RESTING.get(measured.names[row], 0.0) for row in rows], np.float32)
    frames, of_frames = measured_frames(mask & np.isfinite(values).all(axis=0), bounds)
    chosen = np.append(values, resting[:, None], axis=1)[:, frames]
    moving, of_moving = measured_frames(mask & np.isfinite(steps).all(axis=0), bounds)
    chosen_steps = np.append(steps, np.zeros_like(resting)[:, None], axis=1)[:, moving]
    summary = np.concatenate(
        [
            functionals.statistics(chosen, of_frames, hop_s * frames.astype(float)),
            functionals.changes(chosen_steps, of_moving),
        ],
        axis=2,
    )
    return summary.reshape(len(summary), -1)


def _tonality(measured: Descriptors, mask: BoolArray) -> FloatArray:
    """Mean chroma and tonnetz of the voiced frames, shape (n_segments, 18)."""
    frames, bounds = measured_frames(mask, measured.bounds)
    resting = np.full((12, 1), 1 / 12, np.float32)
    mean = functionals.means(np.append(measured.chroma, resting, axis=1)[:, frames], bounds).T
    total = mean.sum(axis=1, keepdims=True)
    tonnetz = mean / np.where(total > 0, total, 1) @ filters.tonnetz()
    return np.concatenate([mean, tonnetz], axis=1).astype(np.float32)


def _rows_by_frames(names: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """Rows summed up over all speech, and those summed up over voiced frames."""
    spoken = [row for row, name in enumerate(names) if name not in VOICED_ONLY]
    voiced = [row for row, name in enumerate(names) if name in (*VOICED_ONLY, *ALSO_VOICED)]
    return spoken, voiced


def _features(parameters: Parameters) -> tuple[Feature, ...]:
    described = measures(parameters)
    spoken, voiced = _rows_by_frames(tuple(measure.name for measure in described))
    columns = [*functionals.statistic_names(), *functionals.change_names()]
    tones = (*numbered("chroma", 12), *numbered("tonnetz", 6))
    return (
        *(_statistic(described[row], "speech", column) for row in spoken for column in columns),
        *(_statistic(described[row], "voiced", column) for row in voiced for column in columns),
        *(_value("modulation", name) for name in modulation_names()),
        *(_value("rhythm", name) for name in RHYTHM_NAMES),
        *(_statistic(tone, "voiced", "mean") for tone in tones),
    )


def _statistic(measure: Measure, frames: str, statistic: str) -> Feature:
    return Feature(f"{measure.name}.{frames}.{statistic}", FeatureKind(measure, statistic))


def _value(what: str, name: str) -> Feature:
    return Feature(f"{what}.{name}", FeatureKind(Measure(what), name))


def descriptor_set(name: str, parameters: Parameters) -> DescriptorSet:
    """The set of descriptors that some parameters define."""
    names, kinds = zip(*_features(parameters), strict=True)
    definition = {"name": name, "names": names, "parameters": parameters.as_dict()}
    return DescriptorSet(name, parameters.sample_rate, names, kinds, digest(definition), parameters)


FEATURE_SETS: dict[str, Parameters] = {
    "descriptors_v1": Parameters(),
    "descriptors_v1_wide": Parameters(
        sample_rate=16000,
        frame_length=640,
        hop_length=160,
        n_fft=1024,
        low_hz=60.0,
        high_hz=7600.0,
        n_mels=32,
        lpc_order=18,
    ),
}
"""Sets of descriptors by name: telephone band, and wide band to compare with published figures."""


@cache
def get_feature_set(name: str) -> FeatureSet:
    """The feature set of a name; `A+B` is A and B side by side.

    Raises:
        UnknownFeatureSetError: naming the nearest one
        UnfitPartsError: if sets cannot stand side by side
    """
    if JOINT in name:
        return fuse([get_feature_set(part) for part in name.split(JOINT)])
    if name in EMBEDDING_SETS:
        return EMBEDDING_SETS[name]
    if (found := own_set(name) or network_set(name)) is not None:
        return found
    if name not in FEATURE_SETS:
        known = (*FEATURE_SETS, DEFAULT_ENCODER, *EMBEDDING_SETS)
        raise UnknownFeatureSetError(name, nearest(name, known))
    return descriptor_set(name, FEATURE_SETS[name])
