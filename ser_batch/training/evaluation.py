"""How good predictions are: recalls, intervals over speakers, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from sklearn import metrics

from ser_batch.arrays import BoolArray, DoubleArray, IntArray

N_BOOTSTRAP = 2000
N_BINS = 10


@dataclass(frozen=True)
class ClassScore:
    """How well one emotion is found."""

    n_clips: int
    recall: float
    precision: float


@dataclass(frozen=True)
class ReliabilityBin:
    """Clips of about one confidence."""

    n_clips: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Evaluation:
    """Figures of one set of predictions.

    Attributes:
        n_clips, n_speakers: what they rest on
        uar: unweighted average recall
        uar_low, uar_high: 95 % interval of it, speakers resampled
        wa: accuracy
        ece: expected calibration error of the likeliest emotion's probability
        reliability: confidence and accuracy of the clips in each tenth of confidence
        per_class: by emotion
        classes: order of `confusion`
        confusion: clips by true (row) and predicted (column) emotion
    """

    n_clips: int
    n_speakers: int
    uar: float
    uar_low: float
    uar_high: float
    wa: float
    ece: float
    reliability: list[ReliabilityBin]
    per_class: dict[str, ClassScore]
    classes: tuple[str, ...]
    confusion: list[list[int]]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def evaluate(
    truth: Sequence[str],
    probabilities: DoubleArray,
    classes: Sequence[str],
    speakers: Sequence[str],
) -> Evaluation:
    """Figures of calibrated probabilities.

    Args:
        truth: emotion of each clip, all of them in `classes`
        probabilities: shape (n_clips, n_classes)
        classes: emotion of each column
        speakers: of each clip
    """
    column = {name: i for i, name in enumerate(classes)}
    true = np.array([column[name] for name in truth], dtype=np.int64)
    predicted = probabilities.argmax(axis=1).astype(np.int64)
    confusion = confusion_matrix(true, predicted, len(classes))
    precisions, recalls, _, counts = metrics.precision_recall_fscore_support(
        true, predicted, labels=range(len(classes)), zero_division=0
    )
    low, high = uar_interval(true, predicted, speakers, len(classes))
    return Evaluation(
        n_clips=len(true),
        n_speakers=len(set(speakers)),
        uar=uar(confusion),
        uar_low=low,
        uar_high=high,
        wa=float(metrics.accuracy_score(true, predicted)),
        ece=expected_calibration_error(probabilities.max(axis=1), true == predicted),
        reliability=reliability(probabilities.max(axis=1), true == predicted),
        per_class={
            name: ClassScore(n_clips=int(count), recall=float(recall), precision=float(precision))
            for name, count, recall, precision in zip(
                classes, counts, recalls, precisions, strict=True
            )
        },
        classes=tuple(classes),
        confusion=confusion.tolist(),
    )


def confusion_matrix(true: IntArray, predicted: IntArray, n_classes: int) -> IntArray:
    """Counts by true class (row) and predicted class (column)."""
    counts = metrics.confusion_matrix(true, predicted, labels=range(n_classes))
    return np.asarray(counts, np.int64)


def uar(confusion: IntArray) -> float:
    """Mean recall of the classes that occur."""
    present = confusion.sum(axis=1) > 0
    return float((np.diag(confusion)[present] / confusion.sum(axis=1)[present]).mean())


def uar_interval(
    true: IntArray, predicted: IntArray, speakers: Sequence[str], n_classes: int
) -> tuple[float, float]:
    """95 % interval of the UAR when whole speakers are resampled with replacement."""
    labels, index = np.unique(np.array(speakers), return_inverse=True)
    by_speaker = np.stack(
        [
            confusion_matrix(true[index == i], predicted[index == i], n_classes)
            for i in range(len(labels))
        ]
    )
    draws = np.random.default_rng(0).integers(0, len(labels), (N_BOOTSTRAP, len(labels)))
    values = [uar(by_speaker[draw].sum(axis=0)) for draw in draws]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def reliability(confidence: DoubleArray, correct: BoolArray) -> list[ReliabilityBin]:
    """Mean confidence and accuracy of each tenth of confidence that holds a clip."""
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    return [
        ReliabilityBin(
            n_clips=int(np.count_nonzero(bins == number)),
            confidence=float(confidence[bins == number].mean()),
            accuracy=float(correct[bins == number].mean()),
        )
        for number in np.unique(bins)
    ]


def expected_calibration_error(confidence: DoubleArray, correct: BoolArray | DoubleArray) -> float:
    """Mean gap between confidence and accuracy over ten bins of equal width, by their share.

    Source: Guo et al. (2017), "On calibration of modern neural networks".

    Args:
        confidence: probabilities, shape (n,)
        correct: whether what they are of is true, or the share of annotators who say so, shape (n,)
    """
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    gap = np.bincount(bins, weights=correct - confidence, minlength=N_BINS)
    return float(np.abs(gap).sum() / len(confidence))
