"""The field's usual classifiers, their settings chosen by grid search on held-out speakers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import lightgbm
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, RobustScaler

from ser_batch.arrays import FloatArray, IntArray
from ser_batch.scoring.linear import CLIP

INNER_FOLDS = 3
MOST_TUNED = 1500
"""Clips, drawn at random, by which settings are chosen; the model is then trained on all."""
SEED = 1

Grid = dict[str, list[Any]]
CODE = ("lab/bench/models/classifiers.py",)


class Tuned(Protocol):
    """A classifier whose settings are chosen on held-out speakers."""

    @property
    def code(self) -> tuple[str, ...]:
        """Files of the package on which its figures depend."""

    def fit(self, features: FloatArray, labels: Sequence[str], speakers: Sequence[str]) -> Any:
        """The model with the best settings, trained on all clips.

        Args:
            features: shape (n_clips, n_features)
            labels: of each clip
            speakers: of each clip; none is on both sides while settings are chosen
        """


@dataclass(frozen=True)
class Classifier:
    """One that scikit-learn knows, with what is tried."""

    model: Any
    grid: Grid

    code: ClassVar[tuple[str, ...]] = CODE

    def fit(self, features: FloatArray, labels: Sequence[str], speakers: Sequence[str]) -> Any:
        """See `Tuned.fit`."""
        truth = np.array(labels)
        some, folds = tuning_folds(speakers)
        search = GridSearchCV(self.model, self.grid, scoring=_uar, cv=folds, refit=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            search.fit(features[some], truth[some])
            best = clone(self.model).set_params(**search.best_params_)
            return best.fit(features, truth)


def tuning_folds(speakers: Sequence[str]) -> tuple[IntArray, list[tuple[IntArray, IntArray]]]:
    """Clips by which settings are chosen, and by speakers who is trained on and tested of them.

    Args:
        speakers: of each clip

    Returns:
        numbers of the clips, at most `MOST_TUNED`; folds of these, numbered from 0
    """
    groups = np.array(speakers)
    some = np.random.default_rng(SEED).permutation(len(groups))[:MOST_TUNED]
    inner = GroupKFold(min(INNER_FOLDS, len(np.unique(groups[some]))))
    return some, list(inner.split(some, groups=groups[some]))


def mean_recall(truth: Any, found: Any) -> float:
    """Of the classes that occur."""
    return float(np.mean([(found[truth == name] == name).mean() for name in np.unique(truth)]))


def _uar(model: Any, features: FloatArray, truth: Any) -> float:
    return mean_recall(truth, model.predict(features))


def _scaled(model: Any) -> Pipeline:
    clip = FunctionTransformer(np.clip, kw_args={"min": -CLIP, "max": CLIP})
    return Pipeline([("scale", RobustScaler()), ("clip", clip), ("model", model)])


LIGHTGBM = Classifier(
    lightgbm.LGBMClassifier(
        class_weight="balanced",
        colsample_bytree=0.1,
        max_bin=63,
        n_estimators=100,
        deterministic=True,
        force_row_wise=True,
        n_jobs=1,
        random_state=SEED,
        verbose=-1,
    ),
    {"num_leaves": [7, 15]},
)
LOGISTIC = Classifier(
    _scaled(LogisticRegression(class_weight="balanced", max_iter=300, tol=1e-3)),
    {"model__C": [1e-4, 1e-3, 1e-2]},
)
MLP = Classifier(
    _scaled(MLPClassifier(max_iter=60, random_state=SEED)),
    {"model__hidden_layer_sizes": [(64,), (128, 32)], "model__alpha": [1e-3, 1.0]},
)
