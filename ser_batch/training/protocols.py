"""Evaluation protocols by name: who is trained on, who is tested, and what is shown beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ser_batch.arrays import DoubleArray
from ser_batch.config import ModelSettings
from ser_batch.corpora.base import Clip, check_emotions, one_of_each_content
from ser_batch.errors import CorpusError
from ser_batch.features.dataset import LONG_SEGMENT, Dataset
from ser_batch.progress import Progress, counted
from ser_batch.training.crossvalidate import (
    HeldOut,
    align,
    check_apart,
    check_clips_apart,
    held_out_predictions,
)
from ser_batch.training.decided import decided, decisions_by_corpus
from ser_batch.training.detections import detections
from ser_batch.training.dimensions import dimension_figures
from ser_batch.training.evaluation import Evaluation, evaluate
from ser_batch.training.fit import Recipe, train
from ser_batch.training.normalise import per_speaker
from ser_batch.training.setup import TrainingSetup
from ser_batch.training.splits import (
    Fold,
    LeakageReport,
    check_no_leakage,
    clip_folds,
    sentence_folds,
    speaker_folds,
)

CROSS_EMOTIONS = ("anger", "happiness", "neutral", "sadness")
"""What the corpora have in common."""


@dataclass(frozen=True)
class Protocol:
    """Who is trained on and who is tested.

    Attributes:
        name: as it was asked for
        train: corpora
        test: corpora, empty where the training corpora's own speakers are held out in turn
        speakers_per_fold: speakers tested at a time
    """

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...] = ()
    speakers_per_fold: int = 1


def parse_protocol(name: str) -> Protocol:
    """`emodb-loso`, `ravdess-folds-of-4` or `cross:emodb->ravdess+nemo`.

    Raises:
        CorpusError: if it is none of these
    """
    if match := re.fullmatch(r"cross:(?P<train>[^>]+)->(?P<test>[^>]+)", name):
        return Protocol(name, tuple(match["train"].split("+")), tuple(match["test"].split("+")))
    if match := re.fullmatch(r"(?P<corpora>[^>]+)-(?:loso|folds-of-(?P<size>[1-9]\d*))", name):
        return Protocol(
            name, tuple(match["corpora"].split("+")), speakers_per_fold=int(match["size"] or 1)
        )
    raise CorpusError(
        f"{name!r} is no protocol: try emodb-loso, ravdess-folds-of-4 or cross:emodb->ravdess"
    )


def run_protocol(
    protocol: Protocol,
    clips_of: Mapping[str, Sequence[Clip]],
    setup: TrainingSetup,
    *,
    comparisons: bool,
    on_progress: Progress,
    decisions: bool = False,
    unseen_sentences: bool = False,
    dimensions: bool = False,
) -> dict[str, Any]:
    """Figures of a protocol, honest ones first, then those that flatter, named as such.

    Args:
        protocol: who is trained on and tested
        clips_of: clips of each corpus that it names
        setup: how clips are described and trained on
        comparisons: also the figures with per-speaker normalisation, split by clip at random,
            and of the 14 classes of sex and emotion
        on_progress: called with a step, what is done of it, and all of it
        decisions: across corpora, also what production decides with every emotion of both
        unseen_sentences: hold out texts as well as speakers, where a corpus names them
        dimensions: also how well arousal and valence agree with the labels

    Raises:
        CorpusError: if the clips to train on are of one emotion
        LeakError: if a speaker or a recording is on both sides

    Returns:
        JSON-able; `decisions` holds, by corpus, what production decides; the keys that every
        protocol has are protocol, band, features, n_clips,
        n_speakers, uar, uar_low, uar_high, wa, uar_normalised, ece
    """
    check_emotions(clip for corpus in protocol.train for clip in clips_of[corpus])
    describe = partial(_described, setup, clips_of, on_progress)
    tested = decided_cross_corpus = None
    sides = [side for side in (protocol.train, protocol.test) if side]
    check_clips_apart({"+".join(s): [c for name in s for c in clips_of[name]] for s in sides})
    trained = describe(protocol.train)
    if protocol.test:
        tested = describe(protocol.test, copies=False)
    agreement = dimension_figures(trained, tested) if dimensions else None
    if tested is not None:
        if decisions:
            decided_cross_corpus = _decisions_cross_corpus(trained, tested, setup)
        trained, tested = of_emotions(trained), of_emotions(tested)
    if unseen_sentences:  # long segments speak several
        trained = trained.take(trained.copies != LONG_SEGMENT)
    run = _Run(protocol, setup.recipe, on_progress, unseen_sentences)
    predictions, proof = run.predictions(trained, tested)
    probabilities, classes = predictions.probabilities, trained.classes
    clips = tested or trained.take(trained.copies == 0)
    found = evaluate(clips.emotions, probabilities, classes, clips.speakers)
    normalised = None
    if comparisons:
        normal = per_speaker(trained), per_speaker(tested) if tested else None
        normalised = run.figures(*normal).uar
    return {
        "protocol": protocol.name,
        **setup.as_dict(),
        **found.as_dict(),
        "uar_normalised": normalised,
        **detections(clips, probabilities, classes),
        "by_sex": by_group(clips, clips.sexes, probabilities, classes),
        "by_corpus": by_group(clips, clips.corpora, probabilities, classes),
        "decisions": decided_cross_corpus
        or decisions_by_corpus(clips, predictions.decided, classes, setup.features),
        "dimensions": agreement,
        "proof": asdict(proof),
        "leaks": _flattering(run, trained) if comparisons and tested is None else {},
    }


@dataclass(frozen=True)
class _Run:
    """A protocol with what it needs to be run on several forms of the same clips."""

    protocol: Protocol
    recipe: Recipe
    on_progress: Progress
    unseen_sentences: bool

    def predictions(
        self, trained: Dataset, tested: Dataset | None
    ) -> tuple[HeldOut, LeakageReport]:
        """Of the tested clips, and the proof of the split."""
        if tested is not None:
            proof = check_apart(trained, tested, sentences=False)
            model = train(trained, self.recipe)
            found = model.predict(tested.features, tested.names)
            found = align(found, model.classes, trained.classes)
            return HeldOut(found, decided(model, tested, ModelSettings())), proof
        n_speakers = len(speaker_folds(trained.speakers, trained.contents))
        n_folds = -(-n_speakers // self.protocol.speakers_per_fold)
        folds = speaker_folds(trained.speakers, trained.contents, n_folds=n_folds)
        sentences = trained.sentences if self.unseen_sentences else None
        if sentences is not None:
            folds = sentence_folds(folds, sentences)
        proof = check_no_leakage(
            folds, trained.speakers, trained.contents, trained.copies, sentences
        )
        return self.held_out(trained, folds, "testing on unseen speakers"), proof

    def held_out(self, dataset: Dataset, folds: Sequence[Fold], what: str) -> HeldOut:
        """Predictions for each fold's clips."""
        on_fold = counted(what, len(folds), self.on_progress)
        return held_out_predictions(dataset, folds, self.recipe, on_fold)

    def figures(self, trained: Dataset, tested: Dataset | None) -> Evaluation:
        """The evaluation alone."""
        predictions, _ = self.predictions(trained, tested)
        clips = tested or trained.take(trained.copies == 0)
        return evaluate(clips.emotions, predictions.probabilities, trained.classes, clips.speakers)


