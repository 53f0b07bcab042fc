"""Why a segment was called what it was: the strongest contributions, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ser_batch.arrays import DoubleArray, FloatArray, IntArray
from ser_batch.features.functionals import change_names
from ser_batch.features.kinds import FeatureKind
from ser_batch.features.rhythm import DURATION
from ser_batch.scoring.feature_weights import LEVELS
from ser_batch.scoring.predictor import Predictor, columns

N_REASONS = 3
LEAST_SEGMENTS = 4
"""Segments of a caller from which there is a usual to be compared with."""


@dataclass(frozen=True)
class Family:
    """Features that an analyst perceives as one quality.

    Attributes:
        holds: whether a feature is one of them
        shown_by: the feature whose value says which way
        more, less: words for a value above and below the usual
    """

    holds: Callable[[FeatureKind], bool]
    shown_by: str
    more: str
    less: str


VOICE_QUALITY = ("hnr", "cpp", "jitter", "shimmer", "voicing")
PAUSES = (
    "active_share", "voiced_share", "unvoiced_run_mean_s", "unvoiced_run_sd_s", "pauses_per_s",
    "pause_longest_s", DURATION,
)  # fmt: skip
SHAPES = (
    "centroid", "bandwidth", "skewness", "kurtosis", "rolloff25", "rolloff50", "rolloff75",
    "rolloff85", "slope", "slope_low", "slope_high", "alpha_ratio", "hammarberg", "flatness",
    "entropy", "zcr", "mfcc1", "mfcc2",
)  # fmt: skip

FAMILIES: tuple[Family, ...] = (
    Family(
        lambda kind: kind.measure.what == "f0" and kind.statistic in LEVELS,
        "f0.voiced.p50",
        "higher voice",
        "lower voice",
    ),
    Family(
        lambda kind: kind.measure.what == "f0",
        "f0.voiced.range",
        "livelier melody",
        "flatter melody",
    ),
    Family(
        lambda kind: kind.measure.what in ("level", "loudness"),
        "level.speech.range",
        "stronger accents",
        "evener loudness",
    ),
    Family(
        lambda kind: kind.measure.what in VOICE_QUALITY,
        "hnr.voiced.p50",
        "clearer voice",
        "rougher voice",
    ),
    Family(
        lambda kind: kind.measure.what == "rhythm" and kind.statistic in PAUSES,
        "rhythm.pauses_per_s",
        "more pauses",
        "fewer pauses",
    ),
    Family(
        lambda kind: kind.measure.what == "rhythm",
        "rhythm.syllables_per_s",
        "faster speech",
        "slower speech",
    ),
    Family(
        lambda kind: (
            kind.measure.what in ("flux", "modulation") or kind.statistic in change_names()
        ),
        "mfcc1.speech.delta_sd",
        "more abrupt speech",
        "smoother speech",
    ),
    Family(
        lambda kind: kind.measure.name in SHAPES,
        "centroid.speech.mean",
        "sharper sound",
        "softer sound",
    ),
    Family(lambda _: True, "formant1.voiced.mean", "wider vowels", "narrower vowels"),
)
"""Each descriptor belongs to the first family that holds it."""


def family_of(kind: FeatureKind) -> int | None:
    """Number of a feature's family.

    A speech model's states belong to none: beside descriptors, the descriptors' part is named.
    """
    if kind.is_state:
        return None
    return next(number for number, family in enumerate(FAMILIES) if family.holds(kind))


def reasons(
    predictor: Predictor,
    features: FloatArray,
    names: Sequence[str],
    callers: Sequence[object],
    winner: IntArray,
) -> list[tuple[str, ...]]:
    """The strongest reasons for the likeliest emotion of each segment, strongest first.

    Args:
        predictor: the model
        features: shape (n, len(names))
        names: of the columns
        callers: whose segment each is; a caller's median over these rows is their usual
        winner: number of the likeliest emotion of each segment, shape (n,)

    Returns:
        up to three phrases a segment, such as `higher voice than this caller's usual`
    """
    if not {family.shown_by for family in FAMILIES} <= set(predictor.feature_names):
        return [()] * len(features)  # an embedding's numbers have no words
    if not len(features):
        return []
    weight = family_contributions(predictor, features, names, winner)
    place = columns([family.shown_by for family in FAMILIES], predictor.feature_names)
    shown = predictor.read(features, names)[:, place].astype(float)
    usual, known = _usual(shown, callers, predictor)
    phrases = []
    for row, strongest in enumerate(np.argsort(-weight, axis=1, kind="stable")):
        against = "this caller's usual" if known[row] else "most speech"
        phrases.append(
            tuple(
                f"{_word(FAMILIES[i], shown[row, i] >= usual[row, i])} than {against}"
                for i in strongest[:N_REASONS]
                if weight[row, i] > 0
            )
        )
    return phrases


def family_contributions(
    predictor: Predictor, features: FloatArray, names: Sequence[str], winner: IntArray
) -> DoubleArray:
    """How much each family raised the winner's logit over the other emotions' mean.

    Source: Lundberg et al. (2020), "From local explanations to global understanding with
    explainable AI for trees", for the trees; a linear head's contributions are exact.

    Returns:
        shape (n, len(FAMILIES))
    """
    return contributions(predictor, features, names, winner) @ _membership(tuple(predictor.kinds))


def contributions(
    predictor: Predictor, features: FloatArray, names: Sequence[str], winner: IntArray
) -> DoubleArray:
    """Contribution of each feature to the winner's logit less the mean of all emotions' logits.

    Returns:
        shape (n, n_features of the model), to be counted from a clip of median features
    """
    read = predictor.read(features, names)
    rows = np.arange(len(features))
    linear = predictor.linear.weights - predictor.linear.weights.mean(axis=1, keepdims=True)
    total = predictor.linear.scaled(read) * linear.T[winner]
    if predictor.trees is None:
        return np.asarray(total, np.float64)
    trees = predictor.trees.contributions(read, predictor.feature_names)
    added = trees[rows, winner] - trees.mean(axis=1)
    place = columns(predictor.trees.names, predictor.feature_names)
    total[:, place] += added
    return np.asarray(total, np.float64)


def _usual(
    shown: DoubleArray, callers: Sequence[object], predictor: Predictor
) -> tuple[DoubleArray, np.ndarray]:
    """What each segment is compared with, and whether that is the caller's own."""
    place = columns([family.shown_by for family in FAMILIES], predictor.feature_names)
    usual = np.tile(predictor.linear.centre[place], (len(shown), 1))
    known = np.zeros(len(shown), bool)
    rows_of: dict[object, list[int]] = {}
    for row, caller in enumerate(callers):
        rows_of.setdefault(caller, []).append(row)
    for rows in rows_of.values():
        if len(rows) >= LEAST_SEGMENTS:
            usual[rows] = np.median(shown[rows], axis=0)
            known[rows] = True
    return usual, known


@lru_cache(maxsize=4)
def _membership(kinds: tuple[FeatureKind, ...]) -> DoubleArray:
    """1 where a feature belongs to a family, shape (n_features, len(FAMILIES))."""
    member = np.zeros((len(kinds), len(FAMILIES)))
    for row, kind in enumerate(kinds):
        if (family := family_of(kind)) is not None:
            member[row, family] = 1
    return member


def _word(family: Family, above: bool) -> str:
    return family.more if above else family.less
