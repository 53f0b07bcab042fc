"""Our own encoder beside descriptors, its teacher and wav2vec2-base: speed, size and accuracy.

All sets are read by one linear head of one fixed strength a kind of feature, and no trees, so that
the table compares what is described and not how it is learnt. Which set wins on calls with the
product's own training is said by `calls`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import scipy.special
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.config import Settings, digest
from ser_batch.corpora import CORPORA
from ser_batch.errors import CorpusError
from ser_batch.features.dataset import Dataset
from ser_batch.features.encoders.encoder import Encoder, encoder_of, sinusoids
from ser_batch.features.encoders.graph import encoder_graph
from ser_batch.features.encoders.local import (
    HEAD_WIDTH,
    N_POSITIONS,
    LocalEncoderFeatureSet,
    own_set,
)
from ser_batch.features.encoders.sets import pooled_rows
from ser_batch.features.kinds import FeatureKind
from ser_batch.features.sets import FeatureSet, get_feature_set
from ser_batch.lab.bench import calls as calls_bench
from ser_batch.lab.bench.described import described
from ser_batch.lab.bench.embeddings import (
    PEER,
    SEGMENTS_S,
    fastest,
    noise,
    peer_speed,
    segment_edges,
)
from ser_batch.lab.bench.scored_calls import Benchmark
from ser_batch.lab.distill.export import encoder_arrays
from ser_batch.progress import Progress
from ser_batch.training.evaluation import evaluate
from ser_batch.training.heads import Task, TunedPart, fit_head, parts_of
from ser_batch.training.normalise import per_speaker
from ser_batch.training.protocols import CROSS_EMOTIONS
from ser_batch.training.setup import TrainingSetup
from ser_batch.training.splits import check_no_leakage, speaker_folds

SETS = (
    "descriptors_v1", "encoder_v2", "encoder_v2_fp32", "whisper_base_l2_int8",
    "whisper_base_l2_l3_int8", "whisper_base_l2_l3",
)  # fmt: skip
OF_OUR_OWN_IN_FP32 = "_fp32"
STRENGTH, STATE_STRENGTH = 0.001, 0.003
"""Inverse penalties of the head over descriptors and over states."""

FOLDS_OF = {"emodb": 1, "ravdess": 4, "nemo": 1}
"""Speakers tested at a time, by corpus."""

TRAINED_ON = "emodb"
REPEATS = 3


@dataclass(frozen=True)
class SinglePrecision:
    """Our encoder's weights multiplied in single precision, to see what eight bits cost.

    Attributes:
        name: the encoder's with `_fp32`
        own: its set in eight bits
        encoder: on onnxruntime
    """

    name: str
    own: LocalEncoderFeatureSet
    encoder: Encoder = field(repr=False)
    sample_rate: int
    names: tuple[str, ...] = field(repr=False)
    kinds: tuple[FeatureKind, ...] = field(repr=False)
    digest: str

    def require(self) -> None:
        """It is there."""

    def extract(self, signal: FloatArray, segments: DoubleArray) -> FloatArray:
        """Features of a channel's segments, as `LocalEncoderFeatureSet.extract` gives them."""
        n_mels = self.own.encoder.n_mels
        return pooled_rows(signal, segments, self.sample_rate, self.encoder, n_mels)


def run(
    corpora: Path | None,
    settings: Settings,
    *,
    names: Sequence[str] = SETS,
    n_calls: int,
    cache_folder: Path,
    on_progress: Progress,
) -> dict[str, Any]:
    """One table of all sets.

    Args:
        corpora: folder below which each corpus has its own; None: speed only
        settings: of the analysis of calls
        names: of the feature sets
        n_calls: calls a setting that the product's own models of EmoDB rank; 0: none
        cache_folder: for features, which are not computed twice
        on_progress: called with a step, what is done of it, and all of it

    Returns:
        `rows`, one a set; `missing` says what could not be measured, and why

    Raises:
        MissingWeightsError: if the weights of a set were not fetched
    """
    rows, missing = [], {}
    for name in names:
        chosen = named_set(name)
        with threadpool_limits(1):
            speed = set_speed(chosen)
        row: dict[str, Any] = {"set": name, "speed": speed, "n_bytes": _size(chosen)}
        if corpora is not None:
            row |= _accuracy(chosen, corpora, cache_folder, on_progress)
            if n_calls and not isinstance(chosen, SinglePrecision):
                row["calls"] = _calls(name, corpora, settings, n_calls, on_progress)
        rows.append(row)
    try:
        rows.append({"set": f"{PEER}, random weights", "speed": peer_speed(REPEATS)})
    except ImportError as error:
        missing[PEER] = f"{error}; pip install torch transformers"
    return {"unit": "speech-seconds per core-second, one thread", "rows": rows, "missing": missing}


