"""Labelled features in memory: what training and evaluation work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray, IntArray


@dataclass(frozen=True)
class Dataset:
    """Clips as features with their labels; every column has one entry a clip.

    Attributes:
        features: shape (n_clips, n_features)
        names: of the features
        emotions: label of each clip
        speakers: who speaks, unique across corpora
        contents: digest of the recording; copies of it carry the same
        corpora: short name of the corpus
        sexes: of the speaker
        copies: 0 for a clip as it is, 1 and up for its augmented copies, shape (n_clips,)
        own_weights: how much each counts in training, shape (n_clips,); None: all alike
        line: quality of the line that each was heard on, a column each of `LINE_MEASURES`, NaN
            where a clip says nothing honest about it; None: of no clip it is known
    """

    features: FloatArray
    names: tuple[str, ...]
    emotions: tuple[str, ...]
    speakers: tuple[str, ...]
    contents: tuple[str, ...]
    corpora: tuple[str, ...]
    sexes: tuple[str, ...]
    copies: IntArray
    own_weights: DoubleArray | None = None
    line: FloatArray | None = None

    @property
    def weights(self) -> DoubleArray:
        """How much each clip counts in training, shape (n_clips,)."""
        return np.ones(len(self.emotions)) if self.own_weights is None else self.own_weights

    @property
    def classes(self) -> tuple[str, ...]:
        """The emotions that occur, sorted."""
        return tuple(sorted(set(self.emotions)))

    def take(self, rows: IntArray | BoolArray) -> Dataset:
        """The clips of some rows."""
        numbers = np.arange(len(self.emotions))[rows]

        def pick(column: Sequence[str]) -> tuple[str, ...]:
            return tuple(column[i] for i in numbers)

        return replace(
            self,
            features=self.features[numbers],
            emotions=pick(self.emotions),
            speakers=pick(self.speakers),
            contents=pick(self.contents),
            corpora=pick(self.corpora),
            sexes=pick(self.sexes),
            copies=self.copies[numbers],
            own_weights=None if self.own_weights is None else self.own_weights[numbers],
            line=None if self.line is None else self.line[numbers],
        )

    def reading(self, columns: Sequence[int]) -> Dataset:
        """The same clips with some of their features."""
        return replace(
            self,
            features=self.features[:, columns],
            names=tuple(self.names[column] for column in columns),
        )

    def weighed(self, by_corpus: Mapping[str, float]) -> Dataset:
        """The same clips, each counting as much as its corpus; one that is not named counts 1."""
        weights = np.array([by_corpus.get(corpus, 1.0) for corpus in self.corpora], np.float64)
        return replace(self, own_weights=weights)

    def without_copies(self, rows: IntArray) -> IntArray:
        """Those of some rows that are no augmented copies."""
        originals: IntArray = rows[self.copies[rows] == 0]
        return originals


def joined(one: Dataset, other: Dataset) -> Dataset:
    """The clips of both; their features are the same."""
    return Dataset(
        features=np.concatenate([one.features, other.features]),
        names=one.names,
        emotions=(*one.emotions, *other.emotions),
        speakers=(*one.speakers, *other.speakers),
        contents=(*one.contents, *other.contents),
        corpora=(*one.corpora, *other.corpora),
        sexes=(*one.sexes, *other.sexes),
        copies=np.concatenate([one.copies, other.copies]),
        own_weights=np.concatenate([one.weights, other.weights]),
        line=None
        if one.line is None or other.line is None
        else np.concatenate([one.line, other.line]),
    )
