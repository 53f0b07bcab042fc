"""Features of a corpus, kept on disk: another head costs no description."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from ser_batch.config import digest
from ser_batch.corpora import read_corpus
from ser_batch.corpora.base import contents, one_of_each_content
from ser_batch.features.dataset import Dataset
from ser_batch.features.sets import FeatureSet
from ser_batch.progress import Progress
from ser_batch.training.augment import Augmentation
from ser_batch.training.describe import describe_clips, labelled_rows

NO_COPIES = Augmentation()


def described(
    name: str,
    chosen: FeatureSet,
    corpora: Path,
    folder: Path,
    on_progress: Progress,
    augmentation: Augmentation = NO_COPIES,
) -> Dataset:
    """A corpus in telephone band, read from the cache if it was described before.

    Args:
        name: of the corpus
        chosen: what to measure
        corpora: folder below which the corpus has its own
        folder: of the cache
        on_progress: called with what is being described, the clips done, and all of them
        augmentation: augmented copies, each after its clip
    """
    clips = one_of_each_content(read_corpus(corpora, name))
    own = contents(clips)
    copies = asdict(augmentation) if augmentation.copies else None
    path = folder / f"{name}-{chosen.name}-{digest([chosen.digest, own, copies])}.npy"
    if not path.exists():
        done = iter(range(1, len(clips) + 1))
        found = describe_clips(
            clips,
            chosen,
            augmentation=augmentation,
            on_clip=lambda: on_progress(f"{chosen.name}: {name}", next(done), len(clips)),
        )
        folder.mkdir(parents=True, exist_ok=True)
        np.save(path, found.features, allow_pickle=False)
    return labelled_rows(clips, own, np.load(path, allow_pickle=False), chosen)
