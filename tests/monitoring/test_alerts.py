"""Alerts by a real HTTP server and real commands."""

from __future__ import annotations

import datetime as dt
import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from ser_batch.clock import utc_now
from ser_batch.config import Settings
from ser_batch.errors import NoFolderError
from ser_batch.monitoring.notify import notify_end, notify_failure
from ser_batch.monitoring.run_record import RunRecord, Status, new_run
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.testing.lakes import MODEL_ID, call_rows, put_rows
from ser_batch.testing.rows import MIDDAY, prediction
from ser_batch.warehouse import build
from tests.monitoring.webhooks import WebhookServer, webhook_server

RULE = {"measure": "dissatisfied_call_share", "above": 0.5, "min_calls": 10, "bound": "low"}
DRIFTING = {
    "call_date": MIDDAY.date(),
    "model_id": MODEL_ID,
    "subject": "line",
    "name": "snr_db",
    "reference": "days before",
    "psi": 0.4,
    "advice": "check the recorder",
}


@pytest.fixture
def hook() -> Iterator[WebhookServer]:
    with webhook_server() as server:
        yield server


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of three queues: all calls angry, all calm, and few calls, all angry."""
    root = Root(tmp_path_factory.mktemp("published"))
    calls = [
        call_rows(
            *(prediction(segment_no=n, anger=anger, neutral=1 - anger) for n in range(3)),
            recording_id=f"{queue}{day}-{number}",
            queue=queue,
            started_at=MIDDAY - dt.timedelta(days=day),
        )
        for queue, anger, count in (("angry", 0.95, 12), ("calm", 0.05, 12), ("few", 0.95, 6))
        for day in range(2)
        for number in range(count)
    ]
    put_rows(Lake(root.lake), *calls)
    build(Lake(root.lake), root.warehouse, model_id=MODEL_ID, settings=Settings())
    return root.path


@pytest.fixture
def root(published: Path, tmp_path: Path) -> Root:
    """A copy of the test's own."""
    return Root(Path(shutil.copytree(published, tmp_path / "root")))


def alerting(url: str | None = None, **given: object) -> Settings:
    return Settings(
        alerts={"webhook": url, "timeout_s": 30, "retries": 1, "retry_delay_s": 0, **given}
    )


def record_of(settings: Settings, *, status: Status = "clean", **counts: int) -> RunRecord:
    record = new_run("/calls", settings, MODEL_ID, started_at=utc_now())
    record.counts.update(counts)
    record.status = status
    return record


def end_night(root: Root, settings: Settings, *, message: str = "", drift=(), **given):
    record = record_of(settings, **given)
    return notify_end(root, settings, record, message=message, drift=drift)


def test_a_clean_night_sends_nothing(root: Root, hook: WebhookServer):
    assert end_night(root, alerting(hook.url)).n_sent == 0
    assert hook.received == []


def test_a_partial_night_says_how_many_files_were_rejected_and_where_to_look(
    root: Root, hook: WebhookServer
):
    settings = alerting(hook.url)
    found = end_night(root, settings, status="partial", quarantined=3, message="no call was scored")
    assert (found.n_sent, found.problems) == (1, ())
    (alert,) = hook.received
    assert alert["kind"] == "partial"
    assert alert["root"] == str(root.path)
    assert alert["cells"] == [{"rejected": 3, "message": "no call was scored"}]
    assert "3 files rejected: ser-batch quarantine list" in alert["text"]


def test_an_alert_is_sent_once_a_night_and_cell(root: Root, hook: WebhookServer):
    settings = alerting(hook.url, thresholds=[RULE])
    moved = {**DRIFTING, "name": "codec"}
    assert end_night(root, settings, drift=[DRIFTING]).n_sent == 2
    assert end_night(root, settings, drift=[DRIFTING]).n_sent == 0
    assert end_night(root, settings, drift=[DRIFTING, moved]).n_sent == 1
    assert [alert["kind"] for alert in hook.received] == ["drift", "threshold", "drift"]
    assert [cell["name"] for cell in hook.received[-1]["cells"]] == ["codec"]


def test_a_failure_of_the_same_night_is_sent_once_and_the_next_nights_again(
    root: Root, hook: WebhookServer
):
    settings, error = alerting(hook.url), NoFolderError(Path("/calls"))
    record = record_of(settings, status="failed")
    for _ in range(2):
        notify_failure(root, settings, record, error)
    record.started_at += dt.timedelta(days=1)
    notify_failure(root, settings, record, error)
    assert [alert["kind"] for alert in hook.received] == ["failed", "failed"]
    assert "is the share mounted" in hook.received[0]["text"]
    assert hook.received[0]["cells"][0]["code"] == "audio_folder"


