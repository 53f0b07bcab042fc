"""Arousal and valence: a linear regression each, and how well it agrees with unseen speakers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ser_batch.arrays import DoubleArray, IntArray
from ser_batch.dimensions import DIMENSIONS, HIGHEST, LOWEST
from ser_batch.errors import CorpusError
from ser_batch.features.dataset import LONG_SEGMENT, Dataset
from ser_batch.scoring.feature_weights import read_columns
from ser_batch.scoring.linear import LinearHead, centre_and_scale
from ser_batch.training.crossvalidate import check_apart
from ser_batch.training.evaluation import N_BOOTSTRAP
from ser_batch.training.heads import parts_of
from ser_batch.training.splits import check_no_leakage, speaker_folds

PENALTIES = (300.0, 3000.0, 30000.0)
"""Of the squared weights of scaled features; the one with the least held-out error is taken."""
N_FOLDS = 4
FEWEST_CLIPS, FEWEST_SPEAKERS = 50, 5
"""With fewer that are labelled no dimension is learnt."""


def fit_dimensions(dataset: Dataset) -> LinearHead:
    """Arousal and valence from features, as spread as the labels on speakers held out.

    A penalised regression alone keeps to the middle of the scale: it is stretched until what it
    gives for speakers that it was trained without is as spread as their labels.

    Args:
        dataset: with dimensions; copies are trained on too

    Returns:
        a head over the features that a model reads (`read_columns`); it gives both dimensions

    Raises:
        CorpusError: if too few clips, or clips of too few speakers, are labelled
    """
    clips = _labelled(dataset.reading(read_columns(dataset.kinds)))
    folds = speaker_folds(clips.speakers, clips.contents, n_folds=N_FOLDS)
    held_out = {penalty: np.zeros((len(clips.emotions), len(DIMENSIONS))) for penalty in PENALTIES}
    for fold in folds:
        tested = clips.features[fold.test]
        for penalty, head in _regressions(clips.take(fold.train), PENALTIES).items():
            held_out[penalty][fold.test] = head.logits(tested)
    truth = _ratings(clips)
    best = min(PENALTIES, key=lambda penalty: float(np.square(held_out[penalty] - truth).mean()))
    head = _regressions(clips, [best])[best]
    stretch = truth.std(axis=0) / np.maximum(held_out[best].std(axis=0), 1e-9)
    head.weights[:] *= stretch
    head.bias[:] = truth.mean(axis=0) + stretch * (head.bias - held_out[best].mean(axis=0))
    return head


def dimension_figures(
    dataset: Dataset, tested: Dataset | None = None, *, n_folds: int = N_FOLDS
) -> dict[str, dict[str, float]]:
    """Agreement with the labels of speakers that the models were trained without.

    Args:
        dataset: to train on; without `tested`, its speakers are held out in turn
        tested: clips of others
        n_folds: of whole speakers

    Returns:
        JSON-able, by dimension: ccc, ccc_low, ccc_high (95 %, speakers resampled), n_clips,
        n_speakers

    Raises:
        CorpusError: as in `fit_dimensions`
        LeakError: if the speakers cannot be held apart
    """
    clips = _labelled(dataset)
    if tested is not None:
        others = _labelled(tested)
        check_apart(clips, others, sentences=False)
        return _agreement(others, _values(fit_dimensions(clips), others))
    folds = speaker_folds(clips.speakers, clips.contents, n_folds=n_folds)
    check_no_leakage(folds, clips.speakers, clips.contents, clips.copies)
    found = np.zeros((len(clips.emotions), len(DIMENSIONS)))
    for fold in folds:
        head = fit_dimensions(clips.take(fold.train))
        found[fold.test] = _values(head, clips.take(fold.test))
    originals = clips.copies == 0
    return _agreement(clips.take(originals), found[originals])


def ccc(truth: DoubleArray, found: DoubleArray) -> float:
    """Concordance correlation coefficient: 1 where every value is right, 0 where none agrees.

    Source: Lin (1989), "A concordance correlation coefficient to evaluate reproducibility".

    Args:
        truth: shape (n,)
        found: shape (n,)
    """
    covariance = float(np.mean((truth - truth.mean()) * (found - found.mean())))
    apart = float(truth.mean() - found.mean()) ** 2
    whole = float(truth.var() + found.var()) + apart
    return 2 * covariance / whole if whole > 0 else 0.0


def ccc_interval(
    truth: DoubleArray, found: DoubleArray, speakers: Sequence[str]
) -> tuple[float, float]:
    """95 % interval of the CCC when whole speakers are resampled with replacement."""
    names, index = np.unique(np.array(speakers), return_inverse=True)
    sums = np.array(
        [
            [t.size, t.sum(), f.sum(), (t * t).sum(), (f * f).sum(), (t * f).sum()]
            for t, f in ((truth[index == i], found[index == i]) for i in range(len(names)))
        ]
    )
    draws = np.random.default_rng(0).integers(0, len(names), (N_BOOTSTRAP, len(names)))
    drawn = sums[draws].sum(axis=1)
    means = drawn[:, 1:] / drawn[:, :1]
    mean_t, mean_f, square_t, square_f, product = means.T
    variances = square_t - mean_t**2 + square_f - mean_f**2
    whole = np.maximum(variances + (mean_t - mean_f) ** 2, 1e-12)
    low, high = np.percentile(2 * (product - mean_t * mean_f) / whole, [2.5, 97.5])
    return float(low), float(high)


def _labelled(dataset: Dataset) -> Dataset:
    """The clips with both dimensions, and their copies.

    Raises:
        CorpusError: if they are too few
    """
    if dataset.dimensions is None:
        n_clips = n_speakers = 0
    else:
        known = ~np.isnan(dataset.dimensions).any(axis=1) & (dataset.copies != LONG_SEGMENT)
        dataset = dataset.take(known)
        n_clips = int((dataset.copies == 0).sum())
        n_speakers = len(set(dataset.speakers))
    if n_clips < FEWEST_CLIPS or n_speakers < FEWEST_SPEAKERS:
        raise CorpusError(
            f"{n_clips} clips of {n_speakers} speakers carry arousal and valence, at least "
            f"{FEWEST_CLIPS} of {FEWEST_SPEAKERS} are needed: add the columns arousal and valence "
            "(1 to 5) to the table of --labels, or train on a corpus with votes"
        )
    return dataset


def _ratings(clips: Dataset) -> DoubleArray:
    """Of labelled clips, shape (n_clips, 2)."""
    assert clips.dimensions is not None
    return clips.dimensions


def _regressions(clips: Dataset, penalties: Sequence[float]) -> dict[float, LinearHead]:
    """By penalty, over the states where there are any, as the other heads; other weights are 0."""
    columns: IntArray = parts_of(clips.kinds, (1.0,), (1.0,))[-1].columns
    n_features = len(clips.names)
    centre, scale = centre_and_scale(clips.features)
    blank = LinearHead(
        centre=centre,
        scale=scale,
        feature_weights=np.ones(n_features),
        weights=np.zeros((n_features, len(DIMENSIONS))),
        bias=np.zeros(len(DIMENSIONS)),
    )
    ratings, scaled = _ratings(clips), blank.scaled(clips.features)[:, columns]
    middle, mean = scaled.mean(axis=0), ratings.mean(axis=0)
    with threadpool_limits(1):  # sums in one order: the same data give the same bytes
        products = (scaled - middle).T @ (scaled - middle)
        wanted = (scaled - middle).T @ (ratings - mean)
        heads = {}
        for penalty in penalties:
            weights = blank.weights.copy()
            penalised = products + penalty * np.eye(len(columns))
            weights[columns] = scipy.linalg.solve(penalised, wanted, assume_a="pos")
            bias = mean - middle @ weights[columns]
            heads[penalty] = replace(blank, weights=weights, bias=bias)
    return heads


def _values(head: LinearHead, clips: Dataset) -> DoubleArray:
    read = clips.reading(read_columns(clips.kinds))
    return np.clip(head.logits(read.features), LOWEST, HIGHEST)


def _agreement(clips: Dataset, found: DoubleArray) -> dict[str, dict[str, float]]:
    figures = {}
    for column, name in enumerate(DIMENSIONS):
        truth, value = _ratings(clips)[:, column], found[:, column]
        low, high = ccc_interval(truth, value, clips.speakers)
        figures[name] = {
            "ccc": ccc(truth, value),
            "ccc_low": low,
            "ccc_high": high,
            "n_clips": len(truth),
            "n_speakers": len(set(clips.speakers)),
        }
    return figures
