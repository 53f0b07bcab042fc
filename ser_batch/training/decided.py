"""Figures of what production decides: likeliest emotion, abstention, dissatisfaction.

No class is dropped: an emotion that the model names and the corpus lacks counts as an error, and
so does an emotion of the corpus that the model does not know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from ser_batch.arrays import BoolArray, DoubleArray, IntArray
from ser_batch.config import ModelSettings
from ser_batch.corpora import GUIDED_CHOICES
from ser_batch.emotions import CALL_CATEGORIES, DISSATISFACTION_TARGET, UNCERTAIN
from ser_batch.features.dataset import Dataset
from ser_batch.features.encoders.local import exposed_corpora, voted_corpora
from ser_batch.scoring.decide import score_segments
from ser_batch.scoring.predictor import Predictor
from ser_batch.training.evaluation import expected_calibration_error
from ser_batch.training.risk_coverage import risk_coverage

CONTENT = ("calm", "happiness", "neutral")
"""Anger is distinguished from these in `auc_anger_content`: the goal of the bundled model."""


@dataclass(frozen=True)
class Decided:
    """What production decides about some clips.

    Attributes:
        emotion: likeliest, or uncertain, of each clip
        confidence: probability of the likeliest, shape (n_clips,)
        dissatisfaction: 0..1, shape (n_clips,)
        is_uncertain: the model abstains, shape (n_clips,)
        ood_score: above 1 the clip is out of distribution, shape (n_clips,)
    """

    emotion: tuple[str, ...]
    confidence: DoubleArray
    dissatisfaction: DoubleArray
    is_uncertain: BoolArray
    ood_score: DoubleArray

    def take(self, rows: IntArray) -> Decided:
        """The decisions about some clips, in their order."""
        return Decided(
            emotion=tuple(self.emotion[row] for row in rows),
            confidence=self.confidence[rows],
            dissatisfaction=self.dissatisfaction[rows],
            is_uncertain=self.is_uncertain[rows],
            ood_score=self.ood_score[rows],
        )


def decided(model: Predictor, clips: Dataset, settings: ModelSettings) -> Decided:
    """Production's decisions about clips."""
    scores = score_segments(model, clips.features, clips.names)
    return Decided(
        emotion=tuple(scores.emotions(settings)),
        confidence=scores.confidence,
        dissatisfaction=scores.dissatisfaction,
        is_uncertain=scores.is_uncertain(settings),
        ood_score=scores.ood_score,
    )


def joined(parts: Sequence[Decided]) -> Decided:
    """The decisions of all parts."""
    return Decided(
        emotion=tuple(name for part in parts for name in part.emotion),
        confidence=np.concatenate([part.confidence for part in parts]),
        dissatisfaction=np.concatenate([part.dissatisfaction for part in parts]),
        is_uncertain=np.concatenate([part.is_uncertain for part in parts]),
        ood_score=np.concatenate([part.ood_score for part in parts]),
    )


