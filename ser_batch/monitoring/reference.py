"""What a model's training data were like, kept beside its bundle; drift is measured by it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray, IntArray
from ser_batch.errors import BundleError
from ser_batch.features.dataset import Dataset
from ser_batch.scoring.bundle_writer import write_numbers
from ser_batch.scoring.calibration import BinaryCalibration
from ser_batch.scoring.histograms import LINE_EDGES, binned
from ser_batch.scoring.predictor import Predictor, columns

REFERENCE = "reference.npz"
"""File of a bundle's folder that holds what its training data were like."""

N_BINS = 10
LEAST_MEASURED = 0.9
"""Share of the clips as they are that must say something of a line measure, for it to be kept."""

_LINE = "line."


@dataclass(frozen=True)
class HeldOut:
    """What a model says of speakers that it did not learn from: every clip by cross-validation.

    Attributes:
        classes: emotion of each column
        probabilities: of the clips as they are, not of copies, shape (n_clips, n_classes)
        dissatisfaction: of the same clips by the same models, shape (n_clips,)
        ood_score: of the same clips to the final model, shape (n_clips,)
    """

    classes: tuple[str, ...]
    probabilities: FloatArray
    dissatisfaction: FloatArray
    ood_score: FloatArray


@dataclass(frozen=True)
class Reference:
    """What a model's training data were like.

    Attributes:
        names: of the features
        edges: between tenths of the training clips, shape (n_features, N_BINS - 1)
        clips: training clips in each bin, shape (n_features, N_BINS); tenths, unless many clips
            have the very same value
        held_out: scores of held-out speakers; None: a file from before they were kept
        line: training clips in each bin of `LINE_EDGES`, by the measures that they say something
            honest about; None: a file from before they were kept
    """

    names: tuple[str, ...]
    edges: FloatArray
    clips: IntArray
    held_out: HeldOut | None = None
    line: Mapping[str, IntArray] | None = None

    def counts(self, features: FloatArray, names: Sequence[str]) -> IntArray:
        """Segments in each bin, shape (n_features, N_BINS).

        Args:
            features: shape (n, len(names))
            names: of the columns; those of the reference are among them
        """
        place = {name: column for column, name in enumerate(names)}
        return bin_counts(features[:, [place[name] for name in self.names]], self.edges)


def bin_counts(features: FloatArray, edges: FloatArray) -> IntArray:
    """Rows in each bin, feature by feature.

    Args:
        features: shape (n, n_features)
        edges: shape (n_features, N_BINS - 1)

    Returns:
        shape (n_features, N_BINS)
    """
    reached = [np.count_nonzero(features >= edge, axis=0) for edge in edges.T]
    at_least = np.stack([np.full(len(edges), len(features)), *reached], axis=1)
    return -np.diff(at_least, axis=1, append=0).astype(np.int64)


def held_out(
    dataset: Dataset,
    probabilities: DoubleArray,
    dissatisfaction: DoubleArray,
    predictor: Predictor,
) -> HeldOut:
    """Scores of the training clips by models trained without their speakers.

    Args:
        dataset: what the model was trained on, copies and all
        probabilities: from `cross_validate`, shape (n_clips, n_classes), columns as
            `dataset.classes`
        dissatisfaction: likewise, shape (n_clips,)
        predictor: trained on all of it
    """
    clips = dataset.take(dataset.copies == 0)
    ood_score = predictor.ood_score(clips.features, clips.names)
    # four places are more than any bin needs, and pack well
    return HeldOut(
        dataset.classes,
        probabilities.round(4).astype(np.float32),
        dissatisfaction.round(4).astype(np.float32),
        ood_score.round(4).astype(np.float32),
    )


def line_counts(line: FloatArray, copies: IntArray) -> dict[str, IntArray]:
    """Training clips in each bin of the line measures that they say something honest about.

    Args:
        line: a column each of `LINE_MEASURES`, NaN where a clip says nothing, shape (n_clips, 4)
        copies: 0 for a clip as it is, shape (n_clips,)
    """
    counts = {}
    for (name, edges), values in zip(LINE_EDGES.items(), line.T, strict=True):
        measured = np.isfinite(values)
        if measured[copies == 0].mean() >= LEAST_MEASURED:
            counts[name] = binned(values[measured], edges)
    return counts


