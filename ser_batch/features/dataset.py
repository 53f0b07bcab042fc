"""Labelled features in memory: what training and evaluation work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ser_batch.arrays import BoolArray, DoubleArray, FloatArray, IntArray
from ser_batch.emotions import EMOTIONS
from ser_batch.features.kinds import FeatureKind

LONG_SEGMENT = -1
"""In `Dataset.copies`: several clips joined, which say how long segments sound, and no emotion."""


@dataclass(frozen=True)
class Dataset:
    """Clips as features with their labels; every column has one entry a clip.

    Attributes:
        features: shape (n_clips, n_features)
        names: of the features
        kinds: what the features measure
        emotions: label of each clip; with several annotators, what most of them name
        speakers: who speaks, unique across corpora
        contents: digest of the recording; copies of it carry the same
        corpora: short name of the corpus
        sexes: of the speaker
        copies: 0 for a clip as it is, 1 and up for its augmented copies, `LONG_SEGMENT`, shape
            (n_clips,)
        own_weights: how much each counts in training, shape (n_clips,); None: all alike
        line: quality of the channel of each, a column each of `LINE_MEASURES`, NaN
            where a clip says nothing honest about it; None: of no clip it is known
        shares: share of each clip's annotators by emotion, a column each of `EMOTIONS`; None: all
            of them name `emotions`
        sentences: text that each clip speaks, empty where it is not known; None: of no clip
        dimensions: arousal and valence of each, 1 to 5, NaN where they are not known, shape
            (n_clips, 2); None: of no clip
    """

    features: FloatArray
    names: tuple[str, ...]
    kinds: tuple[FeatureKind, ...]
    emotions: tuple[str, ...]
    speakers: tuple[str, ...]
    contents: tuple[str, ...]
    corpora: tuple[str, ...]
    sexes: tuple[str, ...]
    copies: IntArray
    own_weights: DoubleArray | None = None
    line: FloatArray | None = None
    shares: FloatArray | None = None
    sentences: tuple[str, ...] | None = None
    dimensions: DoubleArray | None = None

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
            shares=None if self.shares is None else self.shares[numbers],
            sentences=None if self.sentences is None else pick(self.sentences),
            dimensions=None if self.dimensions is None else self.dimensions[numbers],
        )

    def targets(self, classes: Sequence[str]) -> DoubleArray:
        """Share of each clip's annotators by class.

        Args:
            classes: names of the columns; each clip's annotators name at least one of them

        Returns:
            shape (n_clips, len(classes)), rows sum to 1
        """
        if self.shares is None:
            return np.array([[float(e == name) for name in classes] for e in self.emotions])
        named = self.shares[:, [EMOTIONS.index(name) for name in classes]].astype(np.float64)
        return np.asarray(named / named.sum(axis=1, keepdims=True))

    def level(self, weights: Mapping[str, float]) -> DoubleArray:
        """Share of each clip's annotators, each emotion counted by its weight.

        Args:
            weights: 0..1 by emotion; one that is not named weighs nothing

        Returns:
            shape (n_clips,), 0..1
        """
        if self.shares is None:
            return np.array([weights.get(name, 0.0) for name in self.emotions])
        return self.shares.astype(np.float64) @ [weights.get(name, 0.0) for name in EMOTIONS]

    def merged(self, into: Mapping[str, str]) -> Dataset:
        """The same clips with some emotions counted as others.

        Args:
            into: the emotion that one counts as, by its name
        """
        emotions = tuple(into.get(name, name) for name in self.emotions)
        shares = None
        if self.shares is not None:
            shares = np.zeros_like(self.shares)
            for column, name in enumerate(EMOTIONS):
                shares[:, EMOTIONS.index(into.get(name, name))] += self.shares[:, column]
        return replace(self, emotions=emotions, shares=shares)

    def reading(self, columns: Sequence[int]) -> Dataset:
        """The same clips with some of their features."""
        return replace(
            self,
            features=self.features[:, columns],
            names=tuple(self.names[column] for column in columns),
            kinds=tuple(self.kinds[column] for column in columns),
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
        kinds=one.kinds,
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
        shares=None
        if one.shares is None and other.shares is None
        else np.concatenate([one.targets(EMOTIONS), other.targets(EMOTIONS)]).astype(np.float32),
        sentences=None
        if one.sentences is None or other.sentences is None
        else (*one.sentences, *other.sentences),
        dimensions=_joined_dimensions(one, other),
    )


def _joined_dimensions(one: Dataset, other: Dataset) -> DoubleArray | None:
    if one.dimensions is None and other.dimensions is None:
        return None
    return np.concatenate(
        [
            np.full((len(part.emotions), 2), np.nan) if part.dimensions is None else part.dimensions
            for part in (one, other)
        ]
    )
