"""Clips of corpora and their features, each described once and kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path

from ser_batch.corpora import read_corpus
from ser_batch.corpora.base import Clip, contents, one_of_each_content
from ser_batch.features.dataset import Dataset, joined
from ser_batch.features.sets import FeatureSet
from ser_batch.lab.bench.described import NO_COPIES, described
from ser_batch.progress import Progress
from ser_batch.training.augment import Augmentation
from ser_batch.training.normalise import per_speaker


@dataclass(frozen=True)
class Description:
    """How clips become features.

    Attributes:
        features: what is measured
        augmentation: copies of each clip, after it
        normalised: whether a speaker's own mean and spread are taken out
    """

    features: FeatureSet
    augmentation: Augmentation = NO_COPIES
    normalised: bool = False


@dataclass
class Material:
    """Corpora below a folder.

    Attributes:
        corpora: folder below which each corpus has its own
        cache: folder of features
        on_progress: called with a step, what is done of it, and all of it
    """

    corpora: Path
    cache: Path
    on_progress: Progress
    _clips: dict[str, list[Clip]] = field(default_factory=dict)
    _contents: dict[str, list[str]] = field(default_factory=dict)
    _described: dict[str, Dataset] = field(default_factory=dict)
    _description: Description | None = None

    def clips(self, *names: str) -> list[Clip]:
        """Clips of some corpora, none twice.

        Raises:
            CorpusError: if a corpus is not there
        """
        for name in names:
            if name not in self._clips:
                self._clips[name] = one_of_each_content(read_corpus(self.corpora, name))
        return [clip for name in names for clip in self._clips[name]]

    def contents(self, *names: str) -> list[str]:
        """Digest of each clip's bytes."""
        for name in names:
            if name not in self._contents:
                self._contents[name] = contents(self.clips(name))
        return [content for name in names for content in self._contents[name]]

    def dataset(self, names: tuple[str, ...], description: Description) -> Dataset:
        """Features of the clips, each followed by its copies; one description is held at a time."""
        if description != self._description:
            self._described.clear()
            self._description = description
        for name in names:
            if name not in self._described:
                self._described[name] = self._describe(name, description)
        return reduce(joined, (self._described[name] for name in names))

    def _describe(self, name: str, description: Description) -> Dataset:
        found = described(
            name,
            description.features,
            self.corpora,
            self.cache,
            self.on_progress,
            description.augmentation,
        )
        return per_speaker(found) if description.normalised else found
