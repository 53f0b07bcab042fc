from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ser_batch.config import Settings
from ser_batch.features.sets import get_feature_set
from ser_batch.monitoring.comparison import BEFORE, FIRST, TRAINING, training_counts
from ser_batch.monitoring.profile import profile_day, read_profile
from ser_batch.monitoring.reference import HeldOut, read_reference, write_reference
from ser_batch.scoring.histograms import LINE_MEASURES
from ser_batch.stages.drift import find_drift, newest_drift
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    DRIFT,
    PROFILES,
    RECORDINGS,
    SEGMENTS,
    features_contract,
    predictions_contract,
)
from ser_batch.testing.lakes import MODEL_ID, TODAY, put_weeks
from ser_batch.testing.rows import call, channel, prediction, recording, segment
from tests.training.datasets import blobs

SETTINGS = Settings(drift={"min_calls": 20, "window_days": 4})
SET = get_feature_set(Settings().features.set)
FEATURES = features_contract(SET.name, SET.names)
N_CALLS = 60
FROZEN = Path(__file__).with_name("frozen")


def put_day(lake: Lake, days_ago: int, **given: Any) -> None:
    """A day of calls with a segment each; `pitch`, `level_db`, `anger` and `objected` may move."""
    date = TODAY - dt.timedelta(days=days_ago)
    part, rng = Part(date, f"shard-{date}"), np.random.default_rng(days_ago)
    ids = [f"{date}-{number}" for number in range(N_CALLS)]
    at = dt.datetime.combine(date, dt.time(12))
    objected = given.get("objected", 0)
    rows: dict[str, list[dict[str, Any]]] = {
        CALLS.name: [
            call(name, started_at=at, objected=number < objected) for number, name in enumerate(ids)
        ],
        RECORDINGS.name: [recording(name) for name in ids],
        CHANNELS.name: [
            channel(name, side, level_db=float(given.get("level_db", -20) + rng.normal()))
            for name in ids
            for side in (0, 1)
        ],
        SEGMENTS.name: [segment(name) for name in ids],
    }
    for contract in (CALLS, RECORDINGS, CHANNELS, SEGMENTS):
        lake.write(contract, part, contract.from_rows(rows[contract.name]))
    values = rng.normal(size=(N_CALLS, len(SET.names))).astype(np.float32)
    values[:, [i for i, name in enumerate(SET.names) if name.startswith("f0.")]] += given.get(
        "pitch", 0
    )
    keys = {"recording_id": ids, "channel": [1] * N_CALLS, "segment_no": [0] * N_CALLS}
    columns = dict(zip(SET.names, values.T, strict=True))
    lake.write(FEATURES, part, FEATURES.arrow.empty_table().from_pydict({**keys, **columns}))
    scores = predictions_contract(MODEL_ID)
    anger = np.clip(given.get("anger", 0.2) + 0.1 * rng.normal(size=N_CALLS), 0, 1)
    lake.write(
        scores,
        part,
        scores.from_rows(
            prediction(name, anger=float(a), neutral=1 - float(a))
            for name, a in zip(ids, anger, strict=True)
        ),
    )


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle's folder with the training data's tenths: of unit spread, as the days before'."""
    folder = tmp_path_factory.mktemp("bundle")
    rng = np.random.default_rng(5)
    dataset = blobs(n_speakers=100)
    n = len(dataset.emotions)
    features = rng.normal(size=(n, len(SET.names))).astype(np.float32)
    write_reference(
        folder, replace(dataset, features=features, names=SET.names, kinds=SET.kinds), SET.names
    )
    return folder


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle's folder that also holds held-out scores and lines, as of the days before."""
    folder = tmp_path_factory.mktemp("telling")
    rng = np.random.default_rng(6)
    dataset = blobs(n_speakers=200)
    n = len(dataset.emotions)
    line = np.full((n, len(LINE_MEASURES)), np.nan, np.float32)
    line[:, LINE_MEASURES.index("level_db")] = -20 + rng.normal(size=n)
    line[:, LINE_MEASURES.index("bandwidth_hz")] = 3400
    anger = np.clip(0.2 + 0.1 * rng.normal(size=n), 0, 1)
    scores = HeldOut(
        ("anger", "neutral"),
        np.stack([anger, 1 - anger], axis=1).astype(np.float32),
        anger.astype(np.float32),
        np.zeros(n, np.float32),
    )
    features = rng.normal(size=(n, len(SET.names))).astype(np.float32)
    data = replace(dataset, features=features, names=SET.names, kinds=SET.kinds, line=line)
    write_reference(folder, data, SET.names, scores)
    return folder


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    for days_ago in (3, 2, 1):
        put_day(lake, days_ago)
    return lake


