from __future__ import annotations

import numpy as np
import pytest

from ser_batch.config import ModelSettings
from ser_batch.scoring.decide import Scores

SETTINGS = ModelSettings(min_confidence=0.6, min_emotion_confidence=0.4)


def scores(dissatisfaction: float, *, ood_score: float = 0.5, anger: float = 0.9) -> Scores:
    return Scores(
        ("anger", "neutral"),
        np.array([[anger, 1 - anger]]),
        np.array([dissatisfaction]),
        np.array([ood_score]),
    )


@pytest.mark.parametrize(
    ("dissatisfaction", "ood_score", "expected"),
    [
        (0.55, 0.5, True),
        (0.45, 0.5, True),
        (0.61, 0.5, False),
        (0.05, 0.5, False),
        (0.9, 1.1, True),
    ],
)
def test_the_model_abstains_between_the_sides_and_out_of_distribution(
    dissatisfaction, ood_score, expected
):
    assert scores(dissatisfaction, ood_score=ood_score).is_uncertain(SETTINGS)[0] == expected


def test_an_emotion_may_be_uncertain_where_dissatisfaction_is_not():
    three = Scores(
        ("anger", "fear", "neutral"),
        np.array([[0.33, 0.33, 0.34]]),
        np.array([0.02]),
        np.array([0.5]),
    )
    assert three.emotions(SETTINGS) == ["uncertain"]
    assert not three.is_uncertain(SETTINGS)[0]


def test_out_of_distribution_no_emotion_is_named():
    assert scores(0.9, ood_score=1.01).emotions(SETTINGS) == ["uncertain"]
    assert scores(0.9).emotions(SETTINGS) == ["anger"]


def test_no_segment_has_no_decision():
    none = Scores(("anger",), np.zeros((0, 1)), np.zeros(0), np.zeros(0))
    assert none.emotions(SETTINGS) == []
    assert none.confidence.shape == none.is_uncertain(SETTINGS).shape == (0,)