def _decisions_cross_corpus(
    trained: Dataset, tested: Dataset, setup: TrainingSetup
) -> dict[str, dict[str, Any]]:
    """Production's decisions about other corpora; no emotion of either side is left out."""
    model = train(trained, setup.recipe)
    found = decided(model, tested, ModelSettings())
    return decisions_by_corpus(tested, found, model.classes, setup.features)


def by_group(
    clips: Dataset, groups: Sequence[str], probabilities: DoubleArray, classes: Sequence[str]
) -> dict[str, dict[str, float]]:
    """UAR and accuracy of each group of clips."""
    labels = np.array(groups)
    figures = {}
    for group in sorted(set(groups)):
        rows = np.flatnonzero(labels == group)
        part = clips.take(rows)
        found = evaluate(part.emotions, probabilities[rows], classes, part.speakers)
        figures[group] = {"n_clips": found.n_clips, "uar": found.uar, "wa": found.wa}
    return figures


def _flattering(run: _Run, trained: Dataset) -> dict[str, Any]:
    """What tutorials report: the same speakers on both sides, and classes of sex and emotion."""
    fourteen = replace(
        trained,
        emotions=tuple(
            f"{sex} {emotion}" for sex, emotion in zip(trained.sexes, trained.emotions, strict=True)
        ),
    )
    sexed = run.figures(fourteen, None)
    return {
        "random_by_clip": _random_by_clip(run, trained.take(trained.copies == 0)),
        "sex_and_emotion": {"n_classes": len(sexed.classes), "uar": sexed.uar, "wa": sexed.wa},
    }


def _random_by_clip(run: _Run, clips: Dataset) -> dict[str, Any] | None:
    """Figures of clips dealt at random; None where an emotion has one clip alone."""
    folds = clip_folds(clips.emotions)
    if not folds:
        return None
    leaky = run.held_out(clips, folds, "splitting by clip, as tutorials do")
    found = evaluate(clips.emotions, leaky.probabilities, clips.classes, clips.speakers)
    return {"n_folds": len(folds), "uar": found.uar, "wa": found.wa}


def _described(
    setup: TrainingSetup,
    clips_of: Mapping[str, Sequence[Clip]],
    on_progress: Progress,
    names: Sequence[str],
    *,
    copies: bool = True,
) -> Dataset:
    clips = one_of_each_content([clip for name in names for clip in clips_of[name]])
    step = f"describing {'+'.join(names)}"
    return setup.describe(clips, copies=copies, step=step, on_progress=on_progress)


def of_emotions(dataset: Dataset) -> Dataset:
    """The clips of the emotions that the corpora have in common."""
    return dataset.take(np.isin(np.array(dataset.emotions), CROSS_EMOTIONS))
