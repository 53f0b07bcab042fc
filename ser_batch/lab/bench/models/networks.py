"""Rows of networks that are trained from the signal; they need the extra `ser-batch[neural]`."""

from __future__ import annotations

import importlib.util
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, reduce
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray, IntArray
from ser_batch.config import digest
from ser_batch.corpora import read_corpus
from ser_batch.corpora.base import one_of_each_content
from ser_batch.features.dataset import joined
from ser_batch.features.kinds import FeatureKind
from ser_batch.lab.bench.analysed_calls import code_digest
from ser_batch.lab.bench.models.columns import Trial
from ser_batch.lab.bench.models.material import Material
from ser_batch.lab.bench.models.row import Tested
from ser_batch.progress import Progress
from ser_batch.training.crossvalidate import align
from ser_batch.training.splits import Fold

if TYPE_CHECKING:
    from ser_batch.lab.neural.design import Design
    from ser_batch.lab.neural.material import NeuralMaterial
    from ser_batch.lab.neural.training import Plan

NEURAL = ("lab/neural", "features/sequences.py", "training/augment.py", "training/classic.py")
"""Code on which the figures depend."""
PATIENCE = 4
"""Epochs without progress after which training stops; a fifth of all, where these are many."""
SMALL, SMALL_BATCH = 2000, 16
"""With fewer training clips, a step reads so many segments: else there would be too few steps."""
RATE_HZ = 8000
BEGUN_FROM = "encoder_v1"
"""Of fine-tuning: no corpus's labels are in it, unlike in the shipped encoder."""


def cnn_lstm() -> Design:
    """Convolutions, an LSTM a measure and attention, over spectral sequences."""
    from ser_batch.lab.neural.cnn_lstm import CnnLstm  # noqa: PLC0415  (torch is an extra)

    return CnnLstm()


@cache
def fine_tuned() -> Design:
    """The last block of an encoder that was trained without labels, and new layers."""
    from ser_batch.lab.neural.finetune import FineTune  # noqa: PLC0415  (torch is an extra)
    from ser_batch.lab.neural.loading import load_encoder  # noqa: PLC0415

    return FineTune(load_encoder(BEGUN_FROM), last_blocks=1)