def test_the_day_of_a_night_is_the_call_centres_own(root: Root, hook: WebhookServer):
    settings = alerting(hook.url).model_copy(
        update={"ingest": Settings(ingest={"timezone": "Pacific/Auckland"}).ingest}
    )
    record = record_of(settings, status="failed")
    record.started_at = dt.datetime(2026, 11, 3, 13, 0)
    notify_failure(root, settings, record, ValueError("x"))
    assert hook.received[0]["day"] == "2026-11-04"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["angry"]),
        ({"above": 0.9}, []),
        ({"above": 0.9, "bound": "value"}, ["angry"]),
        ({"min_calls": 5, "above": 0.3}, ["angry", "few"]),
        ({"min_calls": 13}, []),
        ({"measure": "worsening_share", "above": -1, "bound": "value"}, ["angry", "calm"]),
    ],
)
def test_queues_above_a_limit_with_enough_calls_are_named(
    root: Root, hook: WebhookServer, changes, expected
):
    end_night(root, alerting(hook.url, thresholds=[{**RULE, **changes}], days=1))
    cells = [cell for alert in hook.received for cell in alert["cells"]]
    assert sorted(cell["queue"] for cell in cells) == expected
    assert {cell["call_date"] for cell in cells} <= {MIDDAY.date().isoformat()}


def test_the_days_that_are_compared_are_the_newest(root: Root, hook: WebhookServer):
    end_night(root, alerting(hook.url, thresholds=[RULE], days=2))
    (alert,) = hook.received
    days = [cell["call_date"] for cell in alert["cells"]]
    assert days == ["2026-11-03", "2026-11-02"]
    assert "angry, 2026-11-03: 1.00 (0.76 to 1.00), 12 calls" in alert["text"]


def test_an_unknown_measure_names_the_nearest_and_stops_no_other_alert(
    root: Root, hook: WebhookServer
):
    rule = {**RULE, "measure": "dissatisfied_cal_share"}
    found = end_night(root, alerting(hook.url, thresholds=[rule]), drift=[DRIFTING])
    assert [alert["kind"] for alert in hook.received] == ["drift"]
    assert "did you mean 'dissatisfied_call_share'" in found.problems[0]


def test_only_the_chosen_kinds_are_sent(root: Root, hook: WebhookServer):
    settings = alerting(hook.url, on=["drift"], thresholds=[RULE])
    end_night(root, settings, status="partial", quarantined=1, drift=[DRIFTING])
    notify_failure(root, settings, record_of(settings), ValueError("x"))
    assert [alert["kind"] for alert in hook.received] == ["drift"]


def test_a_server_that_fails_once_is_tried_again(root: Root, hook: WebhookServer):
    hook.answers = [500, 200]
    found = end_night(root, alerting(hook.url), drift=[DRIFTING])
    assert (found.n_sent, found.problems, len(hook.received)) == (1, (), 2)


@pytest.mark.parametrize(
    ("answer", "n_tries", "cause"),
    [(500, 2, "HTTP 500"), (404, 1, "HTTP 404"), (302, 1, "HTTP 302"), (0, 2, "timed out")],
    ids=["fails", "gone", "redirects", "hangs"],
)
def test_a_server_that_does_not_take_an_alert_is_said_and_asked_again_the_next_night(
    root: Root, hook: WebhookServer, caplog: pytest.LogCaptureFixture, answer, n_tries, cause
):
    hook.answers = [answer]
    settings = alerting(hook.url, thresholds=[RULE], timeout_s=30 if answer else 0.5)
    found = end_night(root, settings, drift=[DRIFTING])
    assert found.n_sent == 0
    kinds = [alert["kind"] for alert in hook.received]
    if answer:
        assert kinds == ["drift"] * n_tries, "a dead channel is not tried by the next alert"
    assert len(found.problems) == 1
    assert cause in found.problems[0]
    assert "secret" not in found.problems[0] + caplog.text
    assert cause in caplog.text
    hook.answers = [200]
    assert end_night(root, alerting(hook.url, thresholds=[RULE]), drift=[DRIFTING]).n_sent == 2


def test_a_server_that_is_not_there_stops_nothing(root: Root):
    found = end_night(root, alerting("http://127.0.0.1:9/x"), drift=[DRIFTING])
    assert found.problems == ("webhook 127.0.0.1: [Errno 111] Connection refused",)


def command(tmp_path: Path, program: str) -> str:
    return shlex.join([sys.executable, "-c", program, str(tmp_path / "told")])


def test_a_command_gets_the_text_and_the_json(root: Root, tmp_path: Path):
    program = (
        "import os, sys, json, pathlib; pathlib.Path(sys.argv[1]).write_text("
        "json.dumps([sys.stdin.read(), json.loads(os.environ['SER_ALERT'])]))"
    )
    settings = alerting(command=command(tmp_path, program))
    assert end_night(root, settings, drift=[DRIFTING]).n_sent == 1
    text, payload = json.loads((tmp_path / "told").read_text())
    assert text == payload["text"] + "\n"
    assert payload["kind"] == "drift"


