"""Which features a model reads, and how far it trusts each before it has seen a clip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ser_batch.arrays import DoubleArray
from ser_batch.features.kinds import FeatureKind
from ser_batch.features.rhythm import DURATION

LEVELS = ("mean", "p5", "p20", "p50", "p80", "p95")
"""Statistics that move with the level of what is measured."""
COURSES = ("slope", "curvature")
SCALING = ("loudness", "flux")
"""Descriptors that are no logarithm: all of their statistics scale with the gain of the line."""
UNUSED = ("chroma", "tonnetz")
"""Left out, with the duration of the segment: without them anger is ranked as well on unseen
corpora (docs/models.md)."""
LAST_BROAD_MFCC = 6
"""The cepstral coefficients above it describe the fine shape of the spectrum."""


def is_gain_free(kind: FeatureKind) -> bool:
    """Whether a change of the line's level leaves the feature as it is.

    How loud a caller is in absolute terms says more of the telephone than of the caller.
    """
    what = kind.measure.what
    return what not in SCALING and not (what == "level" and kind.statistic in LEVELS)


def is_domain_sensitive(kind: FeatureKind) -> bool:
    """Whether the feature depends on voices, microphones and sentences as much as on emotions.

    The fine shape of the spectrum and the course over a segment: within a corpus they help,
    from one corpus to another they mislead.
    """
    what, number = kind.measure
    is_fine = what == "mel" or (what == "mfcc" and (number or 0) > LAST_BROAD_MFCC)
    return is_fine or kind.statistic in COURSES


def read_columns(kinds: Sequence[FeatureKind]) -> list[int]:
    """Columns of the features that a model reads: those that no gain changes, and that help."""
    return [
        column for column, kind in enumerate(kinds) if is_gain_free(kind) and not _is_unused(kind)
    ]


def feature_weights(kinds: Sequence[FeatureKind], domain_sensitive_weight: float) -> DoubleArray:
    """Weight of each feature before the penalty: 1, or less for domain-sensitive ones."""
    return np.array(
        [domain_sensitive_weight if is_domain_sensitive(kind) else 1.0 for kind in kinds]
    )


def _is_unused(kind: FeatureKind) -> bool:
    return kind.measure.what in UNUSED or kind.statistic == DURATION
