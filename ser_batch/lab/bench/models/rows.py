"""Ways to classify, a row of the table each."""

from __future__ import annotations

import importlib.util
import pickle
import time
from collections.abc import Sequence, Set
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

import numpy as np

from ser_batch.arrays import IntArray
from ser_batch.config import digest
from ser_batch.corpora import GUIDED_CHOICES
from ser_batch.features.encoders.local import exposed_corpora, own_set, voted_corpora
from ser_batch.features.sets import FeatureSet, get_feature_set
from ser_batch.lab.bench.analysed_calls import code_digest
from ser_batch.lab.bench.models import classifiers
from ser_batch.lab.bench.models.classifiers import Tuned
from ser_batch.lab.bench.models.columns import Trial
from ser_batch.lab.bench.models.kernel_svm import SVM
from ser_batch.lab.bench.models.material import Description, Material
from ser_batch.lab.bench.models.networks import BEGUN_FROM, NetworkRow, cnn_lstm, fine_tuned
from ser_batch.lab.bench.models.row import Row, Tested
from ser_batch.lab.bench.opensmile import OpenSmileSet
from ser_batch.training.crossvalidate import align
from ser_batch.training.fit import train
from ser_batch.training.setup import TrainingSetup
from ser_batch.training.splits import Fold

TRAINING = ("training/fit.py", "training/heads.py", "scoring/linear.py", "scoring/calibration.py")
"""Code on which the figures of ours depend."""


@dataclass(frozen=True)
class ShippedRow:
    """The recipe of the bundled model, retrained on each fold."""

    setup: TrainingSetup
    name: str = "shipped recipe"

    most_clips: ClassVar[int] = 0

    @property
    def reads(self) -> FeatureSet:
        """The night's features."""
        return get_feature_set(self.setup.features)

    @property
    def key(self) -> str:
        """Of recipe and features."""
        copies = asdict(self.setup.augmentation)
        return digest([self.reads.digest, self.setup.as_dict(), copies, code_digest(TRAINING)])

    def missing(self) -> None:
        """It is part of the package."""

    def tested(self, material: Material, trial: Trial, fold: Fold) -> Tested:
        """Its figures, copies of the training clips among what it learns."""
        described = material.dataset(
            trial.corpora, Description(self.reads, self.setup.augmentation)
        )
        each = 1 + self.setup.augmentation.copies
        labelled = replace(
            described, emotions=tuple(label for label in trial.labels for _ in range(each))
        )
        rows = (fold.train[:, np.newaxis] * each + np.arange(each)).ravel()
        began = time.process_time()
        model = train(labelled.take(rows), self.setup.recipe)
        fitted = time.process_time()
        features = described.features[fold.test * each]
        found = model.predict(features, described.names)
        done = time.process_time()
        return Tested(
            align(found, model.classes, trial.classes),
            fitted - began,
            (done - fitted) / len(fold.test),
            len(pickle.dumps(model)) + _encoder_bytes(self.setup.features),
        )


@dataclass(frozen=True)
class PeerRow:
    """A classifier of the field over a feature set.

    Attributes:
        name: of the row
        features: name of a set, ours or openSMILE's
        classifier: with what is tried
        normalised: whether each speaker's own mean and spread are taken out first
    """

    name: str
    features: str
    classifier: Tuned
    normalised: bool = False

    most_clips: ClassVar[int] = 0

    @property
    def reads(self) -> FeatureSet:
        """The set."""
        if self.features in OPENSMILE_SETS:
            return OpenSmileSet(self.features)
        return get_feature_set(self.features)

    @property
    def key(self) -> str:
        """Of features, classifier and grid."""
        code = code_digest(self.classifier.code)
        return digest([self.name, self.reads.digest, self.normalised, code])

    def missing(self) -> str | None:
        """openSMILE is not installed with the package: its licence forbids it."""
        if self.features in OPENSMILE_SETS and importlib.util.find_spec("opensmile") is None:
            return "pip install opensmile"
        return None

    def tested(self, material: Material, trial: Trial, fold: Fold) -> Tested:
        """Its figures; its settings are chosen on speakers of the training clips."""
        described = material.dataset(
            trial.corpora, Description(self.reads, normalised=self.normalised)
        )
        began = time.process_time()
        model = self.classifier.fit(
            described.features[fold.train],
            _picked(trial.labels, fold.train),
            _picked(described.speakers, fold.train),
        )
        fitted = time.process_time()
        found = model.predict(described.features[fold.test])
        done = time.process_time()
        return Tested(
            np.equal.outer(found, np.array(trial.classes)).astype(np.float64),
            fitted - began,
            (done - fitted) / len(fold.test),
            len(pickle.dumps(model)),
        )


OPENSMILE_SETS = ("eGeMAPSv02", "ComParE_2016")
PEERS = "descriptors_v1"
"""What the field's classifiers read."""

ROWS: tuple[Row, ...] = (
    ShippedRow(TrainingSetup.choose()),
    PeerRow("LightGBM", PEERS, classifiers.LIGHTGBM),
    PeerRow("SVM", PEERS, SVM),
    PeerRow("logistic regression", PEERS, classifiers.LOGISTIC),
    PeerRow("MLP", PEERS, classifiers.MLP),
    *(
        PeerRow(
            f"openSMILE {name}, SVM{', per speaker' if normalised else ''}",
            name,
            SVM,
            normalised,
        )
        for name in OPENSMILE_SETS
        for normalised in (False, True)
    ),
    NetworkRow("CNN-LSTM", cnn_lstm, epochs=15, least_steps=1000),
    NetworkRow(
        f"{BEGUN_FROM} fine-tuned",
        fine_tuned,
        epochs=4,
        least_steps=150,
        batch=16,
        begun_from=BEGUN_FROM,
        most_clips=1000,
    ),
)


def known_to(row: Row, corpora: Set[str]) -> list[str]:
    """Who has seen the tested corpora before: figures on them may flatter."""
    features = row.reads.name
    if features in OPENSMILE_SETS:
        return []
    found = ["our choices"] if GUIDED_CHOICES & corpora else []
    if voted_corpora(features) & corpora:
        found.append("the encoder, with labels")
    elif exposed_corpora(features) & corpora:
        found.append("the encoder, without labels")
    return found


def _picked(values: Sequence[str], rows: IntArray) -> list[str]:
    return [values[row] for row in rows]


def _encoder_bytes(features: str) -> int:
    """Size of the encoders that a feature set runs."""
    encoders = [own.encoder for part in features.split("+") if (own := own_set(part))]
    return sum(int(encoder.manifest["n_bytes"]) for encoder in encoders)
