"""How clips are described and trained on: what the commands that train and evaluate choose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ser_batch.corpora.base import Clip
from ser_batch.features.dataset import Dataset, joined
from ser_batch.features.sets import get_feature_set
from ser_batch.progress import Progress, counted, silent
from ser_batch.training.augment import Augmentation
from ser_batch.training.describe import FEATURE_SETS, Band, describe_clips
from ser_batch.training.fit import Recipe
from ser_batch.training.long_segments import long_segments
from ser_batch.training.recipes import Objective, copies_for, recipe_for


@dataclass(frozen=True)
class TrainingSetup:
    """How clips are described and a model is trained on them.

    Attributes:
        band: what every clip is sent through
        features: name of the feature set
        augmentation: copies of training clips; they are never tested
        recipe: how to train
    """

    band: Band
    features: str
    augmentation: Augmentation
    recipe: Recipe

    @classmethod
    def choose(
        cls,
        band: Band = "telephone",
        features: str | None = None,
        *,
        copies: int | None = None,
        optimise_for: Objective = "cross-domain",
    ) -> TrainingSetup:
        """What is asked for, and what pays where nothing is.

        Args:
            band: what every clip is sent through
            features: name of the feature set; None: the band's own
            copies: augmented copies of a clip; wide band has none: they go over telephone lines
            optimise_for: what the recipe is best at
        """
        features = features or FEATURE_SETS[band]
        copies = copies_for(features) if copies is None else copies
        augmentation = Augmentation(copies=0 if band == "wide" else copies)
        return cls(band, features, augmentation, recipe_for(features, optimise_for))

    def describe(
        self,
        clips: Sequence[Clip],
        *,
        copies: bool = True,
        step: str = "describing clips",
        on_progress: Progress = silent,
    ) -> Dataset:
        """Features of clips and, to train on, of their copies and of long segments after them.

        Raises:
            CorpusError: if a clip cannot be decoded
        """
        feature_set = get_feature_set(self.features)
        described = describe_clips(
            clips,
            feature_set,
            band=self.band,
            augmentation=self.augmentation if copies else None,
            on_clip=counted(step, len(clips), on_progress),
        )
        if not copies:
            return described
        long = long_segments(clips, feature_set, band=self.band, augmentation=self.augmentation)
        return described if long is None else joined(described, long)

    def as_dict(self) -> dict[str, Any]:
        """For the JSON of an evaluation."""
        return {
            "band": self.band,
            "features": self.features,
            "augmented_copies": self.augmentation.copies,
            "recipe": asdict(self.recipe),
        }
