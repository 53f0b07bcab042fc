"""From corpora to a bundle of a network: read, hold speakers out, train, export, write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import torch

from ser_batch.arrays import FloatArray
from ser_batch.config import ModelSettings
from ser_batch.corpora.base import Clip, one_of_each_content
from ser_batch.corpora.licences import strictest
from ser_batch.emotions import CALL_CATEGORIES
from ser_batch.features.dataset import Dataset
from ser_batch.features.encoders.local import exposed_corpora, voted_corpora
from ser_batch.features.encoders.network import (
    NetworkFeatureSet,
    graph_features,
    graph_session,
    network_features,
)
from ser_batch.lab.neural.design import Design
from ser_batch.lab.neural.export import int8_graph, onnx_graph, write_network
from ser_batch.lab.neural.fit import NAME, FittedNetwork, fit
from ser_batch.lab.neural.heads import Heads, fitted_predictor
from ser_batch.lab.neural.material import AUGMENTATION, NeuralMaterial, read_material
from ser_batch.lab.neural.training import Plan
from ser_batch.progress import Progress, silent
from ser_batch.resources import ENCODERS, add_encoders
from ser_batch.scoring.bundle import Bundle
from ser_batch.scoring.predictor import Predictor
from ser_batch.training.augment import Augmentation
from ser_batch.training.crossvalidate import CrossValidation, align
from ser_batch.training.decided import decided, decisions_by_corpus, joined
from ser_batch.training.evaluation import evaluate
from ser_batch.training.fit import Recipe
from ser_batch.training.setup import TrainingSetup
from ser_batch.training.splits import check_no_leakage, speaker_folds
from ser_batch.training.trained import TrainedModel, training_data

MOST_CHANGE = 0.01
"""Of the probability of dissatisfaction, on average, that eight bits may cost."""
N_TRIED = 200
"""Held-out clips by which that is measured."""
N_FOLDS = 3
"""Folds of speakers of the figures; each is tested by a network of the others."""


@dataclass(frozen=True)
class NetworkTask:
    """What is trained.

    Attributes:
        design: kind of network
        plan: how to train
        stem: beginning of the network's name
        title: for cards
        begun_from: feature set of the encoder that it begins as; empty: random weights
        licences: of the encoder that it begins as
        augmentation: of copies
        n_folds: of speakers, for the figures
        int8: whether matrices in eight bits are used where they hold
        command: that makes it, for cards
    """

    design: Design
    plan: Plan
    stem: str
    title: str
    begun_from: str = ""
    licences: tuple[str, ...] = ()
    augmentation: Augmentation = AUGMENTATION
    n_folds: int = N_FOLDS
    int8: bool = False
    command: str = "ser-batch train"


def build_network_bundle(
    clips: Sequence[Clip],
    out: Path,
    task: NetworkTask,
    *,
    work: Path,
    others: Mapping[str, Sequence[Clip]] | None = None,
    on_progress: Progress = silent,
) -> Bundle:
    """Train a network with its heads and write both; broken off and run again, it goes on.

    The network lies in a folder of its own in `encoders`, beside the bundle.

    Args:
        clips: of at least two speakers; exact duplicates are left out
        out: folder of the bundle; its name is the model's
        task: what is trained
        work: folder for checkpoints
        others: clips of corpora that the model is tested on and never trained
        on_progress: called at each epoch

    Raises:
        CorpusError: if a clip cannot be decoded
        LeakError: if its speakers cannot be held apart
    """
    clips = one_of_each_content(clips)
    material = _read(clips, task, task.augmentation, on_progress)
    prepared = replace(material, inputs=tuple(task.design.prepared(material.inputs)))
    checked, seconds = _cross_validated(prepared, task, work, on_progress)
    fitted = fit(
        prepared, task.design, task.plan, folder=work / "all", step="all speakers",
        on_progress=on_progress,
    )  # fmt: skip
    training = training_data(clips)
    facts = _facts(task, fitted, material, seconds + fitted.history.seconds)
    encoder = _written(out.parent / ENCODERS, task, fitted, material, training, facts)
    dataset = _described(material, encoder)
    predictor = fitted_predictor(dataset, fitted.heads, fitted.held_out)
    setup = TrainingSetup("telephone", encoder.name, task.augmentation, Recipe())
    figures = _cross_corpus(predictor, others or {}, task, encoder, on_progress)
    return TrainedModel(setup, dataset, checked, predictor, network=facts).write(
        out, name=out.name, training=training, cross_corpus=figures, command=task.command
    )


def _read(
    clips: Sequence[Clip], task: NetworkTask, augmentation: Augmentation | None, on: Progress
) -> NeuralMaterial:
    material = read_material(clips, task.design.reads, augmentation, on_progress=on)
    return replace(material, dataset=material.dataset.merged(CALL_CATEGORIES))


def _cross_validated(
    material: NeuralMaterial, task: NetworkTask, work: Path, on_progress: Progress
) -> tuple[CrossValidation, float]:
    """Every clip predicted by a network that was trained, stopped and calibrated without it.

    Returns:
        the figures, and the seconds that the trainings took
    """
    rows = material.dataset
    folds = speaker_folds(rows.speakers, rows.contents, n_folds=task.n_folds)
    proof = check_no_leakage(folds, rows.speakers, rows.contents, rows.copies)
    probabilities = np.zeros((len(rows.emotions), len(rows.classes)))
    order, parts, seconds = [], [], 0.0
    for number, fold in enumerate(folds, start=1):
        step = f"fold {number} of {len(folds)}"
        fitted = fit(
            material.take(fold.train), task.design, task.plan, folder=work / f"fold-{number}",
            step=step, on_progress=on_progress,
        )  # fmt: skip
        seconds += fitted.history.seconds
        tested = rows.without_copies(fold.test)
        clips = _with_features(
            rows.take(tested), fitted.features(material.take(tested).inputs), NAME
        )
        found = fitted.predictor.predict(clips.features, clips.names)
        probabilities[tested] = align(found, fitted.classes, rows.classes)
        order.append(tested)
        parts.append(decided(fitted.predictor, clips, ModelSettings()))
    clips, is_clip = rows.take(rows.copies == 0), rows.copies == 0
    figures = evaluate(clips.emotions, probabilities[is_clip], rows.classes, clips.speakers)
    in_order = joined(parts).take(np.argsort(np.concatenate(order)))
    return CrossValidation(probabilities[is_clip], figures, in_order, proof), seconds


def _facts(
    task: NetworkTask, fitted: FittedNetwork, material: NeuralMaterial, seconds: float
) -> dict[str, Any]:
    """What cards tell of the training."""
    held_out = material.dataset.take(material.dataset.without_copies(fitted.held_out))
    return {
        "title": task.title,
        "begun_from": task.begun_from,
        "design": repr(task.design),
        "plan": asdict(task.plan),
        "history": asdict(fitted.history),
        "n_epochs": len(fitted.history.held_out),
        "best": fitted.history.best,
        "n_held_out": len(held_out.emotions),
        "n_held_out_speakers": len(set(held_out.speakers)),
        "n_parameters": sum(values.numel() for values in fitted.network.parameters()),
        "seconds": round(seconds, 1),
        "device": "a GPU" if torch.cuda.is_available() else f"{torch.get_num_threads()} core(s)",
    }


def _written(
    place: Path,
    task: NetworkTask,
    fitted: FittedNetwork,
    material: NeuralMaterial,
    training: Sequence[Mapping[str, Any]],
    facts: Mapping[str, Any],
) -> NetworkFeatureSet:
    """The network on disk, in eight bits where that changes little."""
    graph = onnx_graph(fitted.network, material.inputs[0])
    said = {**facts, "matrices": "float32"}
    if task.int8:
        smaller = int8_graph(graph)
        tried = material.take(material.dataset.without_copies(fitted.held_out)).inputs[:N_TRIED]
        change = mean_change(graph, smaller, tried, fitted.heads)
        said["int8_change"] = round(change, 4)
        if change <= MOST_CHANGE:
            graph, said["matrices"] = smaller, "int8"
    said |= {
        "reads": task.design.reads,
        "n_features": task.design.n_features,
        "n_embedding": task.design.n_embedding,
        "votes": sorted({entry["corpus"] for entry in training} | voted_corpora(task.begun_from)),
        "material": [{"source": name} for name in sorted(exposed_corpora(task.begun_from))],
        "licence": strictest([*task.licences, *(entry["licence"] for entry in training)]),
        "made_with": {"torch": torch.__version__.partition("+")[0]},
        "command": task.command,
    }
    add_encoders(place)
    return write_network(place, task.stem, graph, said)


def mean_change(graph: bytes, other: bytes, inputs: Sequence[FloatArray], heads: Heads) -> float:
    """How far two networks' probabilities of dissatisfaction lie apart, on average."""
    weights, bias = heads.dissatisfaction
    found = [
        scipy.special.expit(
            graph_features(graph_session(one), inputs)[:, : len(weights)] @ weights + bias
        )
        for one in (graph, other)
    ]
    return float(np.abs(found[0] - found[1]).mean())


def _described(material: NeuralMaterial, encoder: NetworkFeatureSet) -> Dataset:
    """The rows with their features as a night computes them."""
    return _with_features(material.dataset, encoder.features(material.inputs), encoder.name)


def _with_features(rows: Dataset, features: FloatArray, name: str) -> Dataset:
    names, kinds = zip(*network_features(name, features.shape[1]), strict=True)
    return replace(rows, features=features, names=names, kinds=kinds)


def _cross_corpus(
    predictor: Predictor,
    others: Mapping[str, Sequence[Clip]],
    task: NetworkTask,
    encoder: NetworkFeatureSet,
    on_progress: Progress,
) -> dict[str, Any]:
    """What production decides about each other corpus."""
    figures: dict[str, Any] = {}
    for clips in others.values():
        tested = _described(
            read_material(clips, task.design.reads, None, on_progress=on_progress), encoder
        )
        found = decided(predictor, tested, ModelSettings())
        figures |= decisions_by_corpus(tested, found, predictor.classes, encoder.name)
    return figures