def statuses(lake: Lake, bundle: Path) -> dict[tuple[str, str, str], str]:
    found = find_drift(lake, MODEL_ID, bundle, SETTINGS)
    return {(row["subject"], row["name"], row["reference"]): row["status"] for row in found.newest}


def test_a_day_like_those_before_is_ok(lake: Lake, bundle: Path):
    put_day(lake, 0)
    assert set(statuses(lake, bundle).values()) == {"ok"}


def test_a_day_is_counted_the_same_a_shard_at_a_time_and_at_once(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
):
    lake = Lake(tmp_path / "lake")
    put_weeks(lake, n_calls=40, n_days=4)
    shards, reference = lake.parts(CALLS), read_reference(bundle)
    at_once = profile_day(lake, shards, MODEL_ID, reference, SETTINGS)
    monkeypatch.setattr("ser_batch.monitoring.profile.SHARDS_AT_ONCE", 1)

    assert profile_day(lake, shards, MODEL_ID, reference, SETTINGS).rows() == at_once.rows()
    assert at_once.n_calls["coverage"] == 40


def test_higher_voices_are_drift_of_pitch_alone(lake: Lake, bundle: Path):
    put_day(lake, 0, pitch=2.0)
    found = find_drift(lake, MODEL_ID, bundle, SETTINGS)
    named = {(row["subject"], row["name"], row["reference"]) for row in found.warnings}
    assert named == {("features", "pitch", BEFORE), ("features", "pitch", TRAINING)}


@pytest.mark.parametrize(
    ("moved", "subject", "name", "said"),
    [
        ({"level_db": -40}, "line", "level_db", "recorder"),
        ({"anger": 0.7}, "scores", "dissatisfaction", "customers"),
        ({"objected": 30}, "coverage", "why not scored", "not_scored"),
    ],
)
def test_what_moved_is_named_with_what_to_do(lake: Lake, bundle: Path, moved, subject, name, said):
    put_day(lake, 0, **moved)
    found = find_drift(lake, MODEL_ID, bundle, SETTINGS)
    (row,) = [row for row in found.warnings if (row["subject"], row["name"]) == (subject, name)]
    assert said in row["advice"]
    others = {row["subject"] for row in found.warnings}
    assert others <= {subject, "scores"} if subject == "scores" else others == {subject}


def test_calls_unlike_the_training_data_say_label_and_retrain(tmp_path: Path, bundle: Path):
    lake = Lake(tmp_path / "lake")
    for days_ago in range(4):
        put_day(lake, days_ago)
    reference = np.load(bundle / "reference.npz")
    other = tmp_path / "other"
    other.mkdir()
    np.savez(other / "reference.npz", **{**reference, "edges": reference["edges"] + 2})
    found = find_drift(lake, MODEL_ID, other, SETTINGS)
    rows = [row for row in found.newest if row["reference"] == TRAINING]
    assert {row["status"] for row in rows} == {"drift"}
    assert all("retrain" in row["advice"] for row in rows)
    assert {row["status"] for row in found.newest if row["reference"] == BEFORE} == {"ok"}


