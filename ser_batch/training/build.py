"""From corpora to a model bundle: read, describe, evaluate, train, write."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ser_batch import __version__
from ser_batch.config import ModelSettings
from ser_batch.corpora import CORPORA
from ser_batch.corpora.base import Clip, one_of_each_content
from ser_batch.corpora.licences import strictest
from ser_batch.emotions import CALL_CATEGORIES
from ser_batch.features.dataset import Dataset
from ser_batch.features.sets import FeatureSet, get_feature_set
from ser_batch.monitoring.drift import held_out, write_reference
from ser_batch.progress import Progress, counted, silent
from ser_batch.scoring.bundle import Bundle, write_bundle
from ser_batch.scoring.predictor import Predictor
from ser_batch.training.augment import Augmentation
from ser_batch.training.card import model_card
from ser_batch.training.crossvalidate import CrossValidation, cross_validate
from ser_batch.training.decided import decided, decisions_by_corpus
from ser_batch.training.describe import FEATURE_SETS, Band, describe_clips
from ser_batch.training.fit import Recipe, train
from ser_batch.training.recipes import copies_for, recipe_for
from ser_batch.training.splits import speaker_folds

MOST_FOLDS = 4


def build_bundle(
    clips: Sequence[Clip],
    out: Path,
    *,
    band: Band = "telephone",
    features: str | None = None,
    augmentation: Augmentation | None = None,
    recipe: Recipe | None = None,
    categories: Mapping[str, str] = CALL_CATEGORIES,
    others: Mapping[str, Sequence[Clip]] | None = None,
    on_progress: Progress = silent,
) -> Bundle:
    """Train on labelled clips and write the bundle with its card.

    Args:
        clips: of at least two speakers; exact duplicates are left out
        out: folder of the bundle; its name is the model's
        band: what the clips are sent through
        features: name of the feature set; None: the band's descriptors
        augmentation: copies of the clips that are trained on, never tested
        recipe: how to train; None: as the feature set asks for
        categories: the emotion that one counts as, where it is not itself
        others: clips of corpora that the model is tested on and never trained
        on_progress: called at each clip and fold

    Raises:
        CorpusError: if a clip cannot be decoded
        LeakError: if its speakers cannot be held apart
    """
    clips = one_of_each_content(clips)
    feature_set = get_feature_set(features or FEATURE_SETS[band])
    augmentation = augmentation or Augmentation()
    dataset = describe_clips(
        clips,
        feature_set,
        band=band,
        augmentation=augmentation,
        on_clip=counted("describing clips", len(clips), on_progress),
    ).merged(categories)
    checked, predictor = _trained(dataset, recipe or recipe_for(feature_set.name), on_progress)
    evaluation = {
        **checked.evaluation.as_dict(),
        "proof": asdict(checked.proof),
        "decisions": decisions_by_corpus(
            dataset.take(dataset.copies == 0),
            checked.decided,
            predictor.classes,
            feature_set.name,
        ),
        "across": _across(predictor, others or {}, feature_set, band, on_progress),
    }
    carried: dict[str, Any] = {
        "feature_set": feature_set.name,
        "band": band,
        "training": training_data(clips),
        "licence": strictest(clip.licence for clip in clips),
        "evaluation": evaluation,
    }
    card = model_card(
        out.name,
        n_features=len(predictor.feature_names),
        command=_command(carried["training"], band, features, augmentation),
        **carried,
    )
    bundle = write_bundle(out, predictor, name=out.name, made_with=versions(), card=card, **carried)
    scores = held_out(dataset, checked.probabilities, checked.decided.dissatisfaction, predictor)
    write_reference(out, dataset, predictor.feature_names, scores)
    return bundle


def _trained(
    dataset: Dataset, recipe: Recipe, on_progress: Progress
) -> tuple[CrossValidation, Predictor]:
    """The figures on speakers held out, and the model of all speakers."""
    n_folds = min(len(speaker_folds(dataset.speakers, dataset.contents)), MOST_FOLDS)
    checked = cross_validate(
        dataset,
        n_folds=n_folds,
        recipe=recipe,
        on_fold=counted("testing on unseen speakers", n_folds, on_progress),
    )
    on_progress("training on all speakers", 0, 1)
    predictor = train(dataset, recipe)
    on_progress("training on all speakers", 1, 1)
    return checked, predictor


def _across(
    predictor: Predictor,
    others: Mapping[str, Sequence[Clip]],
    feature_set: FeatureSet,
    band: Band,
    on_progress: Progress,
) -> dict[str, Any]:
    """What production decides about each other corpus."""
    figures: dict[str, Any] = {}
    for name, clips in others.items():
        on_clip = counted(f"testing on {name}", len(clips), on_progress)
        tested = describe_clips(clips, feature_set, band=band, on_clip=on_clip)
        found = decided(predictor, tested, ModelSettings())
        by_corpus = decisions_by_corpus(tested, found, predictor.classes, feature_set.name)
        figures[name] = by_corpus[tested.corpora[0]]
    return figures


def training_data(
    clips: Sequence[Clip], weights: Mapping[str, float] | None = None
) -> list[dict[str, Any]]:
    """What a manifest says of its training data, one entry a corpus.

    Args:
        clips: all of them
        weights: times that a clip counts, by corpus, where it is not once
    """
    entries = []
    for name in sorted({clip.corpus for clip in clips}):
        own = [clip for clip in clips if clip.corpus == name]
        entries.append(
            {
                "corpus": name,
                "title": CORPORA[name].title if name in CORPORA else name,
                "licence": strictest(clip.licence for clip in own),
                "language": ", ".join(sorted({clip.language for clip in own})),
                "n_clips": len(own),
                "n_speakers": len({clip.speaker for clip in own}),
                "emotions": sorted({clip.emotion for clip in own}),
                **({"weight": weights[name]} if weights and name in weights else {}),
            }
        )
    return entries


def versions() -> dict[str, str]:
    """Versions that a model's bytes depend on."""
    libraries = ("numpy", "scipy", "scikit-learn", "lightgbm", "librosa", "soxr", "onnxruntime")
    return {
        "ser-batch": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
    }


def _command(
    training: Sequence[Mapping[str, Any]],
    band: Band,
    features: str | None,
    augmentation: Augmentation,
) -> str:
    """What makes this very model, as far as the defaults do not say it."""
    known = [entry["corpus"] for entry in training if entry["corpus"] in CORPORA]
    corpora = "".join(f" --corpus {name}" for name in known)
    labels = " --labels FILE" if len(known) < len(training) else ""
    wide = " --band wide" if band == "wide" else ""
    described = f" --features {features}" if features else ""
    pays = 0 if band == "wide" else copies_for(features or FEATURE_SETS[band])
    copies = "" if augmentation.copies == pays else f" --augmentations {augmentation.copies}"
    return f"ser-batch train --corpora DIR{corpora}{labels}{wide}{described}{copies}"
