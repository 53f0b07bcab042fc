"""Evaluation protocols by name: who is trained on, who is tested, and what is shown beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold

from ser_batch.arrays import DoubleArray
from ser_batch.config import ModelSettings
from ser_batch.corpora.base import Clip, one_of_each_content
from ser_batch.errors import CorpusError
from ser_batch.features.dataset import Dataset
from ser_batch.features.sets import FeatureSet, get_feature_set
from ser_batch.progress import Progress
from ser_batch.training.augment import Augmentation
from ser_batch.training.crossvalidate import HeldOut, align, held_out_predictions
from ser_batch.training.decided import decided, decisions_by_corpus
from ser_batch.training.describe import FEATURE_SETS, Band, describe_clips
from ser_batch.training.detections import detections
from ser_batch.training.evaluation import Evaluation, evaluate
from ser_batch.training.fit import Recipe, train
from ser_batch.training.normalise import per_speaker
from ser_batch.training.splits import Fold, check_no_leakage, sentence_folds, speaker_folds

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
    *,
    band: Band,
    features: str | None = None,
    augmentation: Augmentation,
    recipe: Recipe,
    comparisons: bool,
    on_progress: Progress,
    decisions: bool = False,
    unseen_sentences: bool = False,
) -> dict[str, Any]:
    """Figures of a protocol, honest ones first, then those that flatter, named as such.

    Args:
        protocol: who is trained on and tested
        clips_of: clips of each corpus that it names
        band: what every clip is sent through
        features: name of the feature set; None: the band's descriptors
        augmentation: of training clips
        recipe: how to train
        comparisons: also the figures with per-speaker normalisation, split by clip at random,
            and of the 14 classes of sex and emotion
        on_progress: called with a step, what is done of it, and all of it
        decisions: across corpora, also what production decides with every emotion of both
        unseen_sentences: hold out texts as well as speakers, where a corpus names them

    Returns:
        JSON-able; `decisions` holds, by corpus, what production decides; the keys that every
        protocol has are protocol, band, features, n_clips,
        n_speakers, uar, uar_low, uar_high, wa, uar_normalised, ece
    """
    feature_set = get_feature_set(features or FEATURE_SETS[band])
    described = partial(
        _described, clips_of=clips_of, feature_set=feature_set, band=band, on_progress=on_progress
    )
    trained = described(protocol.train, augmentation=augmentation)
    tested = decided_across = None
    if protocol.test:
        tested = described(protocol.test)
        if decisions:
            decided_across = _decisions_across(trained, tested, recipe, feature_set.name)
        trained, tested = _of_emotions(trained), _of_emotions(tested)
    protocol_run = _Run(protocol, recipe, on_progress, unseen_sentences)
    predictions, proof = protocol_run.predictions(trained, tested)
    probabilities = predictions.probabilities
    clips = tested or trained.take(trained.copies == 0)
    found = evaluate(clips.emotions, probabilities, trained.classes, clips.speakers)
    normalised = None
    if comparisons:
        normal = per_speaker(trained), per_speaker(tested) if tested else None
        normalised = protocol_run.figures(*normal)
    return {
        "protocol": protocol.name,
        "band": band,
        "features": feature_set.name,
        "augmented_copies": augmentation.copies,
        "recipe": asdict(recipe),
        **found.as_dict(),
        "uar_normalised": normalised.uar if normalised else None,
        **detections(clips, probabilities, trained.classes),
        "by_sex": by_group(clips, clips.sexes, probabilities, trained.classes),
        "by_corpus": by_group(clips, clips.corpora, probabilities, trained.classes),
        "decisions": decided_across
        or decisions_by_corpus(clips, predictions.decided, trained.classes, feature_set.name),
        "proof": asdict(proof),
        "leaks": _flattering(protocol_run, trained) if comparisons and tested is None else {},
    }


@dataclass(frozen=True)
class _Run:
    """A protocol with what it needs to be run on several forms of the same clips."""

    protocol: Protocol
    recipe: Recipe
    on_progress: Progress
    unseen_sentences: bool

    def predictions(self, trained: Dataset, tested: Dataset | None) -> tuple[HeldOut, Any]:
        """Of the tested clips, and the proof of the split."""
        if tested is not None:
            proof = _proof_across(trained, tested)
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
        done = iter(range(1, len(folds) + 1))
        return held_out_predictions(
            dataset,
            folds,
            self.recipe,
            lambda: self.on_progress(what, next(done), len(folds)),
        )

    def figures(self, trained: Dataset, tested: Dataset | None) -> Evaluation:
        """The evaluation alone."""
        predictions, _ = self.predictions(trained, tested)
        clips = tested or trained.take(trained.copies == 0)
        return evaluate(clips.emotions, predictions.probabilities, trained.classes, clips.speakers)


def _decisions_across(
    trained: Dataset, tested: Dataset, recipe: Recipe, feature_set: str
) -> dict[str, dict[str, Any]]:
    """Production's decisions about other corpora; no emotion of either side is left out."""
    model = train(trained, recipe)
    found = decided(model, tested, ModelSettings())
    return decisions_by_corpus(tested, found, model.classes, feature_set)


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
    clips = trained.take(trained.copies == 0)
    splitter = StratifiedKFold(10, shuffle=True, random_state=0)
    folds = [
        Fold(fit.astype(np.int64), test.astype(np.int64))
        for fit, test in splitter.split(clips.features, clips.emotions)
    ]
    leaky = run.held_out(clips, folds, "splitting by clip, as tutorials do")
    fourteen = replace(
        trained,
        emotions=tuple(
            f"{sex} {emotion}" for sex, emotion in zip(trained.sexes, trained.emotions, strict=True)
        ),
    )
    sexed = run.figures(fourteen, None)
    random = evaluate(clips.emotions, leaky.probabilities, clips.classes, clips.speakers)
    return {
        "random_by_clip": {"uar": random.uar, "wa": random.wa},
        "sex_and_emotion": {"n_classes": len(sexed.classes), "uar": sexed.uar, "wa": sexed.wa},
    }


def _described(
    names: Sequence[str],
    clips_of: Mapping[str, Sequence[Clip]],
    *,
    feature_set: FeatureSet,
    band: Band,
    augmentation: Augmentation | None = None,
    on_progress: Progress,
) -> Dataset:
    clips = one_of_each_content([clip for name in names for clip in clips_of[name]])
    done = iter(range(1, len(clips) + 1))
    return describe_clips(
        clips,
        feature_set,
        band=band,
        augmentation=augmentation,
        on_clip=lambda: on_progress(f"describing {'+'.join(names)}", next(done), len(clips)),
    )


def _of_emotions(dataset: Dataset) -> Dataset:
    return dataset.take(np.isin(np.array(dataset.emotions), CROSS_EMOTIONS))


def _proof_across(trained: Dataset, tested: Dataset) -> Any:
    """The proof for a training and a test set of different corpora."""
    n_train, n_test = len(trained.emotions), len(tested.emotions)
    fold = Fold(np.arange(n_train), np.arange(n_train, n_train + n_test))
    return check_no_leakage(
        [fold],
        (*trained.speakers, *tested.speakers),
        (*trained.contents, *tested.contents),
    )
