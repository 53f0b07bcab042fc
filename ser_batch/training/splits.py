"""Splits in which no speaker is on both sides, and the check of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedKFold

from ser_batch.arrays import IntArray
from ser_batch.errors import BothSidesError, LeakError

N_CLIP_FOLDS = 10
N_SENTENCE_PARTS = 3
"""Into how many parts the texts of a corpus are dealt: each model misses one of them."""


@dataclass(frozen=True)
class Fold:
    """Row numbers of one fold.

    Attributes:
        train: shape (n_train,)
        test: shape (n_test,)
    """

    train: IntArray
    test: IntArray


@dataclass(frozen=True)
class LeakageReport:
    """What was checked of a split; it exists only if the check passed.

    Attributes:
        n_folds: folds
        n_speakers: speakers, each tested in exactly one fold
        n_clips: clips, each tested in exactly one fold
        n_duplicates: clips that repeat another's recording, in its fold
        n_copies: augmented copies, in the fold of their clip and never tested
        n_sentences: texts that no fold has on both sides; 0 where that was not asked
    """

    n_folds: int
    n_speakers: int
    n_clips: int
    n_duplicates: int
    n_copies: int
    n_sentences: int = 0


def speaker_folds(
    speakers: Sequence[str], contents: Sequence[str], *, n_folds: int | None = None
) -> list[Fold]:
    """Folds of whole speakers; speakers who share a recording go together.

    Speakers are dealt to the folds in the order of their names, back and forth. Names begin with
    the corpus, so every fold holds speakers of every corpus.

    Args:
        speakers: of each clip
        contents: digest of each clip's bytes; augmented copies carry that of their original
        n_folds: number of folds; None: each speaker alone

    Raises:
        LeakError: if there are fewer than two speakers to hold apart
    """
    groups = _groups(speakers, contents)
    names = sorted(set(groups))
    if len(names) < 2:
        raise LeakError("one speaker alone cannot be split: the same voice would be on both sides")
    parts = _dealt(names, min(n_folds or len(names), len(names)))
    labels = np.array(groups)
    masks = [np.isin(labels, part) for part in parts]
    return [Fold(np.flatnonzero(~mask), np.flatnonzero(mask)) for mask in masks]


def clip_folds(emotions: Sequence[str]) -> list[Fold]:
    """Folds of clips at random, as tutorials split: the same speakers on both sides.

    Args:
        emotions: of each clip; each is dealt to all folds, which are fewer where it has few clips

    Returns:
        none where an emotion has one clip alone
    """
    n_folds = min(N_CLIP_FOLDS, *Counter(emotions).values())
    if n_folds < 2:
        return []
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=0)
    return [
        Fold(train.astype(np.int64), test.astype(np.int64))
        for train, test in splitter.split(np.zeros(len(emotions)), emotions)
    ]


def sentence_folds(folds: Sequence[Fold], sentences: Sequence[str]) -> list[Fold]:
    """The same folds, in which no text that is tested was trained on either.

    The texts of each fold's test clips are dealt to parts, and each part is tested without the
    clips of training that speak its texts. Each model so trains on fewer clips.

    Args:
        folds: of whole speakers
        sentences: text of each clip, empty where it is not known; such clips are held out by
            speaker alone
    """
    labels = np.array(sentences)
    known = sorted(set(sentences) - {""})
    parts = _dealt(known, min(N_SENTENCE_PARTS, len(known))) if known else [[]]
    apart = []
    for fold in folds:
        for number, part in enumerate(parts):
            mine = [*part, ""] if number == 0 else part
            test = fold.test[np.isin(labels[fold.test], mine)]
            train = fold.train[~np.isin(labels[fold.train], part)]
            if len(test) and len(train):
                apart.append(Fold(train, test))
    return apart


def _dealt(names: Sequence[str], n_folds: int) -> list[list[str]]:
    """Names dealt to the folds as 0, 1, 2, 2, 1, 0, 0, …

    Turning back keeps a corpus that numbers men odd and women even from one sex a fold.
    """
    there_and_back = [*range(n_folds), *reversed(range(n_folds))]
    parts: list[list[str]] = [[] for _ in range(n_folds)]
    for number, name in enumerate(names):
        parts[there_and_back[number % len(there_and_back)]].append(name)
    return parts


def check_no_leakage(
    folds: Sequence[Fold],
    speakers: Sequence[str],
    contents: Sequence[str],
    copies: IntArray | None = None,
    sentences: Sequence[str] | None = None,
) -> LeakageReport:
    """Check that no speaker, recording or augmented copy stands on both sides of any fold.

    Args:
        folds: row numbers
        speakers: of each row
        contents: digest of the recording of each row; copies carry that of their original
        copies: 0 for a clip as it is, 1 and up for its copies; None: there are none
        sentences: text of each row, empty where it is not known; None: may be on both sides

    Raises:
        BothSidesError: naming the first that does
        LeakError: if a clip is tested twice
    """
    held_apart = [("speaker", speakers), ("recording", contents), ("sentence", sentences)]
    for number, fold in enumerate(folds, start=1):
        for kind, labels in held_apart:
            if labels is None:
                continue
            shared = {labels[i] for i in fold.train} & {labels[i] for i in fold.test} - {""}
            if shared:
                where = f"fold {number}: " if len(folds) > 1 else ""
                raise BothSidesError(f"{where}{kind} {min(shared)} is on both sides")
    tested = np.concatenate([fold.test for fold in folds])
    if len(np.unique(tested)) != len(tested):
        raise LeakError("a clip is tested in more than one fold")
    clips = tested if copies is None else tested[copies[tested] == 0]
    return LeakageReport(
        n_folds=len(folds),
        n_speakers=len({speakers[i] for i in clips}),
        n_clips=len(clips),
        n_duplicates=len(clips) - len({contents[i] for i in clips}),
        n_copies=len(tested) - len(clips),
        n_sentences=len({sentences[i] for i in clips} - {""}) if sentences is not None else 0,
    )


def _groups(speakers: Sequence[str], contents: Sequence[str]) -> list[str]:
    """Name of each clip's group: the first of the speakers who share recordings with its own."""
    names, speaker = np.unique(np.array(speakers), return_inverse=True)
    recordings, recording = np.unique(np.array(contents), return_inverse=True)
    n_nodes = len(names) + len(recordings)
    links = coo_array(
        (np.ones(len(speaker)), (speaker, len(names) + recording)), shape=(n_nodes, n_nodes)
    )
    _, component = connected_components(links, directed=False)
    _, first, group = np.unique(component[: len(names)], return_index=True, return_inverse=True)
    return [str(name) for name in names[first[group[speaker]]]]
