"""The predicted share, corrected by random labels."""

from __future__ import annotations

import datetime as dt

import numpy as np

from ser_batch.config import Settings
from ser_batch.labels.history import CANNOT_TELL, label_row
from ser_batch.store.lake import Lake
from ser_batch.tables import LABEL_QUEUE, LABELS
from ser_batch.testing.lakes import call_rows, put, put_rows
from ser_batch.testing.rows import MIDDAY, prediction

SETTINGS = Settings(report={"min_calls": 5})


def put_labelled_calls(lake: Lake, *, n_calls: int, n_labelled: int, seed: int = 0) -> float:
    """One segment a call, a fifth dissatisfied, by a model that says so of far too many.

    Returns:
        the true share
    """
    rng = np.random.default_rng(seed)
    truth = rng.random(n_calls) < 0.2
    scores = np.clip(0.5 + 0.3 * truth + rng.normal(0, 0.1, n_calls), 0, 1)
    put_rows(
        lake,
        *(
            call_rows(
                prediction(anger=float(score), neutral=1 - float(score)), recording_id=f"r{number}"
            )
            for number, score in enumerate(scores)
        ),
    )
    drawn = [(f"r{number}", 1, 0) for number in range(n_labelled)]
    put(
        lake,
        LABEL_QUEUE,
        *(
            dict(zip(("recording_id", "channel", "segment_no"), key, strict=True))
            | {"start_s": 0.0, "end_s": 10.0, "batch_id": "b", "rank": rank, "reason": "random"}
            | {"model_id": "m", "suggested": None, "queued_at": MIDDAY}
            for rank, key in enumerate(drawn)
        ),
    )
    names = [CANNOT_TELL if i % 20 == 19 else ("anger" if truth[i] else "neutral")
             for i in range(n_labelled)]  # fmt: skip
    put(
        lake,
        LABELS,
        *(
            label_row(
                key, (0.0, 10.0), annotator="ann", emotion=name, made_at=MIDDAY + wait,
                source="page", imported_at=MIDDAY,
            )
            for key, name in zip(drawn, names, strict=True)
            for name, wait in ((("fear"), dt.timedelta()), (name, dt.timedelta(hours=1)))
        ),
    )  # fmt: skip
    return float(truth.mean())


def test_random_labels_correct_a_model_that_says_too_much(lake, published):
    true_share = put_labelled_calls(lake, n_calls=2000, n_labelled=200)
    [row] = published(
        "select count_segments, count_labelled_segments, count_cannot_tell, predicted_share,"
        " labelled_share, corrected_share, corrected_share_low, corrected_share_high,"
        " prediction_weight from prevalence where scope = 'all'",
        SETTINGS,
    )
    n, n_labelled, n_unknown, predicted, labelled, corrected, low, high, weight = row
    assert (n, n_labelled, n_unknown) == (2000, 190, 10)
    assert predicted > 0.5
    assert abs(corrected - true_share) < abs(labelled - true_share) + 0.02
    assert low < true_share < high
    alone = 1.97 * np.sqrt(labelled * (1 - labelled) / n_labelled)
    assert high - corrected < 0.8 * alone, "predictions sharpen what labels say"
    assert 0 < weight <= 1


def test_labels_of_few_callers_correct_nothing(lake, published):
    put_labelled_calls(lake, n_calls=60, n_labelled=8)
    assert published(
        "select count_labelled_segments, labelled_share, corrected_share from prevalence"
        " where scope = 'queue'",
        SETTINGS,
    ) == [(8, None, None)]


def test_labels_that_chance_did_not_draw_are_left_out(lake, published):
    put_labelled_calls(lake, n_calls=60, n_labelled=20)
    rows = lake.read(LABEL_QUEUE).to_pylist()
    put(lake, LABEL_QUEUE, *({**row, "reason": "unsure"} for row in rows))
    assert published("select * from prevalence", SETTINGS) == []
