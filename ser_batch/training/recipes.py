"""How a model is trained, by what it is to be best at and by its feature set."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from ser_batch.features.sets import get_feature_set
from ser_batch.training.fit import Recipe

Objective = Literal["cross-domain", "in-domain"]

DESCRIPTORS: dict[Objective, Recipe] = {
    "cross-domain": Recipe(),
    "in-domain": Recipe(
        domain_sensitive_weight=1.0,
        strengths=(0.001, 0.003),
        state_strengths=(0.001, 0.003, 0.01),
        n_trees=(20, 40, 60),
        n_folds=5,
        mixes=True,
        balanced=True,
        sharpens=True,
    ),
}
"""`cross-domain` for other channels and corpora (`ser-batch bench calls`); `in-domain` for unseen
speakers of the training corpora."""

STATES: dict[Objective, Recipe] = {
    optimise_for: replace(recipe, n_trees=(5, 10, 20))
    for optimise_for, recipe in DESCRIPTORS.items()
}
"""With a speech model's states, alone or beside descriptors, trees hardly pay."""

COPIES, STATE_COPIES = 2, 1
"""Augmented copies of each training clip, for descriptors and with a speech model's states."""


def recipe_for(feature_set: str, optimise_for: Objective = "cross-domain") -> Recipe:
    """The recipe of a feature set, by its name, for a purpose."""
    return (STATES if _has_states(feature_set) else DESCRIPTORS)[optimise_for]


def copies_for(feature_set: str) -> int:
    """Augmented copies of each training clip that pay, by the feature set's name."""
    return STATE_COPIES if _has_states(feature_set) else COPIES


def _has_states(feature_set: str) -> bool:
    return any(kind.is_state for kind in get_feature_set(feature_set).kinds)
