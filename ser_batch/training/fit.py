"""Training: linear heads, trees boosted from their held-out logits, calibration.

Trees alone lose to a linear head where speakers are few; boosted from logits that the head gave
for speakers it had not seen, they only add what it misses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy

from ser_batch.arrays import DoubleArray, IntArray
from ser_batch.emotions import DISSATISFACTION_TARGET
from ser_batch.features.dataset import LONG_SEGMENT, Dataset
from ser_batch.features.kinds import FeatureKind
from ser_batch.scoring.calibration import (
    BinaryCalibration,
    Calibration,
    fit_binary_calibration,
    fit_calibration,
)
from ser_batch.scoring.feature_weights import read_columns
from ser_batch.scoring.linear import weighed
from ser_batch.scoring.predictor import DissatisfactionHead, Predictor, Trees
from ser_batch.scoring.trees import lightgbm
from ser_batch.training.heads import Task, fit_head, held_out_loss, parts_of, tuned_parts
from ser_batch.training.outliers import fit_outliers
from ser_batch.training.splits import Fold, check_no_leakage, speaker_folds


@dataclass(frozen=True)
class Recipe:
    """How a model is trained; what is plural is tuned on held-out speakers of the training set.

    Attributes:
        domain_sensitive_weight: weight of domain-sensitive features before the penalty; others 1
        strengths: inverse L2 penalties of the linear heads over descriptors
        state_strengths: of those over a speech encoder's states, which separate emotions
            linearly: weaker penalties are better
        n_trees: rounds of boosting, a tree a class each
        head_trees: rounds of boosting of the dissatisfaction head
        n_folds: folds of speakers for tuning, held-out logits and calibration
        mixes: whether descriptors beside states have a linear head too, not only trees: it gains
            in-domain, and loses on unseen corpora
        balanced: whether emotions weigh the same, or as often as they are named
        sharpens: whether calibration may make probabilities more extreme than the heads' own;
            in-domain figures gain by it, unseen corpora lose
        target: how dissatisfied an annotator is who names an emotion, 0..1; others are not
        seed: of the trees' sampling
    """

    domain_sensitive_weight: float = 0.05
    strengths: tuple[float, ...] = (0.0001,)
    state_strengths: tuple[float, ...] = (0.001,)
    n_trees: tuple[int, ...] = (10, 20)
    head_trees: int = 40
    n_folds: int = 4
    mixes: bool = False
    balanced: bool = False
    sharpens: bool = False
    target: Mapping[str, float] = field(default_factory=lambda: dict(DISSATISFACTION_TARGET))
    seed: int = 1


TREE_PARAMETERS = {
    "learning_rate": 0.03,
    "num_leaves": 7,
    "min_data_in_leaf": 10,
    "feature_pre_filter": False,
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
    speech = dataset.reading(read_columns(dataset.kinds))
    dataset = speech.take(speech.copies != LONG_SEGMENT)
    folds = speaker_folds(dataset.speakers, dataset.contents, n_folds=recipe.n_folds)
    check_no_leakage(folds, dataset.speakers, dataset.contents)
    task = Task(
        dataset.targets(dataset.classes), recipe.domain_sensitive_weight, balanced=recipe.balanced
    )
    parts = parts_of(dataset.kinds, recipe.strengths, recipe.state_strengths)
    parts = parts if recipe.mixes else parts[-1:]
    tuned, held_out = tuned_parts(dataset, task, folds, parts)
    n_trees, boosted = _tuned_trees(dataset, task, held_out, folds, recipe)
    linear = fit_head(dataset, task, tuned)
    temperature = fit_calibration(boosted, task.targets, dataset.weights).temperature
    return Predictor(
        feature_names=dataset.names,
        kinds=dataset.kinds,
        classes=dataset.classes,
        linear=linear,
        trees=Trees(_boosted(dataset, task, held_out, n_trees, recipe.seed)),
        calibration=Calibration(temperature if recipe.sharpens else max(temperature, 1.0)),
        head=_dissatisfaction_head(dataset, folds, recipe),
        outliers=fit_outliers(speech, linear.scaled(speech.features), recipe.n_folds),
    )


def class_numbers(emotions: Sequence[str], classes: Sequence[str]) -> IntArray:
    """Column of each emotion."""
    column = {name: i for i, name in enumerate(classes)}
    return np.array([column[name] for name in emotions], dtype=np.int64)


def _dissatisfaction_head(
    dataset: Dataset, folds: Sequence[Fold], recipe: Recipe
) -> DissatisfactionHead:
    """The head that learns how many annotators perceive dissatisfaction.

    It reads the states alone where there are any: descriptors beside them are domain-sensitive,
    and enter by the trees.
    """
    level = dataset.level(recipe.target)
    task = Task(np.column_stack([1 - level, level]), recipe.domain_sensitive_weight, balanced=False)
    part = parts_of(dataset.kinds, recipe.strengths, recipe.state_strengths)[-1]
    if not 0 < level.sum() < len(level):  # nobody, or everybody, is dissatisfied
        return DissatisfactionHead.constant(len(dataset.names), float(level.mean()))
    tuned, held_out = tuned_parts(dataset, task, folds, [part])
    trees = _boosted(dataset, task, held_out, recipe.head_trees, recipe.seed)
    added = _held_out_trees(
        dataset, task, held_out, folds, numbers=(recipe.head_trees,), seed=recipe.seed
    )
    log_odds = np.diff(added[recipe.head_trees], axis=1)[:, 0]
    found = fit_binary_calibration(log_odds, level, dataset.weights)
    slope = found.slope if recipe.sharpens else min(found.slope, 1.0)
    if slope < found.slope:
        found = fit_binary_calibration(log_odds, level, dataset.weights, slope=slope)
    return DissatisfactionHead(
        fit_head(dataset, task, tuned), Trees(trees), BinaryCalibration(slope, found.offset)
    )


def _tuned_trees(
    dataset: Dataset, task: Task, held_out: DoubleArray, folds: Sequence[Fold], recipe: Recipe
) -> tuple[int, DoubleArray]:
    """The number of rounds with the least held-out loss, and the logits it gives."""
    added = _held_out_trees(
        dataset, task, held_out, folds, numbers=recipe.n_trees, seed=recipe.seed
    )
    losses = {n: held_out_loss(logits, task, dataset.weights) for n, logits in added.items()}
    n_trees = min(recipe.n_trees, key=lambda n: (losses[n], n))
    return n_trees, added[n_trees]


def _held_out_trees(
    dataset: Dataset,
    task: Task,
    held_out: DoubleArray,
    folds: Sequence[Fold],
    *,
    numbers: Sequence[int],
    seed: int,
) -> dict[int, DoubleArray]:
    """Held-out logits after each number of rounds."""
    added = {n: held_out.copy() for n in numbers}
    for fold in folds:
        inside = replace(task, targets=task.targets[fold.train])
        text = _boosted(dataset.take(fold.train), inside, held_out[fold.train], max(numbers), seed)
        booster = lightgbm().Booster(model_str=text)
        tested = dataset.features[fold.test][:, _tree_columns(dataset.kinds)]
        for n in numbers:
            added[n][fold.test] += booster.predict(
                tested, raw_score=True, num_iteration=n, num_threads=1
            )
    return added


def _tree_columns(kinds: Sequence[FeatureKind]) -> list[int]:
    """Descriptors, where there are any: a linear head extracts all there is in states."""
    descriptors = [column for column, kind in enumerate(kinds) if not kind.is_state]
    return descriptors or list(range(len(kinds)))


def _boosted(dataset: Dataset, task: Task, start: DoubleArray, n_trees: int, seed: int) -> str:
    """Text of trees boosted from given logits towards label distributions."""
    dataset = dataset.reading(_tree_columns(dataset.kinds))
    library = lightgbm()
    counted = weighed(task.targets, dataset.weights, balanced=task.balanced)
    n_classes = task.targets.shape[1]
    data = library.Dataset(
        dataset.features,
        np.zeros(len(start)),
        init_score=start.flatten(order="F"),
        feature_name=list(dataset.names),
        free_raw_data=False,
    )

    def slopes(logits: DoubleArray, _data: Any) -> tuple[DoubleArray, DoubleArray]:
        """First and second derivative of the log loss by each logit."""
        expected = scipy.special.softmax(logits, axis=1)
        of_clip = counted.sum(axis=1, keepdims=True)
        curvature = n_classes / (n_classes - 1) * expected * (1 - expected) * of_clip
        return expected * of_clip - counted, curvature

    parameters = {**TREE_PARAMETERS, "num_class": n_classes, "seed": seed, "objective": slopes}
    text: str = library.train(parameters, data, num_boost_round=n_trees).model_to_string()
    return text