def write_reference(
    bundle: Path, dataset: Dataset, names: Sequence[str], scores: HeldOut | None = None
) -> None:
    """Keep what the training data were like beside a bundle.

    Args:
        bundle: its folder
        dataset: what it was trained on, copies and all
        names: of the features that it reads
        scores: of its held-out speakers; None: not kept
    """
    features = dataset.reading(columns(names, dataset.names)).features
    steps = np.arange(1, N_BINS) / N_BINS
    edges = np.quantile(features, steps, axis=0).T.astype(np.float32)
    kept: dict[str, np.ndarray] = {
        "names": np.array(names, dtype=np.str_),
        "edges": edges,
        "clips": bin_counts(features, edges),
    }
    if scores is not None:
        kept |= {
            "classes": np.array(scores.classes, dtype=np.str_),
            "probabilities": scores.probabilities,
            "dissatisfaction": scores.dissatisfaction,
            "ood_score": scores.ood_score,
        }
    if dataset.line is not None:
        line = line_counts(dataset.line, dataset.copies)
        kept |= {f"{_LINE}{name}": counts for name, counts in line.items()}
        kept["line_measures"] = np.array(list(line), dtype=np.str_)
    _store(bundle, kept)


def write_recalibrated_reference(
    source: Path, target: Path, *, before: BinaryCalibration, now: BinaryCalibration
) -> None:
    """Keep a model's reference beside the one that was recalibrated from it, if there is any.

    Args:
        source: folder of the model that was recalibrated
        target: folder of the recalibrated one
        before: calibration of the scores that the reference holds
        now: the new one
    """
    if (kept := _stored(source)) is None:
        return
    if "dissatisfaction" in kept:
        held = np.clip(kept["dissatisfaction"].astype(np.float64), 5e-5, 1 - 5e-5)
        log_odds = (np.log(held / (1 - held)) - before.offset) / before.slope
        kept["dissatisfaction"] = now.probabilities(log_odds).round(4).astype(np.float32)
    _store(target, kept)


def write_aligned_reference(source: Path, target: Path, shift: DoubleArray) -> None:
    """Keep a model's reference beside the one aligned from it, if there is any.

    The aligned model reads features with a shift added: its edges are moved the other way, so that
    calls as they are fall into the bins of the aligned features.

    Args:
        source: folder of the model that was aligned
        target: folder of the aligned one
        shift: added to each feature, in the order of the reference's names, shape (n_features,)
    """
    if (kept := _stored(source)) is not None:
        kept["edges"] = (kept["edges"] - shift[:, np.newaxis]).astype(np.float32)
        _store(target, kept)


def read_reference(folder: Path) -> Reference | None:
    """What a bundle's training data were like, None for a bundle that does not say so.

    Raises:
        BundleError: if the file cannot be read
    """
    try:
        stored = _stored(folder)
        return None if stored is None else _reference(stored)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BundleError(f"{folder / REFERENCE}: {error}") from error


def _stored(folder: Path) -> dict[str, np.ndarray] | None:
    """The arrays of a bundle's reference; None: it has none."""
    path = folder / REFERENCE
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as stored:
        return dict(stored)


def _store(folder: Path, arrays: Mapping[str, np.ndarray]) -> None:
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
    write_numbers(folder / REFERENCE, content.getvalue())


def _reference(stored: Mapping[str, np.ndarray]) -> Reference:
    scores = line = None
    if "classes" in stored:
        classes = tuple(stored["classes"].tolist())
        names = ("probabilities", "dissatisfaction", "ood_score")
        scores = HeldOut(classes, *(stored[name] for name in names))
    if "line_measures" in stored:
        line = {name: stored[f"{_LINE}{name}"] for name in stored["line_measures"].tolist()}
    names = tuple(stored["names"].tolist())
    return Reference(names, stored["edges"], stored["clips"], scores, line)
