"""The judge: which calls are worst, and which way did they go? On calls with known truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
from sklearn.metrics import roc_auc_score

from ser_batch.arrays import DoubleArray, FloatArray
from ser_batch.audio.analysis import analyse_calls
from ser_batch.config import DissatisfactionSettings, Settings
from ser_batch.corpora import CORPORA, read_corpus
from ser_batch.corpora.base import Clip, one_of_each_content
from ser_batch.emotions import call_dissatisfaction, segment_dissatisfaction
from ser_batch.errors import CorpusError
from ser_batch.features.dataset import Dataset
from ser_batch.features.sets import FeatureSet, get_feature_set
from ser_batch.lab.bench.arcs import arc_class
from ser_batch.lab.bench.simulated_calls import ANGRY, ActedCall, acted_calls
from ser_batch.scoring.alignment import aligned
from ser_batch.scoring.predictor import Predictor, columns
from ser_batch.training.augment import Augmentation
from ser_batch.training.describe import describe_clips
from ser_batch.training.fit import Recipe, train
from ser_batch.training.splits import check_no_leakage, speaker_folds

BATCH = 16
N_FOLDS = 5
MANY_SHARE = 0.5
"""True share of anger from which a call belongs among the worst."""

ALIGNED = "unseen corpus, aligned"
"""Fitted to the unlabelled calls of the other half (`ser-batch models align`)."""

CHANGES = ("worsening", "improving")
"""Arcs that are told apart; all others are steady."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class HeardCall:
    """A call after the pipeline's analysis of the customer's channel.

    Attributes:
        call: with its truth
        segments: start and end in seconds, shape (n, 2)
        features: shape (n, n_features)
        anger: true share of anger in each segment, NaN where the customer does not speak
    """

    call: ActedCall
    segments: DoubleArray
    features: FloatArray
    anger: DoubleArray


@dataclass(frozen=True)
class Judgement:
    """How well calls are ranked.

    Attributes:
        setting: `unseen speakers`, `unseen corpus`, or the latter with an aligned model
        trained_on: corpora of the model
        tested_on: corpora of the calls
        n_calls, n_segments: what the figures rest on
        n_unheard: calls in which the analysis found no speech of the customer; ranked last
        segment_auc_anger: area under the ROC curve of the segments' probability of anger
        spearman: rank correlation of the calls' dissatisfaction with their true share of anger
        spearman_mean_anger: the same of the plain mean of the segments' probability of anger,
            which the index must not fall behind
        precision_at_10: share of calls with at least half anger among the worst tenth
        arc_accuracy: share of worsening, improving and steady calls that are called so; the truth
            is what was said in the first and the last third, not what the arc was meant to be
    """

    setting: str
    trained_on: tuple[str, ...]
    tested_on: tuple[str, ...]
    n_calls: int
    n_segments: int
    n_unheard: int
    segment_auc_anger: float
    spearman: float
    spearman_mean_anger: float
    precision_at_10: float
    arc_accuracy: float


def run(
    corpora: Path,
    trained_on: Sequence[str],
    settings: Settings,
    *,
    n_calls: int,
    augmentation: Augmentation,
    recipe: Recipe,
    on_progress: Progress,
    seed: int = 1,
) -> dict[str, Any]:
    """Judge a model of some corpora on their own unseen speakers and on the other corpora.

    Args:
        corpora: folder below which each corpus has its own
        trained_on: names of the training corpora
        settings: of the analysis and of what counts as dissatisfied
        n_calls: calls a setting
        augmentation: of training clips
        recipe: how to train
        on_progress: told what is being done, how far, of how much
        seed: of the calls
    """
    feature_set = get_feature_set(settings.features.set)
    own = one_of_each_content([clip for name in trained_on for clip in read_corpus(corpora, name)])
    done = iter(range(1, len(own) + 1))
    dataset = describe_clips(
        own,
        feature_set,
        augmentation=augmentation,
        on_clip=lambda: on_progress("describing clips", next(done), len(own)),
    )
    judgements = []
    heard = partial(
        _heard,
        n_calls=n_calls,
        seed=seed,
        settings=settings,
        feature_set=feature_set,
        on_progress=on_progress,
    )
    calls = heard(own)
    found = _by_unseen_models(calls, dataset, recipe, on_progress)
    names = tuple(sorted(trained_on))
    judgements.append(
        judge(calls, found, settings.dissatisfaction, ("unseen speakers", names, names))
    )
    others = tuple(name for name in sorted(CORPORA) if name not in trained_on)
    foreign = [clip for name in others for clip in _clips_if_there(corpora, name)]
    if foreign:
        calls = heard(foreign)
        model = train(dataset, recipe)
        found = [_predicted(model, call, feature_set.names) for call in calls]
        there = tuple(sorted({clip.corpus for clip in foreign}))
        judgements.append(
            judge(calls, found, settings.dissatisfaction, ("unseen corpus", names, there))
        )
        found = _by_aligned_models(model, calls, feature_set.names)
        judgements.append(judge(calls, found, settings.dissatisfaction, (ALIGNED, names, there)))
    return {"ours": [asdict(judgement) for judgement in judgements], "peers": {}, "ratios": {}}


@dataclass(frozen=True)
class Scored:
    """A model's answer to a call's segments.

    Attributes:
        probabilities: shape (n_segments, n_classes)
        classes: emotion of each column
    """

    probabilities: DoubleArray
    classes: tuple[str, ...]