def decided_figures(clips: Dataset, found: Decided, classes: Sequence[str]) -> dict[str, Any]:
    """Figures of production's decisions.

    Args:
        clips: with their labels
        found: about each of them
        classes: emotions that the model knows

    Returns:
        JSON-able: n_clips, n_speakers; uncertain_share; accuracy of all clips (uncertain is an
        error) and of the decided ones; uar, the mean recall of the corpus's emotions;
        mean_confidence and ece of the emotion; auc_error, with which confidence predicts that the
        emotion is right; auc_error_dissatisfaction, with which the distance of dissatisfaction
        from .5 predicts that its side is right; correlation of dissatisfaction with the share of
        the annotators who are dissatisfied; auc_anger against all others, auc_anger_content
        against calm, happiness and neutral; ece_dissatisfaction; predicted (share of each
        answer); confusion by emotion of the corpus and answer; risk_coverage of emotion and of
        dissatisfaction, as `risk_coverage` gives it: the surest are answered first, what is out of
        distribution last; ood_share, and auc_error_ood, with which a low ood_score predicts that
        the side of dissatisfaction is right
    """
    acted = np.array(clips.emotions)
    truth = np.array([_category(name, classes) for name in clips.emotions])
    answer = np.array(found.emotion)
    is_right = truth == answer
    is_angry = np.isin(acted, [*DISSATISFACTION_TARGET])
    is_right_side = (found.dissatisfaction >= 0.5) == is_angry
    from_half = np.abs(found.dissatisfaction - 0.5)
    is_out = found.ood_score > 1
    level = clips.level(DISSATISFACTION_TARGET)
    compared = is_angry | np.isin(acted, CONTENT)
    emotions = sorted(set(truth.tolist()))
    answers = [*sorted({*classes} | {*found.emotion} - {UNCERTAIN}), UNCERTAIN]
    return {
        "n_clips": len(truth),
        "n_speakers": len(set(clips.speakers)),
        "uncertain_share": float(found.is_uncertain.mean()),
        "accuracy": float(is_right.mean()),
        "accuracy_decided": _mean(is_right[~found.is_uncertain]),
        "uar": float(np.mean([is_right[truth == name].mean() for name in emotions])),
        "mean_confidence": float(found.confidence.mean()),
        "ece": expected_calibration_error(found.confidence, is_right),
        "auc_error": _auc(is_right, found.confidence),
        "auc_error_dissatisfaction": _auc(is_right_side, from_half),
        "ood_share": float(is_out.mean()),
        "auc_error_ood": _auc(is_right_side, -found.ood_score),
        "risk_coverage": {
            "emotion": risk_coverage(is_right, found.confidence - is_out),
            "dissatisfaction": risk_coverage(is_right_side, from_half - is_out),
        },
        "correlation": _correlation(found.dissatisfaction, level),
        "auc_anger": _auc(is_angry, found.dissatisfaction),
        "auc_anger_content": _auc(is_angry[compared], found.dissatisfaction[compared]),
        "ece_dissatisfaction": expected_calibration_error(found.dissatisfaction, is_angry),
        "predicted": {name: float((answer == name).mean()) for name in answers},
        "confusion": {
            emotion: {name: int((answer[truth == emotion] == name).sum()) for name in answers}
            for emotion in emotions
        },
    }


def decisions_by_corpus(
    clips: Dataset, found: Decided, classes: Sequence[str], feature_set: str
) -> dict[str, dict[str, Any]]:
    """Figures of production's decisions on each corpus, and who knows the corpus already.

    Args:
        clips: with their labels
        found: about each of them
        classes: emotions that the model knows
        feature_set: whose encoder may have been trained on a corpus's audio, or its labels

    Returns:
        by corpus: `decided_figures`, guided_choices, encoder_exposed and encoder_labelled
    """
    labels = np.array(clips.corpora)
    exposed, labelled = exposed_corpora(feature_set), voted_corpora(feature_set)
    figures = {}
    for name in sorted(set(clips.corpora)):
        rows = np.flatnonzero(labels == name)
        figures[name] = {
            **decided_figures(clips.take(rows), found.take(rows), classes),
            "guided_choices": name in GUIDED_CHOICES,
            "encoder_exposed": name in exposed,
            "encoder_labelled": name in labelled,
        }
    return figures


def _category(name: str, classes: Sequence[str]) -> str:
    """What an emotion counts as for a model that may not distinguish it from neutral."""
    return name if name in classes else CALL_CATEGORIES.get(name, name)


def _correlation(one: DoubleArray, other: DoubleArray) -> float | None:
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.corrcoef(one, other)[0, 1])


def _mean(values: BoolArray) -> float | None:
    return float(values.mean()) if len(values) else None


def _auc(positive: BoolArray, score: DoubleArray) -> float | None:
    if positive.all() or not positive.any():
        return None
    return float(roc_auc_score(positive, score))
