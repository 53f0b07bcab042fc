"""What is tested: which clips, their classes, and who is trained on and who is tested."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.model_selection import StratifiedKFold

from ser_batch.arrays import IntArray
from ser_batch.corpora.base import Clip
from ser_batch.lab.bench.few_labels import N_LABELS
from ser_batch.lab.bench.models.material import Material
from ser_batch.training.protocols import CROSS_EMOTIONS
from ser_batch.training.splits import Fold, check_no_leakage, speaker_folds

N_FOLDS = 5
N_RANDOM_FOLDS = 10
TRAINED_ON = ("cremad", "emodb", "nemo", "ravdess", "tess")
FEW = ("emodb", "nemo", "ravdess", "tess")
"""Corpora whose speakers stand for one call centre's, where there are few labels."""
UNSEEN = ("ravdess", "nemo", "tess")
"""Corpora that the shipped model is not trained on."""


@dataclass(frozen=True)
class Trial:
    """What a model is trained and tested on.

    Attributes:
        corpora: whose clips are numbered, one corpus after the other
        labels: class of each clip
        folds: numbers of clips
        is_honest: whether no speaker is on both sides
    """

    corpora: tuple[str, ...]
    labels: tuple[str, ...]
    folds: tuple[Fold, ...]
    is_honest: bool = True

    @property
    def tested(self) -> IntArray:
        """Numbers of the clips that are tested, in the order of the folds."""
        return np.concatenate([fold.test for fold in self.folds])

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of the clips that are trained on, sorted."""
        used = {number for fold in self.folds for number in fold.train}
        return tuple(sorted({self.labels[number] for number in used}))


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        name: of the column
        says: what is tested
        corpora: whose clips it needs
        trial: of the clips
    """

    name: str
    says: str
    corpora: tuple[str, ...]
    trial: Callable[[Material], Trial]


def held_out(material: Material, name: str, *, n_folds: int | None, sexed: bool = False) -> Trial:
    """Speakers of a corpus held out in turn; with `sexed`, classes are of sex and emotion."""
    clips = material.clips(name)
    folds = speaker_folds(_speakers(clips), material.contents(name), n_folds=n_folds)
    return _checked(material, Trial((name,), _labels(clips, sexed=sexed), tuple(folds)))


def random_split(material: Material, name: str) -> Trial:
    """Clips dealt at random, as tutorials do: the same speakers on both sides."""
    clips = material.clips(name)
    labels = _labels(clips, sexed=True)
    splitter = StratifiedKFold(N_RANDOM_FOLDS, shuffle=True, random_state=0)
    folds = [
        Fold(trained.astype(np.int64), tested.astype(np.int64))
        for trained, tested in splitter.split(np.zeros(len(clips)), labels)
    ]
    return Trial((name,), labels, tuple(folds), is_honest=False)


def unseen_corpus(material: Material, name: str) -> Trial:
    """One corpus tested by a model of all others, on the emotions that they have in common."""
    clips = material.clips(*TRAINED_ON)
    tested = np.array([clip.corpus == name for clip in clips])
    common = np.array([clip.emotion in CROSS_EMOTIONS for clip in clips])
    fold = Fold(np.flatnonzero(~tested & common), np.flatnonzero(tested & common))
    return _checked(material, Trial(TRAINED_ON, _labels(clips), (fold,)))


def few(material: Material, n_labels: int) -> Trial:
    """A few clips an emotion to train on, and all clips of the speakers outside of them."""
    clips = material.clips(*FEW)
    emotions = np.array([clip.emotion for clip in clips])
    used = np.flatnonzero(np.isin(emotions, CROSS_EMOTIONS))
    folds = []
    everyone = speaker_folds(_speakers(clips), material.contents(*FEW))
    for first in range(N_FOLDS):
        tested = np.concatenate([fold.test for fold in everyone[first::N_FOLDS]])
        rng = np.random.default_rng([first, n_labels])
        trained = np.setdiff1d(used, tested)
        drawn = [
            rng.permutation(trained[emotions[trained] == emotion])[:n_labels]
            for emotion in CROSS_EMOTIONS
        ]
        folds.append(Fold(np.sort(np.concatenate(drawn)), np.intersect1d(used, tested)))
    return _checked(material, Trial(FEW, _labels(clips), tuple(folds)))


COLUMNS = (
    Column("EmoDB", "7 classes, each speaker held out", ("emodb",),
           partial(held_out, name="emodb", n_folds=None)),
    Column("RAVDESS", "8 classes, 5 folds of 4 speakers", ("ravdess",),
           partial(held_out, name="ravdess", n_folds=N_FOLDS)),
    Column("sex and emotion", "14 classes of EmoDB, each speaker held out", ("emodb",),
           partial(held_out, name="emodb", n_folds=None, sexed=True)),
    Column("sex and emotion, random split",
           "the same 14 classes, clips dealt at random: speakers on both sides", ("emodb",),
           partial(random_split, name="emodb")),
    *(Column(f"{n} labels", f"{n} clips an emotion, 4 classes, unseen speakers of 4 corpora", FEW,
             partial(few, n_labels=n)) for n in N_LABELS),
    *(Column(f"unseen {name}", "4 classes, by a model of the other corpora", TRAINED_ON,
             partial(unseen_corpus, name=name)) for name in UNSEEN),
    Column("CREMA-D", "6 classes as most listeners vote, 5 folds of speakers", ("cremad",),
           partial(held_out, name="cremad", n_folds=N_FOLDS)),
)  # fmt: skip
"""The quick ones first."""

LARGEST = "CREMA-D"
"""By its models, the minutes of training, the size and the time of a prediction are stated."""


def _labels(clips: Iterable[Clip], *, sexed: bool = False) -> tuple[str, ...]:
    return tuple(f"{clip.sex} {clip.emotion}" if sexed else clip.emotion for clip in clips)


def _speakers(clips: Iterable[Clip]) -> list[str]:
    return [clip.speaker for clip in clips]


def _checked(material: Material, trial: Trial) -> Trial:
    """The trial, if no speaker and no recording is on both sides.

    Raises:
        LeakError: if one is
    """
    speakers = _speakers(material.clips(*trial.corpora))
    check_no_leakage(trial.folds, speakers, material.contents(*trial.corpora))
    return trial
