"""Several feature sets side by side, read by one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.config import digest
from ser_batch.errors import UnfitPartsError
from ser_batch.features.kinds import FeatureKind

if TYPE_CHECKING:
    from ser_batch.features.sets import FeatureSet

JOINT = "+"


@dataclass(frozen=True)
class FusedSet:
    """The features of several sets, one after the other.

    Attributes:
        name: the parts' names, joined by `+`
        sample_rate: Hz of the signals that all parts take
        names: of the features, in the order of the columns
        kinds: what they measure, in the same order
        digest: hash of the parts' digests
        parts: the sets
    """

    name: str
    sample_rate: int
    names: tuple[str, ...] = field(repr=False)
    kinds: tuple[FeatureKind, ...] = field(repr=False)
    digest: str
    parts: tuple[FeatureSet, ...] = field(repr=False)

    def require(self) -> None:
        """Make sure that every part can describe segments, before any work.

        Raises:
            DependencyError: if something that was never installed is needed
        """
        for part in self.parts:
            part.require()

    def extract(self, signal: FloatArray, segments: DoubleArray) -> FloatArray:
        """Features of a channel's segments.

        Args:
            signal: mono samples in [-1, 1] at `sample_rate`, shape (n_samples,)
            segments: start and end in seconds, shape (n_segments, 2)

        Returns:
            shape (n_segments, len(names)), float32, always finite
        """
        return np.concatenate([part.extract(signal, segments) for part in self.parts], axis=1)


def is_part_of(name: str, whole: str) -> bool:
    """Whether every part of a set, by its name, is a part of another: its columns are there."""
    return set(name.split(JOINT)) <= set(whole.split(JOINT))


def fuse(parts: Sequence[FeatureSet]) -> FusedSet:
    """The sets side by side.

    Raises:
        UnfitPartsError: if they take other signals, or name different features alike
    """
    name = JOINT.join(part.name for part in parts)
    rates = {part.sample_rate for part in parts}
    names = tuple(feature for part in parts for feature in part.names)
    if len(rates) > 1:
        raise UnfitPartsError(f"{name}: the parts take signals of {sorted(rates)} Hz")
    if len(set(names)) < len(names):
        raise UnfitPartsError(f"{name}: two parts have features of the same name")
    kinds = tuple(kind for part in parts for kind in part.kinds)
    whole = digest([part.digest for part in parts])
    return FusedSet(name, rates.pop(), names, kinds, whole, tuple(parts))
