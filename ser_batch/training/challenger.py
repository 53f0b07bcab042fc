"""A challenger: a model of labels and corpora, and what a manifest says of the labelled calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.config import RetrainSettings, Settings
from ser_batch.corpora.base import Clip
from ser_batch.features.dataset import joined
from ser_batch.features.sets import get_feature_set
from ser_batch.labels.callers import caller_of
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.bundle_writer import BUILDING, move_bundle
from ser_batch.store.disk import disk
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS
from ser_batch.training.crossvalidate import cross_validate
from ser_batch.training.describe import Band
from ser_batch.training.fit import Recipe, train
from ser_batch.training.material import OWN_CALLS, Material
from ser_batch.training.setup import TrainingSetup
from ser_batch.training.trained import TrainedModel, training_data

N_FOLDS = 5


def make_challenger(
    root: Root,
    settings: Settings,
    material: Material,
    clips: Sequence[Clip],
    *,
    recipe: Recipe | None = None,
    on_model: Callable[[], None] = lambda: None,
) -> Bundle:
    """Train on labels and corpora and write the bundle; the root is held.

    Args:
        root: below whose models/ it is written, in a folder named by its id
        settings, material, clips, recipe, on_model: as of `train_challenger`
    """
    model = train_challenger(settings, material, clips, recipe=recipe, on_model=on_model)
    return write_challenger(root, settings, material, clips, model)


def train_challenger(
    settings: Settings,
    material: Material,
    clips: Sequence[Clip],
    *,
    recipe: Recipe | None = None,
    on_model: Callable[[], None] = lambda: None,
) -> TrainedModel:
    """Train on labels and corpora; the same inputs give the same model.

    Args:
        settings: feature set and how to train
        material: the labels
        clips: of the corpora
        recipe: None: as the feature set asks for
        on_model: called after each of N_FOLDS + 1 models, for a progress bar

    Raises:
        LeakError: if the speakers cannot be held apart
    """
    name = settings.features.set
    band: Band = "telephone" if get_feature_set(name).sample_rate == 8000 else "wide"
    setup = TrainingSetup.choose(band, name, copies=settings.retrain.copies)
    recipe = replace(recipe or setup.recipe, target=settings.retrain.dissatisfied)
    setup = replace(setup, recipe=recipe)
    weights, dataset = settings.retrain.corpus_weights, material.learnt_from
    if clips:
        dataset = joined(setup.describe(clips).weighed(weights), dataset)
    checked = cross_validate(dataset, n_folds=N_FOLDS, recipe=recipe, on_fold=on_model)
    model = TrainedModel(setup, dataset, checked, train(dataset, recipe))
    on_model()
    return model


def write_challenger(
    root: Root,
    settings: Settings,
    material: Material,
    clips: Sequence[Clip],
    model: TrainedModel,
) -> Bundle:
    """Write a trained model below models/, in a folder named by its id."""
    building = root.models / BUILDING
    disk().remove_folder(building)
    weights = settings.retrain.corpus_weights
    bundle = model.write(
        building,
        name=settings.retrain.name,
        training=[*training_data(clips, weights), _own_calls(material, settings.retrain)],
        cross_corpus={},
        command="ser-batch retrain",
    )
    return move_bundle(building, bundle)


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