@pytest.mark.parametrize(
    ("program", "timeout_s", "cause"),
    [
        ("import sys; sys.exit('no pager')", 30, "exit code 1, no pager"),
        ("import subprocess; subprocess.run(['sleep', '60'])", 0.5, "not done after 0.5 s"),
    ],
)
def test_a_command_that_fails_or_hangs_is_said(
    root: Root, tmp_path: Path, program, timeout_s, cause
):
    settings = alerting(command=command(tmp_path, program), retries=0, timeout_s=timeout_s)
    found = end_night(root, settings, drift=[DRIFTING])
    assert cause in found.problems[0]


def test_a_command_that_is_not_there_is_said(root: Root):
    found = end_night(root, alerting(command="/nowhere/page --all"), drift=[DRIFTING])
    assert found.problems == ("command /nowhere/page: No such file or directory",)


def test_one_dead_channel_does_not_silence_the_other(
    root: Root, hook: WebhookServer, tmp_path: Path
):
    settings = alerting(hook.url, command="/nowhere/page")
    for expected in (1, 0):
        found = end_night(root, settings, drift=[DRIFTING])
        assert (found.n_sent, len(found.problems)) == (expected, 1)
    assert len(hook.received) == 1


def test_what_was_sent_is_kept_as_digests(root: Root, hook: WebhookServer):
    end_night(root, alerting(hook.url, thresholds=[RULE]))
    stored = root.sent_alerts.read_text()
    assert len(json.loads(stored)) == 2
    assert "angry" not in stored
    root.sent_alerts.write_text("{")
    assert end_night(root, alerting(hook.url, thresholds=[RULE])).n_sent == 1


SENDER = """
import datetime as dt, sys
from pathlib import Path
from ser_batch.config import Settings
from ser_batch.monitoring.alerts import Alert, AlertedRun, Cell
from ser_batch.monitoring.notify import send
from ser_batch.store.paths import Root
root = Root(Path(sys.argv[1]))
run = AlertedRun("run", dt.date(2026, 11, 3), root.path)
for number in range(10):
    cell = Cell(f"{sys.argv[2]} {number}", "text", {})
    send(root, Settings(alerts={"command": "cat"}), [Alert("test", run, "headline", (cell,))])
"""


def test_programs_that_send_at_once_both_remember_what_they_sent(tmp_path: Path):
    processes = [
        subprocess.Popen([sys.executable, "-c", SENDER, str(tmp_path), name]) for name in "ab"
    ]
    assert [process.wait() for process in processes] == [0, 0]
    assert len(json.loads(Root(tmp_path).sent_alerts.read_text(encoding="utf-8"))) == 20


def test_notes_of_what_was_sent_that_are_not_utf_8_are_named(
    root: Root, hook: WebhookServer, caplog: pytest.LogCaptureFixture
):
    end_night(root, alerting(hook.url), drift=[DRIFTING])
    root.sent_alerts.write_bytes(b"\xff\xfe{}")
    assert end_night(root, alerting(hook.url), drift=[DRIFTING]).n_sent == 1
    assert f"{root.sent_alerts} cannot be read" in caplog.text
    assert end_night(root, alerting(hook.url), drift=[DRIFTING]).n_sent == 0


def test_many_findings_are_cut_to_what_a_message_holds(root: Root, hook: WebhookServer):
    rows = [{**DRIFTING, "name": f"m{number}"} for number in range(60)]
    end_night(root, alerting(hook.url), drift=rows)
    (alert,) = hook.received
    assert (alert["count_cells"], len(alert["cells"])) == (60, 50)
    assert alert["text"].endswith("… 10 more")
    assert end_night(root, alerting(hook.url), drift=rows).n_sent == 0


def test_a_sample_is_sent_and_the_limits_are_shown(
    root: Root, hook: WebhookServer, monkeypatch: pytest.MonkeyPatch
):
    arguments = ["alerts", "test", "--root", str(root.path)]
    assert "not set" in CliRunner().invoke(app, arguments).stderr
    monkeypatch.setenv("SER_ALERTS__WEBHOOK", hook.url)
    monkeypatch.setenv("SER_ALERTS__THRESHOLDS", json.dumps([RULE]))
    for _ in range(2):
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
    assert "angry, 2026-11-03" in done.stdout
    assert [alert["kind"] for alert in hook.received] == ["test", "test"]
    hook.answers = [500]
    monkeypatch.setenv("SER_ALERTS__RETRIES", "0")
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["problems"] == ["webhook 127.0.0.1: HTTP 500"]
