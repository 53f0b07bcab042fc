"""Retrain: labels and corpora become a challenger, which takes over only if it is better."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import norm

from ser_batch.arrays import FloatArray
from ser_batch.config import RetrainSettings, Settings, digest
from ser_batch.corpora.base import Clip
from ser_batch.corpora.licences import strictest
from ser_batch.errors import ModelError
from ser_batch.features.dataset import joined
from ser_batch.features.sets import get_feature_set
from ser_batch.labels.callers import caller_of
from ser_batch.monitoring.drift import held_out, write_reference
from ser_batch.scoring.bundle import Bundle, write_bundle
from ser_batch.scoring.decide import score_segments
from ser_batch.scoring.models import promote
from ser_batch.scoring.registry import Registry
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS
from ser_batch.training.augment import Augmentation
from ser_batch.training.build import training_data, versions
from ser_batch.training.card import model_card
from ser_batch.training.crossvalidate import cross_validate
from ser_batch.training.decided import decisions_by_corpus
from ser_batch.training.describe import Band, describe_clips
from ser_batch.training.enough import leaving_out
from ser_batch.training.fit import Recipe, train
from ser_batch.training.gate import (
    Answers,
    HoldoutSet,
    ModelComparison,
    compare_models,
    spent_level,
)
from ser_batch.training.material import OWN_CALLS, Material, gather
from ser_batch.training.recipes import recipe_for

N_FOLDS = 5
POWER = 0.8
"""With which the difference is found that decides which labels measure."""
FLOW = "ser-batch retrain"
"""Who stands in the log for what nobody decided in person."""

NOTHING_MEASURES = (
    "no labelled segment measures it: label those that the queue draws by chance, of callers that "
    "no model learns from"
)


def make_challenger(
    root: Root,
    settings: Settings,
    material: Material,
    clips: Sequence[Clip],
    *,
    recipe: Recipe | None = None,
    on_model: Callable[[], None] = lambda: None,
) -> Bundle:
    """Train on labels and corpora and write the bundle; the same inputs give the same model.

    Args:
        root: below whose models/ it is written, in a folder named by its id
        settings: feature set and how to train
        material: the labels
        clips: of the corpora
        recipe: None: as the feature set asks for
        on_model: called after each of N_FOLDS + 1 models, for a progress bar

    Raises:
        LeakError: if the speakers cannot be held apart
    """
    feature_set = get_feature_set(settings.features.set)
    recipe = recipe or recipe_for(feature_set.name)
    recipe = replace(recipe, target=settings.retrain.dissatisfied)
    band: Band = "telephone" if feature_set.sample_rate == 8000 else "wide"
    dataset = material.learnt_from
    if clips:
        copies = settings.retrain.copies if band == "telephone" else 0
        corpora = describe_clips(
            clips, feature_set, band=band, augmentation=Augmentation(copies=copies)
        )
        dataset = joined(corpora.weighed(settings.retrain.corpus_weights), dataset)
    checked = cross_validate(dataset, n_folds=N_FOLDS, recipe=recipe, on_fold=on_model)
    predictor = train(dataset, recipe)
    on_model()
    weights = settings.retrain.corpus_weights
    training = [*training_data(clips, weights), _own_calls(material, settings.retrain)]
    licence = strictest([*(clip.licence for clip in clips), "own"])
    evaluation = {
        **checked.evaluation.as_dict(),
        "proof": asdict(checked.proof),
        "decisions": decisions_by_corpus(
            dataset.take(dataset.copies == 0),
            checked.decided,
            predictor.classes,
            feature_set.name,
        ),
        "across": {},
    }
    name = settings.retrain.name
    building = root.models / f".building-{os.getpid()}"
    shutil.rmtree(building, ignore_errors=True)
    bundle = write_bundle(
        building,
        predictor,
        name=name,
        feature_set=feature_set.name,
        band=band,
        training=training,
        licence=licence,
        made_with=versions(),
        evaluation=evaluation,
        card=model_card(
            name,
            feature_set=feature_set.name,
            n_features=len(predictor.feature_names),
            band=band,
            licence=licence,
            training=training,
            evaluation=evaluation,
            command="ser-batch retrain",
        ),
    )
    scores = held_out(dataset, checked.probabilities, checked.decided.dissatisfaction, predictor)
    write_reference(building, dataset, predictor.feature_names, scores)
    return _put(bundle, root.models / bundle.model_id)


def compare(
    root: Root, settings: Settings, material: Material, champion: Bundle, challenger: Bundle
) -> ModelComparison | None:
    """Both models on the segments that measure; without those of callers that either learnt from.

    Labels that decided about other models before are used again only at a smaller probability of
    error, and not at all where fresh ones find a smaller difference.

    Returns:
        None if there is no such segment, or all are as dissatisfied
    """
    lake = Lake(root.lake)
    learnt = learnt_callers(lake, champion) | learnt_callers(lake, challenger)
    every = material.measured_by
    uses = _uses(root, every, challenger.model_id)
    unseen = [i for i, caller in enumerate(every.callers) if caller not in learnt]
    rows = _least_spent(unseen, uses, settings.retrain)
    if not len(rows):
        return None
    measured = every.take(rows)
    names = get_feature_set(settings.features.set).names
    answers = [
        _answers(bundle, material.features[rows], names, settings)
        for bundle in (champion, challenger)
    ]
    level = settings.retrain.dissatisfied
    known = set(champion.classes) & set(challenger.classes)
    found = compare_models(
        measured,
        answers[0],
        answers[1],
        {name: level.get(name, 0.0) for name in sorted(known)},
        settings.retrain,
        n_uses=max(uses[i] for i in rows),
    )
    return None if found is None else replace(found, measured=_short_digests(measured.names))


def _answers(
    bundle: Bundle, features: FloatArray, names: Sequence[str], settings: Settings
) -> Answers:
    """What production says of some segments by a model."""
    scores = score_segments(bundle, features, names)
    return Answers(scores.dissatisfaction, ~scores.is_uncertain(settings.model))


def _short_digests(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(digest(name)[:10] for name in names)


def _uses(root: Root, every: HoldoutSet, model_id: str) -> list[int]:
    """How many comparisons with other models each segment decided before."""
    decided = {
        entry.model_id: entry.figures.get("measured", ())
        for entry in Registry(root.models).entries()
        if entry.model_id != model_id and "measured" in entry.figures
    }
    counts = Counter(name for names in decided.values() for name in names)
    return [counts[name] for name in _short_digests(every.names)]


def _least_spent(rows: Sequence[int], uses: Sequence[int], settings: RetrainSettings) -> list[int]:
    """The segments that find the smallest difference: fresh ones, or all at a spent level.

    The choice rests on their numbers alone, so it does not favour either model.
    """
    by_uses = {most: [i for i in rows if uses[i] <= most] for most in {uses[i] for i in rows}}
    if not by_uses:
        return []

    def smallest_difference(most: int) -> float:
        quantile = norm.isf(spent_level(settings.confidence, most)) + norm.ppf(POWER)
        return float(quantile / np.sqrt(len(by_uses[most])))

    return by_uses[min(by_uses, key=smallest_difference)]


def register_and_promote(
    root: Root,
    settings: Settings,
    champion: Bundle,
    challenger: Bundle,
    result: ModelComparison | None,
    *,
    may_promote: bool,
) -> tuple[bool, tuple[str, ...]]:
    """Write the challenger into the registry and promote it if it may be; the root is held.

    Returns:
        whether it was promoted, and why or why not
    """
    if challenger.model_id == champion.model_id:
        return False, ("it is the champion: nothing that was learnt is new",)
    registry, name = Registry(root.models), challenger.folder.name
    figures = {} if result is None else result.as_dict()
    if all(entry.model_id != challenger.model_id for entry in registry.entries()):
        why = [f"trained on {entry['title']}" for entry in challenger.manifest.training]
        registry.add("registered", challenger.model_id, name, who=FLOW, why=why)
    if result is None:
        reasons: tuple[str, ...] = (NOTHING_MEASURES,)
    else:
        reasons = result.reasons
    if result is None or not result.is_better:
        registry.add("refused", challenger.model_id, name, who=FLOW, why=reasons, figures=figures)
        return False, reasons
    if not may_promote:
        return False, (*reasons, "it was asked not to be promoted")
    promote(root, settings, name, who=FLOW, why=reasons, figures=figures)
    return True, reasons


def compare_with_champion(
    root: Root, settings: Settings, champion: Bundle, other: Bundle
) -> tuple[ModelComparison, tuple[str, ...]]:
    """Both models on the segments that measure, without the emotions that are left out.

    Left out are those of `retrain.leave_out` and those that the other model was trained without,
    as `retrain` compares them.

    Returns:
        the comparison, and the emotions that are left out

    Raises:
        ModelError: if the other model is the champion, or no segment measures them
    """
    if champion.model_id == other.model_id:
        raise ModelError(f"{other.model_id} is the champion: a model is compared with another one")
    chosen = leaving_out(settings, left_out_by(other))
    result = compare(root, chosen, gather(Lake(root.lake), chosen), champion, other)
    if result is None:
        raise ModelError(NOTHING_MEASURES)
    return result, chosen.retrain.leave_out


def left_out_by(bundle: Bundle) -> set[str]:
    """Emotions whose labels a model was trained without."""
    return {name for entry in bundle.manifest.training for name in entry.get("left_out", ())}


def learnt_callers(lake: Lake, bundle: Bundle) -> set[str]:
    """Callers that a model learnt from, as the metadata names them now."""
    recordings = {
        recording_id
        for entry in bundle.manifest.training
        for recording_id in entry.get("recordings", ())
    }
    calls = lake.read(CALLS, columns=["recording_id", "customer"])
    ours = calls.filter(pc.is_in(calls["recording_id"], pa.array(sorted(recordings), pa.string())))
    return {caller_of(row["customer"], row["recording_id"]) for row in ours.to_pylist()}


def _own_calls(material: Material, settings: RetrainSettings) -> dict[str, Any]:
    """What a manifest says of the labelled calls; the recordings name the callers."""
    segments = material.segments
    return {
        "corpus": OWN_CALLS,
        "title": "own labelled calls",
        "licence": "own",
        "language": "as recorded",
        "n_clips": len(segments.emotions),
        "n_speakers": len(set(segments.speakers)),
        "emotions": list(segments.classes),
        "weight": settings.label_weight,
        "recordings": list(material.recordings),
        **({"left_out": list(settings.leave_out)} if settings.leave_out else {}),
    }


def _put(bundle: Bundle, folder: Path) -> Bundle:
    """Move a bundle to its place, whole; one of the same id that lies there is the same model."""
    if folder.exists():
        shutil.rmtree(bundle.folder)
    else:
        bundle.folder.rename(folder)
    return Bundle.load(folder)
