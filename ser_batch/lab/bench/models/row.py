"""What every row of the table can do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol

from ser_batch.arrays import DoubleArray
from ser_batch.features.sets import FeatureSet
from ser_batch.lab.bench.models.columns import Trial
from ser_batch.lab.bench.models.material import Material
from ser_batch.training.splits import Fold


@dataclass(frozen=True)
class Tested:
    """What a model says of a fold's clips, and what it cost.

    Attributes:
        probabilities: shape (n_tested, n_classes)
        fit_s: core seconds to train it and to choose its settings, without its features
        predict_s: core seconds a clip, without its features
        n_bytes: of the trained model
    """

    probabilities: DoubleArray
    fit_s: float
    predict_s: float
    n_bytes: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "probabilities": self.probabilities.tolist()}


class Row(Protocol):
    """A way to classify."""

    @property
    def name(self) -> str:
        """Of the row."""

    @property
    def reads(self) -> FeatureSet:
        """The features, by which its speed in a night is measured too."""

    @property
    def most_clips(self) -> int:
        """Training clips that it may have, drawn at random; 0: all."""

    @property
    def key(self) -> str:
        """Digest of everything that its figures depend on, beside the clips."""

    def missing(self) -> str | None:
        """What must be installed first; None: nothing."""

    def tested(self, material: Material, trial: Trial, fold: Fold) -> Tested:
        """A model of the fold's training clips, on the others."""