def test_a_day_like_the_training_data_is_ok_and_what_they_do_not_tell_is_said(
    lake: Lake, telling: Path
):
    put_day(lake, 0)
    rows = [
        r
        for r in find_drift(lake, MODEL_ID, telling, SETTINGS).newest
        if r["reference"] == TRAINING
    ]
    found = {(row["subject"], row["name"]): row for row in rows if row["subject"] != "features"}
    silent = {key for key, row in found.items() if row["status"] == "not comparable"}
    assert silent == {
        ("coverage", "metadata"),
        ("coverage", "why not scored"),
        ("line", "clipping_ratio"),
        ("line", "codec"),
        ("line", "snr_db"),
    }
    assert all(found[key]["psi"] is None for key in silent)
    assert "no noise" in found["line", "snr_db"]["advice"]
    assert {row["status"] for key, row in found.items() if key not in silent} == {"ok"}
    assert {name for subject, name in found if subject == "scores"} == {
        "confidence",
        "dissatisfaction",
        "emotion",
    }


@pytest.mark.parametrize(
    ("moved", "subject", "name"),
    [
        ({"level_db": -40}, "line", "level_db"),
        ({"anger": 0.7}, "scores", "dissatisfaction"),
    ],
)
def test_calls_unlike_the_training_data_from_the_first_day_are_reported(
    tmp_path: Path, telling: Path, moved, subject, name
):
    """Day by day they are alike, so the days before say nothing."""
    lake = Lake(tmp_path / "lake")
    for days_ago in range(4):
        put_day(lake, days_ago, **moved)
    found = find_drift(lake, MODEL_ID, telling, SETTINGS)
    rows = {(row["subject"], row["name"]): row for row in found.warnings}
    assert {row["reference"] for row in rows.values()} == {TRAINING}
    assert {key[0] for key in rows} == {subject}
    assert "retrain" in rows[subject, name]["advice"]


def test_the_share_of_uncertain_segments_follows_the_settings(lake: Lake, telling: Path):
    put_day(lake, 0)
    reference = read_reference(telling)
    sure = training_counts(reference, SETTINGS)["coverage", "uncertain segments"]
    strict = SETTINGS.model_copy(
        update={"model": SETTINGS.model.model_copy(update={"min_confidence": 0.8})}
    )
    unsure = training_counts(reference, strict)["coverage", "uncertain segments"]
    probability = reference.held_out.dissatisfaction
    sides = np.maximum(probability, 1 - probability)
    for counts, least in ((sure, SETTINGS.model.min_confidence), (unsure, 0.8)):
        assert counts.tolist() == [(sides < least).sum(), (sides >= least).sum(), 0]
    assert unsure[0] > sure[0]
    find_drift(lake, MODEL_ID, telling, SETTINGS)
    assert len(find_drift(lake, MODEL_ID, telling, strict).days) == 4


def test_a_reference_from_before_scores_and_lines_were_kept_is_read(lake: Lake, tmp_path: Path):
    """The file in frozen/ was written by version 0.1.0 with four features."""
    put_day(lake, 0)
    old = read_reference(FROZEN)
    assert len(old.names) == 4
    assert (old.held_out, old.line) == (None, None)
    rows = find_drift(lake, MODEL_ID, FROZEN, SETTINGS).newest
    assert {row["subject"] for row in rows if row["reference"] == TRAINING} == {"features"}


def test_a_model_without_reference_is_compared_with_the_days_before(lake: Lake, tmp_path: Path):
    put_day(lake, 0)
    rows = find_drift(lake, MODEL_ID, tmp_path, SETTINGS).newest
    assert {row["reference"] for row in rows} == {BEFORE}
    assert {row["subject"] for row in rows} == {"coverage", "line", "scores"}


def test_too_few_calls_say_so_and_warn_of_nothing(lake: Lake, bundle: Path):
    put_day(lake, 0, level_db=-40)
    few = SETTINGS.model_copy(update={"drift": SETTINGS.drift.model_copy(update={"min_calls": 99})})
    found = find_drift(lake, MODEL_ID, bundle, few)
    assert {row["status"] for row in found.newest} == {"too few"}
    assert found.warnings == []


