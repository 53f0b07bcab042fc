"""openSMILE's feature sets, to be measured against.

Its licence forbids use in a product that is sold: it is used where a developer has installed it,
and nothing depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.config import digest
from ser_batch.features.kinds import FeatureKind, Measure

RATE_HZ = 8000


@cache
def _smile(name: str) -> Any:
    import opensmile  # type: ignore[import-not-found, import-untyped, unused-ignore]  # noqa: PLC0415

    return opensmile.Smile(
        feature_set=opensmile.FeatureSet[name], feature_level=opensmile.FeatureLevel.Functionals
    )


@dataclass(frozen=True)
class OpenSmileSet:
    """Functionals of a set, a segment at a time.

    Attributes:
        name: `eGeMAPSv02` or `ComParE_2016`
        sample_rate: Hz of the signals it takes
    """

    name: str
    sample_rate: int = RATE_HZ

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features."""
        return tuple(_smile(self.name).feature_names)

    @property
    def kinds(self) -> tuple[FeatureKind, ...]:
        """All alike: a model reads each of them."""
        return (FeatureKind(Measure("opensmile"), "functional"),) * len(self.names)

    @property
    def digest(self) -> str:
        """Of the set and the version that computes it: features are kept in a cache."""
        return digest([self.name, self.sample_rate, version("opensmile")])

    def require(self) -> None:
        """Load it.

        Raises:
            ImportError: if openSMILE is not installed
        """
        _smile(self.name)

    def extract(self, signal: FloatArray, segments: DoubleArray) -> FloatArray:
        """Features of a channel's segments, shape (n_segments, n_features)."""
        rows = [
            _smile(self.name)
            .process_signal(
                signal[int(start_s * self.sample_rate) : int(end_s * self.sample_rate)],
                self.sample_rate,
            )
            .to_numpy()[0]
            for start_s, end_s in segments
        ]
        return np.nan_to_num(np.array(rows, np.float32))
