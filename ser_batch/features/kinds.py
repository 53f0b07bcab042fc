"""What each feature of a set measures: columns are chosen and grouped by it, not by their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Group = Literal[
    "pitch", "voice quality", "loudness", "rhythm", "formants", "cepstrum", "tonality",
    "spectrum", "encoder states",
]  # fmt: skip
"""Features that change together, where a voice or a line changes."""

STATES: Group = "encoder states"
_MEASURES: dict[Group, tuple[str, ...]] = {
    "pitch": ("f0",),
    "voice quality": ("jitter", "shimmer", "hnr", "cpp", "voicing"),
    "loudness": ("level", "loudness", "flux"),
    "rhythm": ("rhythm", "modulation"),
    "formants": ("formant", "prominence", "lpc_gain"),
    "cepstrum": ("mfcc",),
    "tonality": ("chroma", "tonnetz"),
    STATES: ("state",),
}
_GROUPS = {measure: group for group, measures in _MEASURES.items() for measure in measures}


class Measure(NamedTuple):
    """What is measured: `f0`, or one of several alike: the third `mfcc`."""

    what: str
    number: int | None = None

    @property
    def name(self) -> str:
        """As in the names of features: `f0`, `mfcc3`."""
        return self.what if self.number is None else f"{self.what}{self.number}"


@dataclass(frozen=True, slots=True)
class FeatureKind:
    """What a feature is.

    Attributes:
        measure: what is measured
        statistic: how the frames of a segment are summed up (`mean`, `p80`, `slope`, `delta_sd`);
            of `rhythm` and `modulation`, which of their values
    """

    measure: Measure
    statistic: str

    @property
    def group(self) -> Group:
        """The features that it changes with."""
        return _GROUPS.get(self.measure.what, "spectrum")

    @property
    def is_state(self) -> bool:
        """Whether it is a statistic of a speech encoder's states: a number without a name."""
        return self.group == STATES


class Feature(NamedTuple):
    """A column of a feature set."""

    name: str
    kind: FeatureKind


def numbered(what: str, count: int) -> tuple[Measure, ...]:
    """Measures that are alike, counted from 1."""
    return tuple(Measure(what, number) for number in range(1, count + 1))