@cache
def named_set(name: str) -> FeatureSet:
    """A feature set, or our encoder in single precision."""
    stem = name.removesuffix(OF_OUR_OWN_IN_FP32)
    own = own_set(stem) if stem != name else None
    if own is None:
        return get_feature_set(name)
    arrays = encoder_arrays(own.encoder)
    blocks = own.encoder.after_blocks
    graph = encoder_graph(arrays, head_width=HEAD_WIDTH, after_blocks=blocks, int8=False)
    encoder = encoder_of(graph, sinusoids(N_POSITIONS, own.encoder.width), blocks)
    return SinglePrecision(
        name, own, encoder, own.sample_rate, own.names, own.kinds, digest([own.digest, name])
    )


def set_speed(chosen: FeatureSet) -> float:
    """Segments of a channel as the night extracts them, × real time."""
    edges = segment_edges()
    signal = noise(edges[-1, 1], chosen.sample_rate)
    return sum(SEGMENTS_S) / fastest(lambda: chosen.extract(signal, edges), REPEATS)


def within(dataset: Dataset, speakers_per_fold: int) -> float:
    """UAR on unseen speakers of one corpus, by one linear head."""
    n_speakers = len(speaker_folds(dataset.speakers, dataset.contents))
    folds = speaker_folds(
        dataset.speakers, dataset.contents, n_folds=-(-n_speakers // speakers_per_fold)
    )
    check_no_leakage(folds, dataset.speakers, dataset.contents)
    found = np.zeros((len(dataset.emotions), len(dataset.classes)))
    for fold in folds:
        found[fold.test] = _probabilities(dataset.take(fold.train), dataset.take(fold.test))
    return evaluate(dataset.emotions, found, dataset.classes, dataset.speakers).uar


def cross_corpus(trained: Dataset, tested: Dataset) -> dict[str, float]:
    """UAR and area under the curve of anger on a corpus that was not trained on."""
    trained, tested = (
        one.take(np.isin(np.array(one.emotions), CROSS_EMOTIONS)) for one in (trained, tested)
    )
    found = _probabilities(trained, tested)
    anger = np.array(tested.emotions) == "anger"
    figures = evaluate(tested.emotions, found, trained.classes, tested.speakers)
    auc = roc_auc_score(anger, found[:, trained.classes.index("anger")])
    return {"uar": figures.uar, "auc_anger": float(auc)}


def _probabilities(trained: Dataset, tested: Dataset) -> DoubleArray:
    task = Task(trained.targets(trained.classes), domain_sensitive_weight=1.0)
    parts = parts_of(trained.kinds, (STRENGTH,), (STATE_STRENGTH,))
    tuned = [TunedPart(part.columns, part.strengths[0], 1 / len(parts)) for part in parts]
    head = fit_head(trained, task, tuned)
    return np.asarray(scipy.special.softmax(head.logits(tested.features), axis=1))


def _accuracy(
    chosen: FeatureSet, corpora: Path, folder: Path, on_progress: Progress
) -> dict[str, Any]:
    """Within corpora, and from EmoDB to the others."""
    there: dict[str, Dataset] = {}
    for name in sorted(CORPORA):
        try:
            there[name] = described(name, chosen, corpora, folder, on_progress)
        except CorpusError:
            continue
    row: dict[str, Any] = {"within": {}, "normalised": {}, "cross_corpus": {}}
    for name, speakers in FOLDS_OF.items():
        if name in there:
            row["within"][name] = within(there[name], speakers)
            row["normalised"][name] = within(per_speaker(there[name]), speakers)
    for name, dataset in there.items():
        if name != TRAINED_ON and TRAINED_ON in there:
            row["cross_corpus"][name] = cross_corpus(there[TRAINED_ON], dataset)
    return row


def _calls(
    name: str, corpora: Path, settings: Settings, n_calls: int, on_progress: Progress
) -> list[dict[str, Any]]:
    """`bench calls` of a model of EmoDB, with the product's own training."""
    chosen = get_feature_set(name)
    benchmark = Benchmark(settings, chosen, n_calls, (1, 2, 3), None, on_progress)
    setup = TrainingSetup.choose(features=name)
    task = calls_bench.Task(corpora, train_on=(TRAINED_ON,), setup=setup)
    found = calls_bench.run(task, benchmark)
    return [calls_bench.figures_of(one, settings, name) for one in found]


def _size(chosen: FeatureSet) -> int | None:
    if isinstance(chosen, LocalEncoderFeatureSet):
        return int(chosen.encoder.manifest["n_bytes"])
    return None
