"""A support vector machine of radial basis functions, for thousands of features.

What costs time is the distances of the clips. They are computed once, in single precision, for all
settings and folds that the settings are chosen by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar

import numpy as np
from sklearn.preprocessing import RobustScaler
from sklearn.svm import SVC

from ser_batch.arrays import FloatArray, IntArray
from ser_batch.lab.bench.models.classifiers import CODE, mean_recall, tuning_folds
from ser_batch.scoring.linear import CLIP


@dataclass(frozen=True)
class FittedSvm:
    """The machine, and the clips that it measures the distance from.

    Attributes:
        scaler: of each feature
        steepness: of the kernel
        machine: of precomputed kernels
        supports: scaled features of its support vectors, shape (n_supports, n_features)
    """

    scaler: RobustScaler
    steepness: float
    machine: SVC
    supports: FloatArray

    def predict(self, features: FloatArray) -> Any:
        """Class of each clip, shape (n_clips,)."""
        distances = squared_differences(_scaled(self.scaler, features), self.supports)
        # only columns of support vectors are read
        kernel = np.zeros((len(features), self.machine.shape_fit_[1]))
        kernel[:, self.machine.support_] = np.exp(-self.steepness * distances)
        return self.machine.predict(kernel)


@dataclass(frozen=True)
class KernelSvm:
    """What is tried.

    Attributes:
        costs: of a clip on the wrong side (C)
        steepness: of the kernel, over the mean squared difference of the scaled features
    """

    costs: tuple[float, ...]
    steepness: tuple[float, ...]

    code: ClassVar[tuple[str, ...]] = (*CODE, "lab/bench/models/kernel_svm.py")

    def fit(
        self, features: FloatArray, labels: Sequence[str], speakers: Sequence[str]
    ) -> FittedSvm:
        """The machine with the best settings, trained on all clips; see `Classifier.fit`."""
        truth = np.array(labels)
        scaler = RobustScaler().fit(features)
        scaled = _scaled(scaler, features)
        distances = squared_differences(scaled, scaled)
        some, folds = tuning_folds(speakers)
        near, wanted = distances[np.ix_(some, some)], truth[some]

        def score(settings: tuple[float, float]) -> float:
            kernel = _kernel(near, settings[1])
            found = [_tried(kernel, wanted, settings[0], *fold) for fold in folds]
            return float(np.mean(found))

        cost, steepness = max(product(self.costs, self.steepness), key=score)
        machine = _machine(cost).fit(_kernel(distances, steepness), truth)
        return FittedSvm(scaler, steepness, machine, scaled[machine.support_])


SVM = KernelSvm(costs=(1.0, 10.0), steepness=(0.15, 0.4, 1.2))


def squared_differences(one: FloatArray, other: FloatArray) -> FloatArray:
    """Mean over the features of the squared difference of each pair, shape (n_one, n_other)."""
    squares = [np.square(rows).sum(axis=1) for rows in (one, other)]
    found = (one @ other.T) * np.float32(-2)
    found += squares[0][:, np.newaxis]
    found += squares[1]
    return np.asarray(np.maximum(found, 0) / np.float32(one.shape[1]))


def _scaled(scaler: RobustScaler, features: FloatArray) -> FloatArray:
    return np.asarray(np.clip(scaler.transform(features), -CLIP, CLIP), np.float32)


def _kernel(distances: FloatArray, steepness: float) -> FloatArray:
    return np.asarray(np.exp(np.float32(-steepness) * distances), np.float32)


def _machine(cost: float) -> SVC:
    return SVC(C=cost, kernel="precomputed", class_weight="balanced")


def _tried(
    kernel: FloatArray, truth: Any, cost: float, trained: IntArray, tested: IntArray
) -> float:
    """Mean recall of one fold with some settings."""
    machine = _machine(cost).fit(kernel[np.ix_(trained, trained)], truth[trained])
    return mean_recall(truth[tested], machine.predict(kernel[np.ix_(tested, trained)]))
