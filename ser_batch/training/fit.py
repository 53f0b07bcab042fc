"""Training: a linear head, trees boosted from its held-out logits, calibration.

Trees alone lose to a linear head where speakers are few; boosted from logits that the head gave
for speakers it had not seen, they only add what it misses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray, IntArray
from ser_batch.features.dataset import Dataset
from ser_batch.scoring.calibration import fit_calibration
from ser_batch.scoring.feature_weights import gain_free_columns
from ser_batch.scoring.linear import LinearHead, class_weights
from ser_batch.scoring.predictor import Predictor, Trees, far_share
from ser_batch.scoring.trees import lightgbm
from ser_batch.training.heads import balanced_loss, fit_head, parts_of, tuned_parts
from ser_batch.training.splits import Fold, check_no_leakage, speaker_folds


@dataclass(frozen=True)
class Recipe:
    """How a model is trained; what is plural is tuned on held-out speakers of the training set.

    Attributes:
        domain_sensitive_weight: weight of domain-sensitive features before the penalty; others 1
        strengths: inverse L2 penalties of the linear head over descriptors
        state_strengths: of the one over a speech model's states, which tell emotions apart
            linearly: weaker penalties pay
        n_trees: rounds of boosting, a tree a class each
        n_folds: folds of speakers for tuning, held-out logits and calibration
        seed: of the trees' sampling
    """

    domain_sensitive_weight: float = 0.05
    strengths: tuple[float, ...] = (0.0001, 0.0003)
    state_strengths: tuple[float, ...] = (0.001, 0.003, 0.01)
    n_trees: tuple[int, ...] = (10, 20)
    n_folds: int = 5
    seed: int = 1


LEAST_RANGE_LIMIT = 0.2
"""Acted clips lie closer together than calls: with a speech model's states real callers reach this
share; hold music begins at .22, noise at .38, tones at .57."""

TREE_PARAMETERS = {
    "objective": "multiclass",
    "learning_rate": 0.03,
    "num_leaves": 7,
    "min_data_in_leaf": 10,
    "feature_fraction": 0.1,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 31,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}


def train(dataset: Dataset, recipe: Recipe | None = None) -> Predictor:
    """A calibrated model; the same data give the same bytes.

    Args:
        dataset: clips of at least two speakers; each emotion from at least two of them
        recipe: what to try

    Raises:
        LeakError: if the speakers cannot be held apart
    """
    recipe = recipe or Recipe()
    dataset = dataset.reading(gain_free_columns(dataset.names))
    folds = speaker_folds(dataset.speakers, dataset.contents, n_folds=recipe.n_folds)
    check_no_leakage(folds, dataset.speakers, dataset.contents)
    labels = class_numbers(dataset.emotions, dataset.classes)
    parts = parts_of(dataset.names, recipe.strengths, recipe.state_strengths)
    tuned, held_out = tuned_parts(dataset, labels, folds, parts, recipe.domain_sensitive_weight)
    n_trees, boosted = _tuned_trees(dataset, labels, held_out, folds, recipe)
    linear = fit_head(dataset, labels, tuned, recipe.domain_sensitive_weight)
    return Predictor(
        feature_names=dataset.names,
        classes=dataset.classes,
        linear=linear,
        trees=Trees(_boost(dataset, labels, held_out, n_trees, recipe.seed)),
        calibration=fit_calibration(boosted, labels, dataset.weights),
        range_limit=range_limit(linear, dataset.features),
    )


def range_limit(linear: LinearHead, features: FloatArray) -> float:
    """Twice the share of far features that one training clip in a hundred has.

    Other corpora's speech stays below it; music, tones, noise and silence lie above.
    """
    share = float(np.percentile(far_share(linear, features), 99))
    return round(max(2 * share, LEAST_RANGE_LIMIT), 6)


def class_numbers(emotions: Sequence[str], classes: Sequence[str]) -> IntArray:
    """Column of each emotion."""
    column = {name: i for i, name in enumerate(classes)}
    return np.array([column[name] for name in emotions], dtype=np.int64)


def _tuned_trees(
    dataset: Dataset, labels: IntArray, held_out: DoubleArray, folds: Sequence[Fold], recipe: Recipe
) -> tuple[int, DoubleArray]:
    """The number of rounds with the least held-out loss, and the logits it gives."""
    most = max(recipe.n_trees)
    added = {n: held_out.copy() for n in recipe.n_trees}
    for fold in folds:
        inside = dataset.take(fold.train)
        text = _boost(inside, labels[fold.train], held_out[fold.train], most, recipe.seed)
        booster = lightgbm().Booster(model_str=text)
        for n in recipe.n_trees:
            added[n][fold.test] += booster.predict(
                dataset.features[fold.test], raw_score=True, num_iteration=n, num_threads=1
            )
    losses = {n: balanced_loss(logits, labels, dataset.weights) for n, logits in added.items()}
    n_trees = min(recipe.n_trees, key=lambda n: (losses[n], n))
    return n_trees, added[n_trees]


def _boost(dataset: Dataset, labels: IntArray, start: DoubleArray, n_trees: int, seed: int) -> str:
    """Text of trees boosted from given logits."""
    library = lightgbm()
    data = library.Dataset(
        dataset.features,
        labels,
        weight=class_weights(labels, dataset.weights),
        init_score=start.flatten(order="F"),
        feature_name=list(dataset.names),
        free_raw_data=False,
    )
    parameters = {**TREE_PARAMETERS, "num_class": start.shape[1], "seed": seed}
    text: str = library.train(parameters, data, num_boost_round=n_trees).model_to_string()
    return text
