"""Fit a network with its heads: votes as soft labels, early stopping on held-out speakers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ser_batch.arrays import DoubleArray, FloatArray, IntArray
from ser_batch.emotions import DISSATISFACTION_TARGET
from ser_batch.features.dataset import Dataset
from ser_batch.features.encoders.network import network_features
from ser_batch.lab.neural.design import Design
from ser_batch.lab.neural.heads import Heads, fitted_predictor
from ser_batch.lab.neural.material import NeuralMaterial, batches
from ser_batch.lab.neural.training import History, Plan, Trainer
from ser_batch.progress import Progress, silent
from ser_batch.scoring.linear import weighed
from ser_batch.scoring.predictor import Predictor
from ser_batch.training.splits import speaker_folds

HELD_OUT_FOLDS = 7
"""One of so many folds of speakers is not trained on: it stops, calibrates and limits."""
NAME = "network"
"""In the names of features of a network that has no file yet."""


@dataclass(frozen=True)
class FittedNetwork:
    """A network, and what its heads say, calibrated.

    Attributes:
        design: how its inputs are batched
        network: in evaluation mode
        heads: of its embedding
        predictor: of its features, as a bundle holds it
        history: loss by epoch
        held_out: rows of the material whose speakers were not trained on, shape (n_held_out,)
    """

    design: Design
    network: Any = field(repr=False)
    heads: Heads = field(repr=False)
    predictor: Predictor = field(repr=False)
    history: History
    held_out: IntArray = field(repr=False)

    @property
    def classes(self) -> tuple[str, ...]:
        """Emotion of each column of `probabilities`."""
        return self.predictor.classes

    def features(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """Features of segments, shape (n, n_features)."""
        found: FloatArray = network_outputs(self.network, self.design, inputs)
        return found

    def probabilities(self, inputs: Sequence[FloatArray]) -> DoubleArray:
        """Calibrated, shape (n, n_classes)."""
        return self.predictor.predict(self.features(inputs), self.predictor.feature_names)

    def dissatisfaction(self, inputs: Sequence[FloatArray]) -> DoubleArray:
        """Calibrated probability that listeners perceive dissatisfaction, shape (n,)."""
        return self.predictor.dissatisfaction(self.features(inputs), self.predictor.feature_names)


def fit(
    material: NeuralMaterial,
    design: Design,
    plan: Plan | None = None,
    *,
    folder: Path | None = None,
    step: str = "training",
    on_progress: Progress = silent,
) -> FittedNetwork:
    """Train a network on the speakers of some material, some of them held out.

    Args:
        material: clips of at least two speakers, with copies; emotions are learnt from votes where
            there are any
        design: kind of network
        plan: how to train; None: as usual
        folder: of the checkpoint, from which an interrupted training goes on; None: none is kept
        step: what `on_progress` is told is being done
        on_progress: called after each epoch

    Raises:
        LeakError: if there are fewer than two speakers to hold apart
    """
    plan = plan or Plan()
    rows = material.dataset
    folds = speaker_folds(rows.speakers, rows.contents, n_folds=HELD_OUT_FOLDS)
    held_out = folds[plan.seed % len(folds)].test
    trainer = Trainer(
        design,
        plan,
        material.inputs,
        np.column_stack([_counted(rows, plan), rows.level(DISSATISFACTION_TARGET)]),
        learnt=_learnt(rows, held_out),
        tested=rows.without_copies(held_out),
        folder=folder,
    )
    trainer.run(step, on_progress)
    heads = trainer.heads(rows.classes)
    network = design.finished(trainer.network)
    features = network_outputs(network, design, material.inputs)
    columns = network_features(NAME, design.n_features)
    described = replace(
        rows,
        features=features,
        names=tuple(column.name for column in columns),
        kinds=tuple(column.kind for column in columns),
    )
    predictor = fitted_predictor(described, heads, held_out)
    return FittedNetwork(design, network, heads, predictor, trainer.history, held_out)


def _counted(rows: Dataset, plan: Plan) -> DoubleArray:
    """How much each row counts as each emotion, shape (n_rows, n_classes)."""
    return weighed(rows.targets(rows.classes), rows.weights, balanced=plan.balanced)


def _learnt(rows: Dataset, held_out: IntArray) -> list[IntArray]:
    """The rows that are trained on: of each recording the clip and its copies."""
    learnt = np.setdiff1d(np.flatnonzero(rows.copies >= 0), held_out)
    _, recording = np.unique(np.array(rows.contents)[learnt], return_inverse=True)
    order = np.argsort(recording, kind="stable")
    return np.split(learnt[order], np.flatnonzero(np.diff(recording[order])) + 1)


@torch.no_grad()  # type: ignore[untyped-decorator]
def network_outputs(network: Any, design: Design, inputs: Sequence[FloatArray]) -> FloatArray:
    """Features of segments by a network of torch, shape (n, n_features)."""
    network.eval()
    device = next(network.parameters()).device
    lengths = np.array([len(one) for one in inputs], np.int64)
    found = np.zeros((len(inputs), design.n_features), np.float32)
    for chosen in batches(lengths, design.predicted_at_once, None):
        batch = design.batch([inputs[i] for i in chosen], None)
        found[chosen] = network.features(tuple(part.to(device) for part in batch)).cpu().numpy()
    return found