def test_a_second_night_writes_nothing_and_a_changed_day_is_compared_again(
    lake: Lake, bundle: Path
):
    put_day(lake, 0)
    assert len(find_drift(lake, MODEL_ID, bundle, SETTINGS).days) == 4
    made = {path: path.stat().st_mtime_ns for path in lake.folder.rglob("*.parquet")}
    assert find_drift(lake, MODEL_ID, bundle, SETTINGS).days == ()
    assert {path: path.stat().st_mtime_ns for path in lake.folder.rglob("*.parquet")} == made
    put_day(lake, 1, level_db=-30)
    assert find_drift(lake, MODEL_ID, bundle, SETTINGS).days == (
        TODAY - dt.timedelta(days=1),
        TODAY,
    )


def test_a_day_of_which_the_calls_alone_changed_is_counted_without_reading_its_features(
    lake: Lake, bundle: Path
):
    put_day(lake, 0)
    find_drift(lake, MODEL_ID, bundle, SETTINGS)
    before = read_profile(lake, Part(TODAY, MODEL_ID)).counts
    part = Part(TODAY, f"shard-{TODAY}")
    features = lake.path(FEATURES, part)
    at = features.stat().st_mtime_ns
    features.write_bytes(b"unreadable")
    os.utime(features, ns=(at, at))
    calls = [{**row, "metadata_found": False} for row in lake.read(CALLS, [part]).to_pylist()]
    lake.write(CALLS, part, CALLS.from_rows(calls))
    find_drift(lake, MODEL_ID, bundle, SETTINGS)
    after = read_profile(lake, Part(TODAY, MODEL_ID)).counts
    changed = {key for key in before if not np.array_equal(before[key], after[key])}
    assert changed == {("coverage", "metadata")}
    assert before.keys() == after.keys()


def test_after_a_promotion_the_rows_of_the_model_before_are_read(lake: Lake, bundle: Path):
    found = find_drift(lake, MODEL_ID, bundle, SETTINGS)
    assert newest_drift(lake, MODEL_ID) == newest_drift(lake, "promoted-since") == found.newest
    assert {row["model_id"] for row in found.newest} == {MODEL_ID}


def test_an_empty_lake_has_no_drift(tmp_path: Path):
    found = find_drift(Lake(tmp_path / "lake"), MODEL_ID, tmp_path, SETTINGS)
    assert (found.days, found.newest) == ((), [])


def test_the_day_is_compared_with_the_window_and_no_older_day(lake: Lake, bundle: Path):
    put_day(lake, 9, level_db=-50)
    put_day(lake, 0)
    newest = find_drift(lake, MODEL_ID, bundle, SETTINGS).newest
    line = next(row for row in newest if row["name"] == "level_db")
    assert (line["count_calls"], line["count_calls_before"]) == (N_CALLS, 3 * N_CALLS)
    assert len(lake.parts(DRIFT)) == 4
    assert len(lake.parts(PROFILES)) == 4


@pytest.mark.slow
def test_a_change_too_slow_for_any_day_is_found_against_the_frozen_first_days(
    tmp_path: Path, bundle: Path
):
    """Voices rise by an eighth of their spread a day: no day differs much from those before."""
    settings = Settings(drift={"window_days": 4, "min_calls": 30})
    lake, found = Lake(tmp_path / "lake"), []
    for day in range(16):
        put_day(lake, 16 - day, pitch=max(0, day - 4) / 8)
        result = find_drift(lake, MODEL_ID, bundle, settings)
        found.append({row["reference"] for row in result.warnings if row["name"] == "pitch"})
    assert not any(BEFORE in references for references in found)
    assert FIRST not in set().union(*found[:6])
    assert FIRST in found[-1]
    (began,) = [part for part in lake.parts(PROFILES) if part.name.endswith("first-days")]
    assert began.date == TODAY - dt.timedelta(days=16)
    again = find_drift(lake, MODEL_ID, bundle, settings)
    assert not again.days
