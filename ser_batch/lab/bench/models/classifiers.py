"""The field's usual classifiers, their settings chosen by grid search on held-out speakers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import lightgbm
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, RobustScaler
from sklearn.svm import SVC

from ser_batch.arrays import FloatArray
from ser_batch.scoring.linear import CLIP

INNER_FOLDS = 3
MOST_TUNED = 1500
"""Clips, drawn at random, by which settings are chosen; the model is then trained on all."""
SEED = 1

Grid = dict[str, list[Any]]


@dataclass(frozen=True)
class Classifier:
    """One that scikit-learn knows, with what is tried."""

    model: Any
    grid: Grid

    def fit(self, features: FloatArray, labels: Sequence[str], speakers: Sequence[str]) -> Any:
        """The model with the best settings, trained on all clips.

        Args:
            features: shape (n_clips, n_features)
            labels: of each clip
            speakers: of each clip; none is on both sides while settings are chosen
        """
        truth, groups = np.array(labels), np.array(speakers)
        some = np.random.default_rng(SEED).permutation(len(truth))[:MOST_TUNED]
        inner = GroupKFold(min(INNER_FOLDS, len(np.unique(groups[some]))))
        search = GridSearchCV(self.model, self.grid, scoring=_uar, cv=inner, refit=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            search.fit(features[some], truth[some], groups=groups[some])
            best = clone(self.model).set_params(**search.best_params_)
            return best.fit(features, truth)


def _uar(model: Any, features: FloatArray, truth: Any) -> float:
    """Mean recall of the classes that occur."""
    found = model.predict(features)
    return float(np.mean([(found[truth == name] == name).mean() for name in np.unique(truth)]))


def _scaled(model: Any) -> Pipeline:
    clip = FunctionTransformer(np.clip, kw_args={"min": -CLIP, "max": CLIP})
    return Pipeline([("scale", RobustScaler()), ("clip", clip), ("model", model)])


def _kernel(one: FloatArray, other: FloatArray, steepness: float) -> Any:
    """Radial basis functions as one matrix product, whatever the number of features."""
    return rbf_kernel(one, other, gamma=steepness / one.shape[1])


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
SVM = Classifier(
    _scaled(SVC(class_weight="balanced")),
    {
        "model__C": [1.0, 10.0],
        "model__kernel": [partial(_kernel, steepness=steepness) for steepness in (0.15, 0.4, 1.2)],
    },
)
LOGISTIC = Classifier(
    _scaled(LogisticRegression(class_weight="balanced", max_iter=300, tol=1e-3)),
    {"model__C": [1e-4, 1e-3, 1e-2]},
)
MLP = Classifier(
    _scaled(MLPClassifier(max_iter=60, random_state=SEED)),
    {"model__hidden_layer_sizes": [(64,), (128, 32)], "model__alpha": [1e-3, 1.0]},
)
