"""What listeners say on the page of a call, and who saw it; erasing and retention reach both."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ser_batch.clock import utc_now
from ser_batch.config import Settings
from ser_batch.erasure.erase import erase
from ser_batch.erasure.plan import Erasure
from ser_batch.ingest.tombstones import recording_stone
from ser_batch.serve.site import Site
from ser_batch.stages.publish import publish
from ser_batch.stages.retention import keep_retention
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import ACCESS_LOG, LABELS
from ser_batch.testing.lakes import MODEL_ID, put_call
from ser_batch.testing.rows import prediction
from ser_batch.warehouse import connect
from tests.serve.site import ORIGIN, entered, put_recording, site_of, tone

RECORDED = "581ea9855f6a57bff7b407ecf56b5ec1"
"""Digest of the recorded call."""

SECRET = "the caller is <b>Frau Example</b>"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Root:
    root = Root(tmp_path_factory.mktemp("reviewed"))
    lake = Lake(root.lake)
    angry = (prediction(segment_no=n, anger=0.9, neutral=0.1) for n in range(3))
    put_call(lake, *angry, recording_id="badcall1")
    recorded = put_recording(root, "call.wav", tone(300, 2))
    assert recorded["recording_id"] == RECORDED
    put_call(lake, prediction(), **recorded)
    put_call(lake, prediction(emotion="uncertain"), recording_id="other222")
    put_call(lake, recording_id="objected", objected=True)
    publish(root, Settings(), MODEL_ID)
    return root


@pytest.fixture
def root(published: Root, tmp_path: Path) -> Root:
    return Root(Path(shutil.copytree(published.path, tmp_path / "root")))


@pytest.fixture
def site(root: Root) -> Iterator[Site]:
    site = site_of(root)
    yield site
    site.close()


def say(client: TestClient, recording_id: str = "badcall1", **said: object):
    body = {"note": "", **said}
    return client.post(f"/calls/{recording_id}/review", json=body, headers=ORIGIN)


def log(root: Root) -> list[tuple[str, str, str]]:
    rows = Lake(root.lake).read(ACCESS_LOG).sort_by("accessed_at").to_pylist()
    return [(row["person"], row["action"], row["recording_id"]) for row in rows]


def test_what_is_said_of_a_segment_and_of_the_call_is_kept_and_shown(root, site):
    client = entered(site)
    of_segment = {"channel": 1, "segment_no": 1}
    assert say(client, **of_segment, verdict="wrong", emotion="happiness").status_code == 200
    answer = say(client, verdict="right", note=SECRET)
    assert [(row["verdict"], row["shown"], row["note"]) for row in answer.json()] == [
        ("wrong", "anger", None),
        ("right", "dissatisfied", SECRET),
    ]
    rows = Lake(root.lake).read(LABELS).sort_by("made_at").to_pylist()
    assert [(r["annotator"], r["source"], r["segment_no"], r["emotion"]) for r in rows] == [
        ("ann", "review", 1, "happiness"),
        ("ann", "review", None, None),
    ]
    assert (rows[0]["start_s"], rows[0]["end_s"]) == (10, 20)
    assert "reviewed by ann" in entered(site, "bob").get("/calls?show=all").text
    assert "reviewed by ann" in client.get("/").text


def test_the_warehouse_says_who_reviewed_what_and_when_and_holds_no_note(root, site):
    client = entered(site)
    say(client, verdict="wrong", note=SECRET)
    say(client, channel=1, segment_no=0, verdict="right")
    client.get("/calls/badcall1")
    publish(root, Settings(), MODEL_ID)
    site.close()  # DuckDB opens a file that is open in the process only once
    with connect(root.warehouse) as con:
        found = con.execute("from call_review select * exclude (reviewed_at)").fetchall()
        accesses = con.execute("select person, action from access_log order by all").fetchall()
    assert found == [("badcall1", ["ann"], "wrong", "dissatisfied", 1, 0)]
    assert accesses == [("ann", "labelled"), ("ann", "labelled"), ("ann", "seen")]
    assert SECRET.encode() not in root.warehouse.read_bytes()


@pytest.mark.parametrize(
    ("recording_id", "said", "status"),
    [
        ("objected", {"verdict": "right"}, 404),
        ("nothing", {"verdict": "right"}, 404),
        ("badcall1", {"verdict": "right", "channel": 0, "segment_no": 0}, 404),
        ("badcall1", {"verdict": "right", "channel": 1, "segment_no": 99}, 404),
        ("badcall1", {"verdict": "right", "channel": "1", "segment_no": 1}, 400),
        ("badcall1", {"verdict": "wrong", "channel": 1, "segment_no": 1}, 400),
        ("badcall1", {"verdict": 5}, 400),
        ("badcall1", {"verdict": "right", "note": None}, 400),
    ],
)
def test_what_may_not_be_said_is_refused_and_not_stored(root, site, recording_id, said, status):
    assert say(entered(site), recording_id, **said).status_code == status
    assert not Lake(root.lake).read(LABELS).num_rows


def test_who_sees_hears_and_labels_a_call_is_written_down(root, site):
    ann, bob = entered(site), entered(site, "bob")
    ann.get("/calls")
    ann.get("/calls/badcall1")
    bob.get("/calls/other222")
    say(ann, verdict="right")
    assert log(root) == [
        ("ann", "seen", "badcall1"),
        ("bob", "seen", "other222"),
        ("ann", "labelled", "badcall1"),
    ]
    sessions = Lake(root.lake).read(ACCESS_LOG)["session_id"].to_pylist()
    assert len(set(sessions)) == 2


def test_a_recording_counts_as_played_once_a_session(root, site):
    client = entered(site)
    for asked in ("bytes=0-", "bytes=1000-", "bytes=5000-"):
        url = f"/calls/{RECORDED}/sound.wav"
        assert client.get(url, headers={"Range": asked}).status_code == 206
    assert log(root) == [("ann", "played", RECORDED)]


def test_an_erased_call_leaves_no_review_no_note_and_no_access(root, site):
    client = entered(site)
    client.get("/calls/badcall1")
    client.get("/calls/other222")
    say(client, verdict="right", note=SECRET)
    lake = Lake(root.lake)
    plan = Erasure(
        recordings=("badcall1",),
        dates=(),
        lines=(),
        places=(),
        paths=(),
        values=(),
        audio_files=(),
        stones=(recording_stone("badcall1"),),
        with_audio=False,
    )
    erase(root, plan, lambda: None)
    assert {recording_id for _, _, recording_id in log(root)} == {"other222"}
    assert not lake.read(LABELS).num_rows
    assert client.get("/calls/badcall1").status_code == 410  # the old file is still published
    assert {recording_id for _, _, recording_id in log(root)} == {"other222"}
    text = b"".join(path.read_bytes() for path in root.lake.rglob("*.parquet"))
    assert b"Frau Example" not in text


def test_retention_drops_notes_and_accesses_and_keeps_what_was_decided(root, site):
    client = entered(site)
    client.get("/calls/badcall1")
    say(client, verdict="right", note=SECRET)
    settings = Settings(retention={"notes_days": 10, "access_days": 20})
    assert keep_retention(root, settings, MODEL_ID, utc_now() + dt.timedelta(days=9)) == {}
    gone = keep_retention(root, settings, MODEL_ID, utc_now() + dt.timedelta(days=11))
    assert gone == {"retention_notes": 1}
    [row] = Lake(root.lake).read(LABELS).to_pylist()
    assert (row["verdict"], row["note"]) == ("right", None)
    gone = keep_retention(root, settings, MODEL_ID, utc_now() + dt.timedelta(days=21))
    assert gone == {"retention_access_log": 2}
    assert log(root) == []
    assert client.get("/calls/badcall1/review").json()[0]["note"] is None
