"""Leave one corpus out: each corpus is tested by a model of all the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import reduce
from typing import Any

import numpy as np

from ser_batch.config import ModelSettings
from ser_batch.corpora.base import Clip, one_of_each_content
from ser_batch.errors import CorpusError
from ser_batch.features.dataset import Dataset, joined
from ser_batch.features.sets import FeatureSet
from ser_batch.progress import Progress
from ser_batch.training.augment import Augmentation
from ser_batch.training.decided import decided, decisions_by_corpus
from ser_batch.training.describe import Band, describe_clips
from ser_batch.training.fit import Recipe, train
from ser_batch.training.splits import Fold, check_no_leakage


def run_loco(
    corpora: Mapping[str, Sequence[Clip]],
    feature_set: FeatureSet,
    *,
    band: Band,
    augmentation: Augmentation,
    recipe: Recipe,
    on_progress: Progress,
) -> dict[str, Any]:
    """Production's decisions on each corpus, by a model that was trained on the others.

    Speakers, recordings and sentences are unseen with the corpus.

    Args:
        corpora: clips by corpus, two at least
        feature_set: what is measured
        band: what every clip is sent through
        augmentation: of training clips
        recipe: how to train
        on_progress: called with what is being done, the steps done, and all steps

    Returns:
        JSON-able: protocol, band, features, recipe, `decisions` by corpus as
        `decided.decisions_by_corpus` gives them, each with trained_on and proof

    Raises:
        CorpusError: if there are fewer than two corpora
    """
    if len(corpora) < 2:
        raise CorpusError(
            "leaving one corpus out needs two: put corpora below --corpora, or name --labels"
        )
    described = {
        name: _described(name, clips, feature_set, band, augmentation, on_progress)
        for name, clips in sorted(corpora.items())
    }
    decisions = {}
    for done, (name, dataset) in enumerate(described.items(), start=1):
        others = [other for key, other in described.items() if key != name]
        trained, tested = reduce(joined, others), dataset.take(dataset.copies == 0)
        proof = _checked(trained, tested)
        model = train(trained, recipe)
        found = decided(model, tested, ModelSettings())
        figures = decisions_by_corpus(tested, found, model.classes, feature_set.name)
        decisions[name] = {
            **figures[tested.corpora[0]],
            "trained_on": sorted(set(trained.corpora)),
            "proof": proof,
        }
        on_progress("leaving one corpus out", done, len(described))
    return {
        "protocol": "loco",
        "band": band,
        "features": feature_set.name,
        "augmented_copies": augmentation.copies,
        "recipe": asdict(recipe),
        "decisions": decisions,
    }


def _described(  # noqa: PLR0917
    name: str,
    clips: Sequence[Clip],
    feature_set: FeatureSet,
    band: Band,
    augmentation: Augmentation,
    on_progress: Progress,
) -> Dataset:
    clips = one_of_each_content(clips)
    done = iter(range(1, len(clips) + 1))
    return describe_clips(
        clips,
        feature_set,
        band=band,
        augmentation=augmentation,
        on_clip=lambda: on_progress(f"describing {name}", next(done), len(clips)),
    )


def _checked(trained: Dataset, tested: Dataset) -> dict[str, Any]:
    """The proof that no speaker, recording or sentence is on both sides."""
    n_train, n_test = len(trained.emotions), len(tested.emotions)
    both = joined(trained, tested)
    fold = Fold(np.arange(n_train), np.arange(n_train, n_train + n_test))
    report = check_no_leakage([fold], both.speakers, both.contents, both.copies, both.sentences)
    return asdict(report)
