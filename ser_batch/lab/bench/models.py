"""Our recipe beside the field's usual classifiers, on the same unseen speakers.

Every peer's settings are chosen by grid search inside the training folds, speakers held apart.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, RobustScaler
from sklearn.svm import SVC

from ser_batch.config import nearest
from ser_batch.corpora import read_corpus
from ser_batch.corpora.base import one_of_each_content
from ser_batch.errors import CorpusError
from ser_batch.features.dataset import Dataset
from ser_batch.lab.bench.opensmile import OpenSmileSet
from ser_batch.progress import Progress, counted
from ser_batch.scoring.linear import CLIP
from ser_batch.training.crossvalidate import held_out_predictions
from ser_batch.training.describe import describe_clips
from ser_batch.training.evaluation import Evaluation, evaluate
from ser_batch.training.fit import class_numbers
from ser_batch.training.protocols import Protocol
from ser_batch.training.setup import TrainingSetup
from ser_batch.training.splits import Fold, check_no_leakage, speaker_folds

INNER_FOLDS = 3
CLASSIFIERS = ("LightGBM", "SVM", "logistic regression", "MLP")
OPENSMILE_SETS = ("eGeMAPSv02", "ComParE_2016")
OPENSMILE_CLASSIFIERS = ("LightGBM", "SVM")
SEED = 1

Grid = dict[str, list[Any]]


def run(
    protocol: Protocol,
    corpora: Path,
    *,
    setup: TrainingSetup,
    classifiers: Sequence[str] = CLASSIFIERS,
    on_progress: Progress,
) -> dict[str, Any]:
    """Test each way of classifying on the protocol's held-out speakers, telephone band.

    Args:
        protocol: whose corpora hold out their own speakers
        corpora: folder below which each corpus has its own
        setup: how our model is trained; the peers read the same features, of no copies
        classifiers: the field's, by name
        on_progress: called with a step, what is done of it, and all of it

    Returns:
        `rows`, best first: what, features, uar, uar_low, uar_high, wa; and what was `missing`

    Raises:
        CorpusError: if the protocol tests another corpus, or a classifier is not known
    """
    for what in classifiers:
        if what not in CLASSIFIERS:
            raise CorpusError(f"{what!r} is not compared{nearest(what, CLASSIFIERS)}")
    if protocol.test:
        raise CorpusError(f"{protocol.name}: speakers of the training corpora are to be held out")
    clips = one_of_each_content([c for name in protocol.train for c in read_corpus(corpora, name)])
    features = setup.features
    dataset = setup.describe(clips, on_progress=on_progress)
    plain = dataset.take(dataset.copies == 0)
    rows = [_ours(dataset, setup, protocol, on_progress)]
    rows += [
        Peer(what, features, *_classifier(what)).row(plain, protocol, on_progress)
        for what in classifiers
    ]
    missing = {}
    for name in OPENSMILE_SETS:
        if importlib.util.find_spec("opensmile") is None:
            missing[f"openSMILE {name}"] = "pip install opensmile"
            continue
        on_clip = counted(f"describing by {name}", len(clips), on_progress)
        theirs = describe_clips(clips, OpenSmileSet(name), on_clip=on_clip)
        for what in [name for name in OPENSMILE_CLASSIFIERS if name in classifiers]:
            peer = Peer(what, name, *_classifier(what))
            rows.append(peer.row(theirs, protocol, on_progress))
    rows.sort(key=lambda row: -row["uar"])
    return {
        "protocol": protocol.name,
        "band": "telephone",
        "n_clips": len(plain.emotions),
        "n_speakers": len(set(plain.speakers)),
        "rows": rows,
        "missing": missing,
    }


@dataclass(frozen=True)
class Peer:
    """A classifier of the field.

    Attributes:
        what: its name
        features: what it reads
        model: as scikit-learn knows it
        grid: what is tried
    """

    what: str
    features: str
    model: Any
    grid: Grid

    def row(self, dataset: Dataset, protocol: Protocol, on_progress: Progress) -> dict[str, Any]:
        """Its figures on each fold's speakers, its settings chosen on the other folds'."""
        labels = class_numbers(dataset.emotions, dataset.classes)
        groups, folds = np.array(dataset.speakers), _folds(dataset, protocol)
        check_no_leakage(folds, dataset.speakers, dataset.contents)
        found = np.zeros((len(labels), len(dataset.classes)))
        for done, fold in enumerate(folds, start=1):
            inner = GroupKFold(min(INNER_FOLDS, len(np.unique(groups[fold.train]))))
            search = GridSearchCV(self.model, self.grid, scoring="recall_macro", cv=inner)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                search.fit(
                    dataset.features[fold.train], labels[fold.train], groups=groups[fold.train]
                )
            found[fold.test, search.predict(dataset.features[fold.test])] = 1
            on_progress(f"{self.what} on {self.features}", done, len(folds))
        score = evaluate(dataset.emotions, found, dataset.classes, dataset.speakers)
        return _as_row(self.what, self.features, score)


def _classifier(what: str) -> tuple[Any, Grid]:
    """A classifier by name, with what is tried."""

    def scaled(model: Any) -> Pipeline:
        clip = FunctionTransformer(np.clip, kw_args={"min": -CLIP, "max": CLIP})
        return Pipeline([("scale", RobustScaler()), ("clip", clip), ("model", model)])

    known: dict[str, tuple[Any, Grid]] = {
        "LightGBM": (
            lightgbm.LGBMClassifier(
                class_weight="balanced",
                colsample_bytree=0.3,
                deterministic=True,
                force_row_wise=True,
                n_jobs=1,
                random_state=SEED,
                verbose=-1,
            ),
            {"n_estimators": [50, 150], "num_leaves": [7, 15]},
        ),
        "SVM": (
            scaled(SVC(class_weight="balanced")),
            {"model__C": [1.0, 10.0], "model__gamma": [1e-4, 3e-4, 1e-3]},
        ),
        "logistic regression": (
            scaled(LogisticRegression(class_weight="balanced", max_iter=300, tol=1e-3)),
            {"model__C": [1e-4, 1e-3, 1e-2]},
        ),
        "MLP": (
            scaled(MLPClassifier(max_iter=60, random_state=SEED)),
            {"model__hidden_layer_sizes": [(64,), (128, 32)], "model__alpha": [1e-3, 1.0]},
        ),
    }
    return known[what]


def _ours(
    dataset: Dataset, setup: TrainingSetup, protocol: Protocol, on_progress: Progress
) -> dict[str, Any]:
    folds = _folds(dataset, protocol)
    check_no_leakage(folds, dataset.speakers, dataset.contents, dataset.copies)
    on_fold = counted("ours", len(folds), on_progress)
    found = held_out_predictions(dataset, folds, setup.recipe, on_fold)
    clips = dataset.take(dataset.copies == 0)
    score = evaluate(clips.emotions, found.probabilities, dataset.classes, clips.speakers)
    return _as_row("ours: linear head + LightGBM", setup.features, score)


def _as_row(what: str, features: str, score: Evaluation) -> dict[str, Any]:
    figures = {name: getattr(score, name) for name in ("uar", "uar_low", "uar_high", "wa")}
    return {"what": what, "features": features, **figures}


def _folds(dataset: Dataset, protocol: Protocol) -> list[Fold]:
    n_speakers = len(speaker_folds(dataset.speakers, dataset.contents))
    n_folds = -(-n_speakers // protocol.speakers_per_fold)
    return speaker_folds(dataset.speakers, dataset.contents, n_folds=n_folds)
