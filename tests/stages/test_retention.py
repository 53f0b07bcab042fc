"""What is past its days is gone, on a clock that is moved on; closed days stay closed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ser_batch.clock import utc_now
from ser_batch.config import RetentionSettings, Settings
from ser_batch.features.sets import get_feature_set
from ser_batch.scoring.bundle import Bundle
from ser_batch.stages.ingest import ingest
from ser_batch.stages.rescore import rescore
from ser_batch.stages.retention import keep_retention, open_shards
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.tables import (
    CALLS,
    METADATA,
    QUARANTINE,
    RECORDINGS,
    RUNS,
    SEGMENTS,
    features_contract,
    predictions_contract,
)
from ser_batch.testing.callers import FEATURE_SET, put_callers
from ser_batch.testing.lakes import MODEL_ID, TODAY
from ser_batch.testing.rows import MIDDAY
from tests.bundles import put_bundle
from tests.centre import SETTINGS, Centre

FEATURES = features_contract(FEATURE_SET, get_feature_set(FEATURE_SET).names)
SCORES = predictions_contract(MODEL_ID)
EVE, YESTERDAY = (TODAY - dt.timedelta(days) for days in (2, 1))


@pytest.fixture
def root(tmp_path: Path) -> Root:
    root = Root(tmp_path / "root")
    put_callers(root, n_callers=6)  # two a day, on three days
    put_bundle(root.models / "other")
    return root


def kept(days: int | None = None, **more: int) -> Settings:
    return Settings(retention=RetentionSettings(features_days=days, **more))


def dates(lake: Lake, *contracts: object) -> list[list[dt.date | None]]:
    return [sorted({part.date for part in lake.parts(each)}) for each in contracts]  # type: ignore[arg-type, type-var]


def test_nothing_is_deleted_unless_the_settings_say_so(root: Root) -> None:
    before = sorted(root.path.rglob("*"))
    assert keep_retention(root, Settings(), MODEL_ID, MIDDAY + dt.timedelta(3650)) == {}
    assert sorted(root.path.rglob("*")) == before


def test_days_without_features_keep_their_scores_and_are_named_to_another_model(root: Root) -> None:
    lake, other = Lake(root.lake), Bundle.load(root.models / "other")

    assert keep_retention(root, kept(1), MODEL_ID, MIDDAY) == {"retention_features": 1}

    assert dates(lake, FEATURES, SEGMENTS, SCORES) == [
        [YESTERDAY, TODAY],
        [EVE, YESTERDAY, TODAY],
        [EVE, YESTERDAY, TODAY],
    ]
    assert [part.date for part in open_shards(lake, lake.parts(RECORDINGS))] == [YESTERDAY, TODAY]
    result = rescore(lake, Settings(), other)
    assert result.past_retention == (EVE,)
    assert dates(lake, predictions_contract(other.model_id), SCORES) == [
        [YESTERDAY, TODAY],
        [EVE, YESTERDAY, TODAY],
    ]
    keep_retention(root, kept(1), other.model_id, MIDDAY)
    (issue,) = lake.read(QUARANTINE).to_pylist()
    assert issue["code"] == "past_retention"
    assert f"1 call dates from {EVE} to {EVE} have no scores" in issue["message"]


def test_a_closed_day_opens_no_more_though_the_setting_is_raised(root: Root) -> None:
    lake = Lake(root.lake)
    keep_retention(root, kept(1), MODEL_ID, MIDDAY)
    for settings in (kept(365), Settings()):
        assert keep_retention(root, settings, MODEL_ID, MIDDAY) == {}
        assert len(open_shards(lake, lake.parts(RECORDINGS))) == 2


def test_what_hangs_on_segments_goes_with_them(root: Root) -> None:
    gone = keep_retention(root, kept(segments_days=1), MODEL_ID, MIDDAY + dt.timedelta(1))
    assert gone == dict.fromkeys(
        ("retention_features", "retention_predictions", "retention_segments"), 2
    )
    assert dates(Lake(root.lake), FEATURES, SEGMENTS, SCORES) == [[TODAY]] * 3


def test_a_late_objection_removes_scores_of_closed_days(root: Root) -> None:
    lake = Lake(root.lake)
    keep_retention(root, kept(1), MODEL_ID, MIDDAY)
    (part,) = (each for each in lake.parts(CALLS) if each.date == EVE)
    first, *others = lake.read(CALLS, [part]).to_pylist()
    rows = [{**first, "objected": True}, *others]
    lake.write(CALLS, part, CALLS.from_rows(rows), {"scoring": "with an objection"})

    assert keep_retention(root, kept(1), MODEL_ID, MIDDAY) == {"retention_barred": 1}

    left = set(lake.read(SCORES, [part])["recording_id"].to_pylist())
    assert left == {row["recording_id"] for row in others}


def test_snippets_reports_and_runs_go_and_the_latest_stay(tmp_path: Path) -> None:
    centre = Centre(tmp_path)
    now = utc_now()
    for number in range(3):
        started = now + dt.timedelta(number)
        row = dict.fromkeys(RUNS.arrow.names) | {
            "run_id": f"run-{number}",
            "started_at": started,
            "status": "failed" if number == 2 else "clean",
            "audio_root": "/calls",
            "counts": [],
            "audio_s": 0.0,
            "stage_s": [],
            **dict.fromkeys(("code_version", "settings_id", "analysis_id", "feature_set"), "x"),
            "model_id": "m",
        }
        centre.lake.write(RUNS, Part(None, f"run-{number}"), RUNS.from_rows([row]))
    snippets = list(centre.root.labels.rglob("*.wav"))
    days = {"snippets_days": 30, "reports_days": 30, "runs_days": 30}
    assert keep_retention(centre.root, kept(**days), MODEL_ID, now + dt.timedelta(29)) == {}

    gone = keep_retention(centre.root, kept(**days), MODEL_ID, now + dt.timedelta(60))

    assert gone == {
        "retention_snippets": len(snippets),
        "retention_reports": 2,
        "retention_runs": 1,
    }
    assert list(centre.listed()) == ["latest.html"]
    assert [part.name for part in centre.lake.parts(RUNS)] == ["run-1", "run-2"]


def test_attributes_go_from_lines_and_calls_and_stay_away(tmp_path: Path) -> None:
    centre, later = Centre(tmp_path), utc_now() + dt.timedelta(60)
    settings = SETTINGS.model_copy(update={"retention": RetentionSettings(attributes_days=30)})
    for _ in range(2):
        silent = lambda _done, _total: None  # noqa: E731
        ingest(
            centre.lake, [centre.audio], [centre.export], settings, now=later, on_progress=silent
        )
        keep_retention(centre.root, settings, centre.model, later)
    assert all(row["attributes"] == [] for row in centre.lake.read(CALLS).to_pylist())
    fields = [dict(row["fields"]) for row in centre.lake.read(METADATA).to_pylist()]
    assert {name for row in fields for name in row} == {"file", "call_id", "started_at", "customer"}
    assert {row["customer"] for row in fields} == {"Kowalski", "Novak"}