@dataclass(frozen=True)
class NetworkRow:
    """A network and its heads, retrained on each fold, stopped by speakers of its own.

    Attributes:
        name: of the row
        design: kind of network
        epochs: at most
        least_steps: as many more epochs as these steps take, where there are few clips
        batch: segments of a step
        begun_from: encoder that it begins as; empty: random weights
        most_clips: that it is trained on, drawn at random; 0: all
    """

    name: str
    design: Callable[[], Design]
    epochs: int
    least_steps: int = 0
    batch: int = 64
    begun_from: str = ""
    most_clips: int = 0

    @property
    def reads(self) -> UntrainedNetwork:
        """The same network with random weights: its speed does not depend on them."""
        return UntrainedNetwork(self.begun_from or self.name, self.key, self.design)

    @property
    def key(self) -> str:
        """Of the code and the epochs."""
        steps = [self.epochs, PATIENCE, self.least_steps, self.batch, SMALL, SMALL_BATCH]
        steps.append(self.most_clips)
        return digest([self.name, steps, code_digest(NEURAL)])

    def missing(self) -> str | None:
        """Torch is an extra."""
        there = all(importlib.util.find_spec(name) for name in ("torch", "safetensors"))
        return None if there else "pip install 'ser-batch[neural]'"

    def tested(self, material: Material, trial: Trial, fold: Fold) -> Tested:
        """Its figures, copies of the training clips among what it learns."""
        from ser_batch.lab.neural.fit import fit  # noqa: PLC0415  (torch is an extra)
        from ser_batch.lab.neural.material import AUGMENTATION  # noqa: PLC0415

        design, each = self.design(), 1 + AUGMENTATION.copies
        whole = _labelled(material, trial, design, each)
        trained = self._drawn(fold.train)
        rows = (trained[:, np.newaxis] * each + np.arange(each)).ravel()
        began = time.process_time()
        model = fit(whole.take(rows), design, self._plan(len(trained)))
        fit_s = time.process_time() - began
        features = model.features([whole.inputs[row * each] for row in fold.test])
        began = time.process_time()
        found = model.predictor.predict(features, model.predictor.feature_names)
        predict_s = (time.process_time() - began) / len(fold.test)
        n_bytes = 4 * sum(values.numel() for values in model.network.parameters())
        return Tested(
            align(found, model.classes, trial.classes),
            fit_s,
            predict_s,
            n_bytes + len(pickle.dumps(model.predictor)),
        )

    def _drawn(self, clips: IntArray) -> IntArray:
        """As many of the training clips as it may have."""
        if not self.most_clips or len(clips) <= self.most_clips:
            return clips
        rng = np.random.default_rng(len(clips))
        return np.sort(rng.permutation(clips)[: self.most_clips])

    def _plan(self, n_clips: int) -> Plan:
        """How it is trained on so many clips."""
        from ser_batch.lab.neural.training import Plan  # noqa: PLC0415  (torch is an extra)

        batch = self.batch if n_clips >= SMALL else min(self.batch, SMALL_BATCH)
        epochs = max(self.epochs, -(-self.least_steps * batch // n_clips))
        return Plan(epochs=epochs, patience=max(PATIENCE, epochs // 5), batch=batch, balanced=True)


@dataclass(frozen=True)
class UntrainedNetwork:
    """What a network ends in, before it was trained, as a feature set.

    Attributes:
        name: the row's, or that of the encoder which it begins as
        digest: the row's
        design: kind of network
        sample_rate: Hz of the signals it takes
        names, kinds: none: nothing is stored
    """

    name: str
    digest: str
    design: Callable[[], Design]
    sample_rate: int = RATE_HZ
    names: tuple[str, ...] = field(default=(), repr=False)
    kinds: tuple[FeatureKind, ...] = field(default=(), repr=False)

    def require(self) -> None:
        """It was asked for before (`NetworkRow.missing`)."""

    def extract(self, signal: FloatArray, segments: DoubleArray) -> FloatArray:
        """Features of a channel's segments, shape (n_segments, n_features)."""
        from ser_batch.features.encoders.network import INPUTS  # noqa: PLC0415
        from ser_batch.lab.neural.fit import network_outputs  # noqa: PLC0415

        design = self.design()
        ends = np.rint(segments * self.sample_rate).astype(int)
        inputs = [INPUTS[design.reads](signal[first:last]) for first, last in ends]
        if not inputs:
            return np.zeros((0, design.n_features), np.float32)
        found: FloatArray = network_outputs(design.network(inputs), design, inputs)
        return found


def _labelled(material: Material, trial: Trial, design: Design, each: int) -> NeuralMaterial:
    """Each clip of the trial's corpora and its copies after it, with the trial's classes."""
    from ser_batch.lab.neural.material import NeuralMaterial, relabelled  # noqa: PLC0415

    parts = [_read(material.corpora, name, design, material.on_progress) for name in trial.corpora]
    whole = NeuralMaterial(
        reduce(joined, [part.dataset for part in parts]),
        tuple(one for part in parts for one in part.inputs),
    )
    labels = tuple(label for label in trial.labels for _ in range(each))
    return whole if labels == whole.dataset.emotions else relabelled(whole, labels)


@cache
def _read(corpora: Path, name: str, design: Design, on_progress: Progress) -> NeuralMaterial:
    """A corpus as networks of a kind are trained on it; it is read once for all folds."""
    from ser_batch.features.encoders.network import INPUTS  # noqa: PLC0415

    speech = _speech(corpora, name, on_progress)
    inputs = [INPUTS[design.reads](signal) for signal in speech.inputs]
    return replace(speech, inputs=tuple(design.prepared(inputs)))


@cache
def _speech(corpora: Path, name: str, on_progress: Progress) -> NeuralMaterial:
    """Signals of a corpus: each clip and its copy are decoded once for all kinds of networks."""
    from ser_batch.lab.neural.material import read_material  # noqa: PLC0415

    clips = one_of_each_content(read_corpus(corpora, name))
    return read_material(clips, None, joins=False, on_progress=on_progress)
