"""Leave one corpus out: each corpus is tested by a model of all the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import reduce
from typing import Any

from ser_batch.config import ModelSettings
from ser_batch.corpora.base import Clip, one_of_each_content
from ser_batch.errors import CorpusError
from ser_batch.features.dataset import joined
from ser_batch.progress import Progress
from ser_batch.training.crossvalidate import check_apart, check_clips_apart
from ser_batch.training.decided import decided, decisions_by_corpus
from ser_batch.training.fit import train
from ser_batch.training.setup import TrainingSetup


def run_loco(
    corpora: Mapping[str, Sequence[Clip]], setup: TrainingSetup, *, on_progress: Progress
) -> dict[str, Any]:
    """Production's decisions on each corpus, by a model that was trained on the others.

    Speakers, recordings and sentences are unseen with the corpus.

    Args:
        corpora: clips by corpus, two at least
        setup: how clips are described and trained on
        on_progress: called with what is being done, the steps done, and all steps

    Returns:
        JSON-able: protocol, band, features, recipe, `decisions` by corpus as
        `decided.decisions_by_corpus` gives them, each with trained_on and proof

    Raises:
        CorpusError: if there are fewer than two corpora
        LeakError: if two corpora share a speaker, a recording or a sentence
    """
    if len(corpora) < 2:
        raise CorpusError(
            "leaving one corpus out needs two: put corpora below --corpora, or name --labels"
        )
    check_clips_apart(corpora)
    described = {
        name: setup.describe(
            one_of_each_content(clips), step=f"describing {name}", on_progress=on_progress
        )
        for name, clips in sorted(corpora.items())
    }
    decisions = {}
    for done, (name, dataset) in enumerate(described.items(), start=1):
        others = [other for key, other in described.items() if key != name]
        trained, tested = reduce(joined, others), dataset.take(dataset.copies == 0)
        proof = check_apart(trained, tested, sentences=True)
        model = train(trained, setup.recipe)
        found = decided(model, tested, ModelSettings())
        figures = decisions_by_corpus(tested, found, model.classes, setup.features)
        decisions[name] = {
            **figures[tested.corpora[0]],
            "trained_on": sorted(set(trained.corpora)),
            "proof": asdict(proof),
        }
        on_progress("leaving one corpus out", done, len(described))
    return {"protocol": "loco", **setup.as_dict(), "decisions": decisions}
