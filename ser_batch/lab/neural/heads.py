"""The heads of a network as a bundle holds them: linear, calibrated, with a distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray, IntArray
from ser_batch.emotions import DISSATISFACTION_TARGET
from ser_batch.features.dataset import LONG_SEGMENT, Dataset
from ser_batch.scoring.calibration import (
    BinaryCalibration,
    Calibration,
    fit_binary_calibration,
    fit_calibration,
)
from ser_batch.scoring.linear import CLIP, LinearHead, centre_and_scale
from ser_batch.scoring.predictor import DissatisfactionHead, Predictor
from ser_batch.training.outliers import fit_outliers

HELD_OUT_FOLDS = 2
"""Of speakers, where a distance has no other rows to be limited by."""


@dataclass(frozen=True)
class Heads:
    """Two linear layers over a network's embedding.

    Attributes:
        classes: emotion of each column of `emotions`
        emotions: weights, shape (n_embedding, n_classes), and bias, shape (n_classes,)
        dissatisfaction: weights, shape (n_embedding,), and bias: log-odds
    """

    classes: tuple[str, ...]
    emotions: tuple[DoubleArray, DoubleArray]
    dissatisfaction: tuple[DoubleArray, float]


def fitted_predictor(dataset: Dataset, heads: Heads, held_out: IntArray) -> Predictor:
    """The predictor of a network's features, calibrated on speakers that it was not trained on.

    Args:
        dataset: features of the network: clips, copies and long segments
        heads: of its embedding
        held_out: rows of speakers that the network was not trained on
    """
    linear, binary = linear_heads(dataset.features, heads)
    rows = held_out[dataset.copies[held_out] != LONG_SEGMENT]
    tested = dataset.take(rows)
    temperature = fit_calibration(
        linear.logits(tested.features), tested.targets(heads.classes), tested.weights
    ).temperature
    return Predictor(
        feature_names=dataset.names,
        kinds=dataset.kinds,
        classes=heads.classes,
        linear=linear,
        trees=None,
        # as of the shipped recipe, calibration never makes probabilities more extreme
        calibration=Calibration(max(temperature, 1.0)),
        head=DissatisfactionHead(binary, None, _calibrated(binary, tested)),
        outliers=fit_outliers(
            replace(dataset, corpora=_sides(len(dataset.emotions), held_out)),
            linear.scaled(dataset.features),
            HELD_OUT_FOLDS,
        ),
    )


def linear_heads(features: FloatArray, heads: Heads) -> tuple[LinearHead, LinearHead]:
    """The heads over all features of a network, those after the embedding weighing nothing.

    The scale of the embedding is such that nothing in training is clipped, so that a head gives
    what the network's own layer gives.

    Returns:
        of emotions; of no and yes
    """
    n_embedding = len(heads.dissatisfaction[0])
    centre, scale = centre_and_scale(features)
    centre[:n_embedding] = 0.0
    reach = np.abs(features[:, :n_embedding]).max(axis=0)
    scale[:n_embedding] = np.maximum(reach, 1e-6) / CLIP
    weights, bias = heads.dissatisfaction
    binary = (np.column_stack([0 * weights, weights]), np.array([0.0, bias]))
    return tuple(  # type: ignore[return-value]
        LinearHead(
            centre,
            scale,
            np.ones(len(scale)),
            np.pad(matrix * scale[:n_embedding, None], ((0, len(scale) - n_embedding), (0, 0))),
            offset,
        )
        for matrix, offset in (heads.emotions, binary)
    )


def _calibrated(binary: LinearHead, tested: Dataset) -> BinaryCalibration:
    log_odds = np.diff(binary.logits(tested.features), axis=1)[:, 0]
    level = tested.level(DISSATISFACTION_TARGET)
    found = fit_binary_calibration(log_odds, level, tested.weights)
    if found.slope <= 1:
        return found
    return fit_binary_calibration(log_odds, level, tested.weights, slope=1.0)


def _sides(n_rows: int, held_out: Sequence[int] | IntArray) -> tuple[str, ...]:
    """Names by which the distance leaves the held-out speakers out, as it leaves out a corpus."""
    is_held_out = np.isin(np.arange(n_rows), held_out)
    return tuple("held out" if held else "trained" for held in is_held_out)
