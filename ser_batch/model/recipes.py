"""How a model of each feature set is trained, where the set asks for something of its own."""

from __future__ import annotations

from ser_batch.embeddings.sets import EMBEDDING_SETS
from ser_batch.model.training import Recipe

EMBEDDINGS = Recipe(strengths=(0.003, 0.01, 0.03), n_trees=(5, 10, 20))
"""A speech model's states tell emotions apart linearly: weaker penalties pay, trees hardly do."""


def recipe_for(feature_set: str) -> Recipe:
    """The recipe of a feature set, by its name."""
    return EMBEDDINGS if feature_set in EMBEDDING_SETS else Recipe()
