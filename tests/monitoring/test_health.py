from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from ser_batch.clock import simulated_clock
from ser_batch.monitoring.health import examine_health, overall
from ser_batch.monitoring.run_record import last_published
from ser_batch.store.lake import Lake
from ser_batch.store.lock import only_run
from ser_batch.store.paths import Root
from ser_batch.tables import DRIFT, RUNS
from ser_batch.testing.lakes import MODEL_ID, TODAY, put
from ser_batch.testing.rows import run

NOW = dt.datetime(2026, 11, 3, 9, 0)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path)


def put_run(root: Root, hours_ago: float, status: str = "clean", **given: object) -> None:
    ended = NOW - dt.timedelta(hours=hours_ago)
    run_id = f"{ended:%Y%m%dT%H%M%S}000Z"
    times = {"started_at": ended - dt.timedelta(hours=1), "finished_at": ended}
    row = run(run_id, status=status, model_id=MODEL_ID, **{**times, **given})
    put(Lake(root.lake), RUNS, row, name=run_id)


def statuses(root: Root) -> dict[str, str]:
    checks = examine_health(root.path, None, now=NOW)
    return {check.name: check.status for check in checks}


def test_a_fresh_clean_night_is_healthy(root: Root):
    put_run(root, 5)
    assert set(statuses(root)) == {"freshness", "last_run", "rejected", "drift", "disk"}
    assert set(statuses(root).values()) == {"ok"}


def test_a_night_that_is_missing_for_longer_than_the_limit_is_critical(
    root: Root, monkeypatch: pytest.MonkeyPatch
):
    put_run(root, 27)
    assert statuses(root)["freshness"] == "critical"
    monkeypatch.setenv("SER_HEALTH__MAX_AGE_H", "28")
    assert statuses(root)["freshness"] == "ok"


@pytest.mark.parametrize(
    ("status", "expected"),
    [("partial", "warning"), ("failed", "critical"), ("running", "critical")],
    ids=["partial", "failed", "killed"],
)
def test_the_last_run_is_distinguished_from_the_last_that_published(root: Root, status, expected):
    put_run(root, 20)
    put_run(root, 1, status, message="why")
    found = statuses(root)
    assert (found["freshness"], found["last_run"]) == ("ok", expected)


def test_a_night_at_work_is_healthy_while_the_last_one_is_fresh(root: Root):
    put_run(root, 20)
    put_run(root, 0, "running", finished_at=None)
    with only_run(root):
        assert statuses(root)["last_run"] == "ok"


def test_a_night_of_a_clock_that_was_ahead_does_not_hide_the_last_one(root: Root):
    put_run(root, 100)
    put_run(root, -24 * 365 * 70)
    with simulated_clock(lambda: NOW):
        assert statuses(root)["freshness"] == "critical"
        assert last_published(Lake(root.lake)) < NOW


def test_a_clock_that_went_back_is_not_healthy(root: Root):
    put_run(root, -24 * 365)
    assert statuses(root)["freshness"] == "critical"


def test_published_nights_behind_many_failures_are_found(root: Root):
    put_run(root, 100)
    for hours_ago in range(40):
        put_run(root, hours_ago, "failed")
    checks = {check.name: check for check in examine_health(root.path, None, now=NOW)}
    assert checks["freshness"].value == 100


@pytest.mark.parametrize(
    ("counts", "share"),
    [
        ({"files_new": 95, "files_rejected": 5, "quarantined": 5}, 0.05),
        ({"files_new": 100, "files_rejected": 0, "quarantined": 6}, 0.06),
        ({"files_new": 0, "files_rejected": 8, "quarantined": 0}, 0),
        ({"files_new": 0, "files_rejected": 2, "quarantined": 2}, 1),
    ],
)
def test_the_rejected_share_is_of_the_nights_new_files(root: Root, counts, share):
    put_run(root, 5, "partial", counts=list(counts.items()))
    checks = {check.name: check for check in examine_health(root.path, None, now=NOW)}
    assert checks["rejected"].value == pytest.approx(share)
    assert checks["rejected"].status == ("warning" if share > 0.05 else "ok")


def test_drift_of_the_model_that_scored_last_is_a_warning(root: Root):
    put_run(root, 5)
    row = {
        "call_date": TODAY, "subject": "line", "name": "snr_db", "reference": "days before",
        "psi": 0.5, "psi_expected": 0.01, "count_calls": 50, "count_calls_before": 500,
        "status": "drift", "advice": "check",
    }  # fmt: skip
    put(Lake(root.lake), DRIFT, {**row, "model_id": "other"}, name="other")
    assert statuses(root)["drift"] == "ok"
    put(Lake(root.lake), DRIFT, {**row, "model_id": MODEL_ID}, name=MODEL_ID)
    assert statuses(root)["drift"] == "warning"


def test_a_full_disk_is_critical(root: Root, monkeypatch: pytest.MonkeyPatch):
    put_run(root, 5)
    monkeypatch.setenv("SER_HEALTH__MIN_FREE_GB", "1e9")
    assert statuses(root)["disk"] == "critical"


def test_what_keeps_health_from_being_examined_is_critical(root: Root):
    assert overall(examine_health(root.path / "nowhere", None)) == "critical"
    (root.path / "ser-batch.toml").write_text("[health]\nmax_age = 3\n")
    [check] = examine_health(root.path, None)
    assert (check.name, check.status) == ("settings", "critical")
    assert "did you mean 'max_age_h'" in check.finding


@pytest.mark.parametrize(
    ("status", "exit_code", "first"), [("partial", 1, "WARNING: "), ("failed", 2, "CRITICAL: ")]
)
def test_the_command_says_the_worst_first_and_by_its_exit_code(
    root: Root, monkeypatch: pytest.MonkeyPatch, status, exit_code, first
):
    monkeypatch.setenv("SER_HEALTH__MAX_AGE_H", "1e6")
    put_run(root, 5)
    put_run(root, 1, status)
    done = CliRunner().invoke(app, ["health", "--root", str(root.path)])
    assert done.exit_code == exit_code
    assert done.stdout.startswith(first)
    asked = CliRunner().invoke(app, ["health", "--root", str(root.path), "--json"])
    assert asked.exit_code == exit_code
    assert len(json.loads(asked.stdout)["checks"]) == 5
