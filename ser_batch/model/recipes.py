"""How a model is trained, by what it is to be best at and by its feature set."""

from __future__ import annotations

from typing import Literal

from ser_batch.embeddings.sets import EMBEDDING_SETS
from ser_batch.model.training import Recipe

BestAt = Literal["calls", "clips"]

DESCRIPTORS: dict[BestAt, Recipe] = {
    "calls": Recipe(),
    "clips": Recipe(fine=1.0, strengths=(0.001, 0.003), n_trees=(20, 40, 60)),
}
"""`calls` on other lines and corpora, which is what a bundled model is for (`ser-batch bench
calls`); `clips` on unseen speakers of the corpora that it was trained on."""

EMBEDDINGS = Recipe(strengths=(0.001, 0.003, 0.01), n_trees=(5, 10, 20))
"""A speech model's states tell emotions apart linearly: weaker penalties pay, trees hardly do."""


def recipe_for(feature_set: str, best_at: BestAt = "calls") -> Recipe:
    """The recipe of a feature set, by its name, for a purpose."""
    return EMBEDDINGS if feature_set in EMBEDDING_SETS else DESCRIPTORS[best_at]
