"""How far a model trusts each feature before it has seen a clip."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ser_batch.arrays import DoubleArray

CENTRES = (".mean", ".p5", ".p20", ".p50", ".p80", ".p95")
SCALING = ("loudness", "flux")
"""Descriptors that are no logarithm: all of their statistics scale with the gain of the line."""
UNUSED = re.compile(r"(chroma|tonnetz)\d+\..*|rhythm\.duration.*")
"""Left out: without them anger is ranked as well on unseen corpora (docs/models.md)."""
FINE_SPECTRUM = re.compile(r"mel\d+|mfcc([7-9]|1\d)")
COURSES = (".slope", ".curvature")
STATE = re.compile(r"(\w+_)?(mean|std)_\d{4}")


def is_state(name: str) -> bool:
    """Whether the feature is a statistic of a speech model's states: a number without a name."""
    return bool(STATE.fullmatch(name))


def is_gain_free(name: str) -> bool:
    """Whether a change of the line's level leaves the feature as it is.

    How loud a caller is in absolute terms says more of the telephone than of the caller.
    """
    descriptor, _, statistic = name.partition(".")
    return descriptor not in SCALING and not (
        descriptor == "level" and f".{statistic}".endswith(CENTRES)
    )


def is_domain_sensitive(name: str) -> bool:
    """Whether the feature depends on voices, microphones and sentences as much as on emotions.

    The fine shape of the spectrum and the course over a segment: within a corpus they help,
    from one corpus to another they mislead.
    """
    descriptor, _, statistic = name.partition(".")
    return bool(FINE_SPECTRUM.fullmatch(descriptor)) or statistic.endswith(COURSES)


def read_columns(names: Sequence[str]) -> list[int]:
    """Columns of the features that a model reads: those that no gain changes, and that help."""
    return [
        column
        for column, name in enumerate(names)
        if is_gain_free(name) and not UNUSED.fullmatch(name)
    ]


def emphasis(names: Sequence[str], domain_sensitive_weight: float) -> DoubleArray:
    """Weight of each feature before the penalty: 1, or less for domain-sensitive ones."""
    return np.array(
        [domain_sensitive_weight if is_domain_sensitive(name) else 1.0 for name in names]
    )
