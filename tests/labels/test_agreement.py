from __future__ import annotations

import pytest

from ser_batch.labels.agreement import agreement
from ser_batch.labels.history import CANNOT_TELL


def said(*answers: str) -> list[dict[str, object]]:
    """A segment's answers, one an annotator: `anger`, or an empty text for none."""
    return [
        {"annotator": f"a{number}", "emotion": emotion}
        for number, emotion in enumerate(answers)
        if emotion
    ]


def decisions(*segments: list[dict[str, object]]) -> list[dict[str, object]]:
    return [
        {"recording_id": f"r{number}", "channel": 1, "segment_no": 0, **answer}
        for number, answers in enumerate(segments)
        for answer in answers
    ]


def test_alpha_is_that_of_the_textbook():
    """Krippendorff (2011), example C: nominal data, four observers, missing values: .743."""
    observers = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
        [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
    ]
    names = ("", "anger", "calm", "fear", "neutral", "sadness")
    units = [said(*(names[value] for value in unit)) for unit in zip(*observers, strict=True)]
    assert agreement(decisions(*units)).alpha == pytest.approx(0.743, abs=5e-4)


def test_who_cannot_tell_disagrees_with_nobody():
    found = agreement(
        decisions(said("anger", "anger", CANNOT_TELL), said("calm", "calm"), said("calm"))
    )
    assert found.alpha == pytest.approx(1.0)
    assert (found.n_segments, found.n_shared, found.n_cannot_tell) == (3, 2, 1)
    assert found.share_agreed == 1.0


def test_without_a_shared_segment_there_is_no_figure():
    found = agreement(decisions(said("anger"), said("calm")))
    assert (found.alpha, found.share_agreed, found.n_shared) == (None, None, 0)


def test_an_emotion_that_is_confused_agrees_less():
    found = agreement(
        decisions(
            said("anger", "anger"),
            said("calm", "neutral"),
            said("neutral", "calm"),
            said("calm", "calm"),
            said("anger", "anger"),
        )
    )
    assert found.alpha_of["anger"] == pytest.approx(1.0)
    assert found.alpha_of["neutral"] < 0 < found.alpha_of["anger"]
