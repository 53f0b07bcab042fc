"""The model itself: a linear head, trees boosted from its logits, calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.dimensions import DIMENSIONS, HIGHEST, LOWEST
from ser_batch.errors import BundleError
from ser_batch.features.kinds import FeatureKind
from ser_batch.scoring.calibration import BinaryCalibration, Calibration
from ser_batch.scoring.linear import LinearHead
from ser_batch.scoring.outliers import Outliers
from ser_batch.scoring.trees import lightgbm


class Trees:
    """LightGBM trees from their text form; columns are taken by name.

    Args:
        text: the model as `Booster.model_to_string` writes it

    Raises:
        BundleError: if the text is no model
        DependencyError: if LightGBM cannot be loaded
    """

    def __init__(self, text: str) -> None:
        library = lightgbm()
        try:
            self._booster: Any = library.Booster(model_str=text)
        except library.basic.LightGBMError as error:
            raise BundleError(f"the trees cannot be read: {error}") from error
        self.text = text
        self.names: tuple[str, ...] = tuple(self._booster.feature_name())

    def raw(self, features: FloatArray, names: Sequence[str]) -> DoubleArray:
        """Sum of the leaves a class, shape (n, n_classes)."""
        chosen = features[:, columns(self.names, names)]
        return np.asarray(self._booster.predict(chosen, raw_score=True, num_threads=1))

    def contributions(self, features: FloatArray, names: Sequence[str]) -> DoubleArray:
        """SHAP values: what each feature adds to each class, shape (n, n_classes, n_features)."""
        chosen = features[:, columns(self.names, names)]
        flat = self._booster.predict(chosen, pred_contrib=True, num_threads=1)
        # the last of each class is what the trees give without any feature
        shaped = np.asarray(flat).reshape(len(features), -1, len(self.names) + 1)
        return np.asarray(shaped[:, :, :-1], np.float64)


@dataclass(frozen=True)
class DissatisfactionHead:
    """Probability that listeners perceive dissatisfaction.

    Attributes:
        linear: logits of no and yes
        trees: what is added to them; None: nothing
        calibration: turns the log-odds of yes into a probability
    """

    linear: LinearHead
    trees: Trees | None
    calibration: BinaryCalibration

    def log_odds(self, read: FloatArray, names: Sequence[str]) -> DoubleArray:
        """Before calibration, shape (n,)."""
        logits = self.linear.logits(read)
        if self.trees is not None:
            logits = logits + self.trees.raw(read, names)
        return np.asarray(logits[:, 1] - logits[:, 0], np.float64)

    @classmethod
    def constant(cls, n_features: int, share: float) -> DissatisfactionHead:
        """A head that was shown no difference: everybody has the same probability."""
        odds = np.clip(share, 0.01, 0.99)
        blank = np.zeros(n_features)
        linear = LinearHead(blank, blank + 1, blank + 1, np.zeros((n_features, 2)), np.zeros(2))
        offset = float(np.log(odds / (1 - odds)))
        return cls(linear, None, BinaryCalibration(1.0, round(offset, 6)))


@dataclass(frozen=True)
class Predictor:
    """Probabilities of emotions, and of dissatisfaction, from features.

    Attributes:
        feature_names: the features it reads, in the linear head's order
        kinds: what these measure, in the same order
        classes: emotion of each column it returns
        linear: logits to start from
        trees: what is added to them; None: nothing
        calibration: turns the sum into probabilities
        head: what predicts dissatisfaction, in its own right
        outliers: how far a segment lies from the training speech
        shift: added to each feature before it is read, shape (n_features,): how the training
            speech differs from what a place usually sounds like (`scoring/alignment.py`); None: 0
        dimension_head: gives arousal and valence; None: the model was not trained for them
    """

    feature_names: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    classes: tuple[str, ...]
    linear: LinearHead
    trees: Trees | None
    calibration: Calibration
    head: DissatisfactionHead
    outliers: Outliers
    shift: DoubleArray | None = None
    dimension_head: LinearHead | None = None

    def read(self, features: FloatArray, names: Sequence[str]) -> FloatArray:
        """Features as the model reads them, in the order of `feature_names`."""
        place = columns(self.feature_names, names)
        chosen = features if place == [*range(len(names))] else features[:, place]
        return chosen if self.shift is None else (chosen + self.shift).astype(np.float32)

    def logits(self, features: FloatArray, names: Sequence[str]) -> DoubleArray:
        """Before calibration, shape (n, n_classes)."""
        if not len(features):
            return np.zeros((0, len(self.classes)))
        read = self.read(features, names)
        logits = self.linear.logits(read)
        return logits if self.trees is None else logits + self.trees.raw(read, self.feature_names)

    def predict(self, features: FloatArray, names: Sequence[str]) -> DoubleArray:
        """Calibrated probabilities.

        Args:
            features: shape (n, len(names))
            names: of the columns; their order does not matter, more than needed does no harm

        Returns:
            shape (n, n_classes), rows sum to 1

        Raises:
            BundleError: if a feature that the model reads is not among the names
        """
        return self.calibration.probabilities(self.logits(features, names))

    def dissatisfaction(self, features: FloatArray, names: Sequence[str]) -> DoubleArray:
        """Calibrated probability that listeners perceive anger or frustration, shape (n,)."""
        if not len(features):
            return np.zeros(0)
        read = self.read(features, names)
        return self.head.calibration.probabilities(self.head.log_odds(read, self.feature_names))

    def dimensions(self, features: FloatArray, names: Sequence[str]) -> DoubleArray:
        """Arousal and valence, 1 to 5, shape (n, 2); NaN: the model was not trained for them."""
        if self.dimension_head is None or not len(features):
            return np.full((len(features), len(DIMENSIONS)), np.nan)
        values = self.dimension_head.logits(self.read(features, names))
        return np.asarray(np.clip(values, LOWEST, HIGHEST), np.float64)

    def ood_score(self, features: FloatArray, names: Sequence[str]) -> DoubleArray:
        """Distance from the training speech, shape (n,); above 1 it is out of distribution."""
        if not len(features):
            return np.zeros(0)
        return self.outliers.score(self.linear.scaled(self.read(features, names)))


def columns(wanted: Sequence[str], names: Sequence[str]) -> list[int]:
    """Where the wanted features stand among the names.

    Raises:
        BundleError: naming the first that is missing
    """
    place = {name: i for i, name in enumerate(names)}
    missing = [name for name in wanted if name not in place]
    if missing:
        raise BundleError(f"feature {missing[0]!r} and {len(missing) - 1} more are not given")
    return [place[name] for name in wanted]
