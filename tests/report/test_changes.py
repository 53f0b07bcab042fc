"""What the report says of changes: of customers, of the model, of the calls themselves."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from ser_batch.store.lake import Lake
from ser_batch.tables import DRIFT, predictions_contract
from ser_batch.testing.lakes import MODEL_ID, put, put_call
from ser_batch.testing.rows import MIDDAY, prediction
from tests.report.pages import DRIFTED, drift_row, page_of, put_day, put_nights, words


@pytest.mark.slow
def test_a_change_beyond_chance_is_called_one_and_another_is_not(root):
    lake = Lake(root.lake)
    put_day(lake, n_angry=30, n_calm=10)
    put_day(lake, n_angry=10, n_calm=30, days_ago=3)
    assert "There are too few days to test that" in words(page_of(root))
    put_day(lake, n_angry=10, n_calm=30, days_ago=5)
    put_day(lake, n_angry=10, n_calm=30, days_ago=6)
    assert "75 % of the scored calls were dissatisfied (60 % to 86 %)." in words(page_of(root))
    assert "That is worse than the 25 % in the four weeks before, beyond chance" in words(
        page_of(root)
    )
    put_day(lake, n_angry=1000, n_calm=330, days_ago=4)
    assert "There are too few days to test that" in words(page_of(root))  # one day dominates


def test_a_week_that_is_worse_is_called_so_by_queue(root):
    lake = Lake(root.lake)
    put_day(lake, n_angry=30, n_calm=10)
    put_day(lake, n_angry=10, n_calm=30, days_ago=8)
    assert "All queues too few days to compare" in words(page_of(root))
    put_day(lake, n_angry=30, n_calm=10, days_ago=1)
    put_day(lake, n_angry=10, n_calm=30, days_ago=9)
    text = words(page_of(root))
    assert re.search(r"All queues worse \+\d+ to \+\d+ 75 % 25 % 80", text)
    assert re.search(r"billing worse", text)


def test_a_queue_without_calls_in_the_week_before_is_not_said_to_have_too_few(root):
    lake = Lake(root.lake)
    put_day(lake, n_angry=3, n_calm=3)
    text = words(page_of(root))
    assert "No calls were scored in the week before" in text
    assert "There are no earlier calls to compare with." in text
    put_call(lake, prediction(), recording_id="w", started_at=MIDDAY - dt.timedelta(days=8))
    for number in range(5):
        put_call(lake, prediction(), recording_id=f"other-{number}", queue="other")
    text = words(page_of(root))
    assert "billing too few calls to compare" in text
    assert "other no calls the week before \N{EN DASH} 0 % \N{EN DASH} 5" in text


def test_the_share_is_edged_in_red_only_where_it_got_worse(root):
    lake = Lake(root.lake)
    put_day(lake, n_angry=30, n_calm=10)
    put_day(lake, n_angry=30, n_calm=10, days_ago=3)
    assert 'class="alarm"' not in page_of(root)
    put_day(lake, n_angry=0, n_calm=40, days_ago=3)
    put_day(lake, n_angry=1, n_calm=40, days_ago=4)
    put_day(lake, n_angry=0, n_calm=40, days_ago=5)
    assert 'class="alarm"' in page_of(root)


def test_a_change_of_model_is_shown_with_both_models_scores_of_the_same_calls(root):
    lake = Lake(root.lake)
    put_day(lake, n_angry=10, n_calm=30)
    put_nights(lake, MODEL_ID, MODEL_ID)
    assert "replaces" not in page_of(root)
    old = predictions_contract("old-model")
    angry = [prediction(f"r0-{n}", anger=0.9, neutral=0.1) for n in range(20)]
    put(lake, old, *angry, *(prediction(f"r0-{n}") for n in range(20, 40)), name="shard-r0-0")
    put_nights(lake, "old-model", "old-model", MODEL_ID)
    html = page_of(root)
    assert 'data-marks="[&#34;2026-11-03&#34;]"' in html
    text = words(html)
    assert "A different model scores the calls since Tuesday 3 November 2026." in text
    assert f"3 November 2026 , {MODEL_ID} replaces old-model ." in text
    assert (
        "On the same 40 calls of these days, the current model flags 25 % as dissatisfied, "
        "the previous model 50 %." in text
    )


def test_a_model_published_by_hand_after_the_last_night_counts_as_a_change(root):
    lake = Lake(root.lake)
    put_day(lake, n_angry=1, n_calm=1)
    put_nights(lake, "old-model", "old-model")
    assert f"4 November 2026 , {MODEL_ID} replaces old-model" in words(page_of(root))


def test_drift_is_shown_with_what_to_do_and_absent_where_nothing_drifted(root):
    lake = Lake(root.lake)
    put_day(lake, n_angry=1, n_calm=1)
    assert "No day has been compared with earlier days yet" in words(page_of(root))
    put(lake, DRIFT, drift_row(status="too few"), name=MODEL_ID)
    assert "too few scored calls to compare (fewer than 30)" in words(page_of(root))
    put(lake, DRIFT, drift_row(), drift_row(reference="training"), name=MODEL_ID)
    text = words(page_of(root))
    assert "like those of the 28 days before and the training data." in text
    assert "check the line" not in text
    drifted = [drift_row(name, **DRIFTED) for name in ("loudness", "formants")]
    put(lake, DRIFT, drift_row(), *drifted, name=MODEL_ID)
    text = words(page_of(root))
    assert "2 of 3 comparisons for Tuesday 3 November 2026 detected drift." in text
    assert (
        "drift Acoustic features (formants and loudness), against the days before : "
        "check the line." in text
    )
    assert "pitch acoustic features ok 0.03, expected 0.02" in text


def test_what_the_training_data_do_not_tell_is_said_and_found_to_be_no_drift(root):
    lake = Lake(root.lake)
    put_day(lake, n_angry=1, n_calm=1)
    nothing = {"psi": None, "psi_expected": None, "status": "not comparable"}
    silent = drift_row(
        "snr_db", subject="line", reference="training", advice="no noise to hear", **nothing
    )
    put(lake, DRIFT, drift_row("snr_db", subject="line"), silent, name=MODEL_ID)
    text = words(page_of(root))
    assert "are like those of the 28 days before." in text
    assert "0.03, expected 0.02 \N{EN DASH} not comparable no noise to hear" in text