def judge(
    calls: Sequence[HeardCall],
    scored: Sequence[Scored],
    settings: DissatisfactionSettings,
    what: tuple[str, tuple[str, ...], tuple[str, ...]],
) -> Judgement:
    """Compare what a model says of calls with the truth.

    Args:
        calls: with their truth
        scored: a model's answer to each
        settings: what counts as dissatisfied, and as a change
        what: setting, training corpora, test corpora
    """
    segments = [
        segment_dissatisfaction(answer.probabilities, answer.classes, settings.weights)
        for answer in scored
    ]
    seconds = [np.diff(call.segments, axis=1)[:, 0] for call in calls]
    scores = np.array([call_dissatisfaction(d, s) for d, s in zip(segments, seconds, strict=True)])
    unheard = np.isnan(scores)
    scores[unheard] = 0
    plain = [_mean_anger(answer) for answer in scored]
    truth = np.array([call.call.true_share for call in calls])
    worst = np.argsort(-scores, kind="stable")[: max(1, round(len(calls) / 10))]
    found = [arc_class(d, s, settings) for d, s in zip(segments, seconds, strict=True)]
    setting, trained_on, tested_on = what
    return Judgement(
        setting=setting,
        trained_on=trained_on,
        tested_on=tested_on,
        n_calls=len(calls),
        n_segments=sum(len(call.segments) for call in calls),
        n_unheard=int(np.count_nonzero(unheard)),
        segment_auc_anger=_auc_anger(calls, scored),
        spearman=float(scipy.stats.spearmanr(scores, truth).statistic),
        spearman_mean_anger=float(scipy.stats.spearmanr(plain, truth).statistic),
        precision_at_10=float((truth[worst] >= MANY_SHARE).mean()),
        arc_accuracy=float(
            np.mean(
                [
                    (arc if arc in CHANGES else "steady") == call.call.true_change
                    for arc, call in zip(found, calls, strict=True)
                ]
            )
        ),
    )


def _mean_anger(answer: Scored) -> float:
    """Mean probability of anger over a call's segments, 0 where there are none."""
    anger = answer.probabilities[:, answer.classes.index(ANGRY)]
    return float(anger.mean()) if len(anger) else 0.0


def _auc_anger(calls: Sequence[HeardCall], scored: Sequence[Scored]) -> float:
    truth = np.concatenate([call.anger for call in calls])
    anger = np.concatenate(
        [answer.probabilities[:, answer.classes.index(ANGRY)] for answer in scored]
    )
    known = np.isfinite(truth)
    return float(roc_auc_score(truth[known] >= MANY_SHARE, anger[known]))


def _heard(
    clips: Sequence[Clip],
    *,
    n_calls: int,
    seed: int,
    settings: Settings,
    feature_set: FeatureSet,
    on_progress: Progress,
) -> list[HeardCall]:
    """Calls made of clips, after the real analysis, a batch at a time."""
    heard: list[HeardCall] = []
    batch: list[ActedCall] = []
    for number, call in enumerate(acted_calls(clips, n_calls=n_calls, seed=seed), start=1):
        batch.append(call)
        if len(batch) == BATCH or number == n_calls:
            analyses = analyse_calls([one.audio for one in batch], settings)
            for one, analysis in zip(batch, analyses, strict=True):
                customer = analysis.channels[1]
                features = feature_set.extract(customer.signal, customer.segments)
                anger = one.anger_of(customer.segments)
                heard.append(HeardCall(one.forgotten(), customer.segments, features, anger))
            batch = []
            on_progress(f"hearing calls of {clips[0].corpus} and others", number, n_calls)
    return heard


def _by_unseen_models(
    calls: Sequence[HeardCall], dataset: Dataset, recipe: Recipe, on_progress: Progress
) -> list[Scored]:
    """Each call scored by a model that was trained without its customer."""
    folds = speaker_folds(dataset.speakers, dataset.contents, n_folds=N_FOLDS)
    check_no_leakage(folds, dataset.speakers, dataset.contents)
    answers: dict[int, Scored] = {}
    for done, fold in enumerate(folds, start=1):
        held_out = {dataset.speakers[row] for row in fold.test}
        mine = [i for i, call in enumerate(calls) if call.call.speaker in held_out]
        if mine:
            model = train(dataset.take(fold.train), recipe)
            for i in mine:
                answers[i] = _predicted(model, calls[i], dataset.names)
        on_progress("training without the callers", done, len(folds))
    return [answers[i] for i in range(len(calls))]


def _by_aligned_models(
    model: Predictor, calls: Sequence[HeardCall], names: Sequence[str]
) -> list[Scored]:
    """Each call scored by the model as it is fitted to the calls of the other half."""
    place = columns(model.feature_names, names)
    answers: list[Scored | None] = [None] * len(calls)
    for half in (0, 1):
        others = [call for i, call in enumerate(calls) if i % 2 != half]
        heard = np.concatenate([call.features for call in others])[:, place]
        fitted = aligned(model, heard, n_calls=len(others))
        for i in range(half, len(calls), 2):
            answers[i] = _predicted(fitted, calls[i], names)
    return [answer for answer in answers if answer is not None]


def _predicted(model: Predictor, call: HeardCall, names: Sequence[str]) -> Scored:
    return Scored(model.predict(call.features, names), model.classes)


def _clips_if_there(corpora: Path, name: str) -> list[Clip]:
    try:
        return read_corpus(corpora, name)
    except CorpusError:
        return []
