"""Who is let in, and what is refused before a page sees it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ser_batch.config import Settings
from ser_batch.errors import ServeError
from ser_batch.labels.history import newest
from ser_batch.serve.guard import MAX_BODY_BYTES
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import LABELS
from tests.serve.client import enter, plain_request, request
from tests.serve.conftest import labels_server

CHECKOUT = Path(__file__).parents[2]
PATHS = ["/labels", "/labels/question?annotator=ann", "/labels/sound/r0000.1.0.wav"]


def labels_of(root: Root) -> int:
    return len(newest(Lake(root.lake).read(LABELS)))


def an_answer(server) -> dict[str, str]:
    asked = json.loads(request(server, "GET", "/labels/question?annotator=ann")[1])
    return {"annotator": "ann", "segment": asked["segment"], "emotion": "anger"}


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_shown_without_a_session(serve, path):
    server = serve()
    assert plain_request(server, "GET", path)[0] == 403
    wrong = {"Cookie": f"ser_batch_{server.port}=wrong"}
    assert plain_request(server, "GET", path, headers=wrong)[0] == 403
    assert request(server, "GET", path)[0] in (200, 404)


def test_nothing_is_stored_without_a_session(serve, queued: Root):
    server = serve()
    body = an_answer(server)
    assert request(server, "POST", "/labels/answer", body, Cookie="")[0] == 403
    assert labels_of(queued) == 0


def test_a_link_works_once_and_another_takes_its_place(serve):
    server = serve()
    first = server.url
    link = urlsplit(first)
    assert len(link.query) > 20
    cookies = {enter(server), enter(server)}
    assert len(cookies) == 2
    assert plain_request(server, "GET", f"/labels?{link.query}")[0] == 403
    assert server.url != first
    for cookie in cookies:
        assert plain_request(server, "GET", "/labels", headers={"Cookie": cookie})[0] == 200


def test_a_session_ends_with_its_server(serve, queued: Root):
    cookie = enter(serve())
    server = serve()
    cookie = f"ser_batch_{server.port}={cookie.partition('=')[2]}"
    assert plain_request(server, "GET", "/labels", headers={"Cookie": cookie})[0] == 403


def test_a_link_leads_nowhere_else(serve):
    server = serve()
    query = urlsplit(server.url).query
    status, _, headers = plain_request(server, "GET", f"//evil.example?{query}")
    assert (status, headers["Location"]) == (303, "/evil.example")


@pytest.mark.parametrize("name", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
def test_a_foreign_name_for_this_machine_is_refused(serve, name):
    server = serve()
    assert request(server, "GET", "/labels", Host=name)[0] == 400
    assert request(server, "GET", "/static/page.css", Host=name)[0] == 400


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "null", ""])
def test_an_answer_from_another_site_is_refused(serve, queued: Root, origin):
    server = serve()
    body = an_answer(server)
    status, content, _ = request(server, "POST", "/labels/answer", body, Origin=origin)
    assert (status, json.loads(content)) == (403, {"error": "The request comes from another site."})
    assert labels_of(queued) == 0


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"[" * 5_000 + b"]" * 5_000, 400, "nested too deeply"),
        (b'{"annotator": "ann", "segment": ' + b"[" * 900 + b"]" * 900 + b"}", 400, "no text"),
        (b"\xff\xfe", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"", 400, "not JSON"),
        (b"x" * (MAX_BODY_BYTES + 1), 413, "longer than"),
        (b"x" * 20_000_000, 413, "longer than"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_body_that_cannot_be_read_is_answered_and_the_connection_stays(
    serve, queued: Root, body, status, reason
):
    server = serve()
    usual = {"Cookie": enter(server), "Origin": f"http://127.0.0.1:{server.port}"}
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("POST", "/labels/answer", body, usual)
    response = connection.getresponse()
    assert response.status == status
    assert reason in json.loads(response.read())["error"]
    socket_before = connection.sock
    connection.request("GET", "/labels", headers=usual)
    assert connection.getresponse().status == 200
    assert connection.sock is socket_before is not None
    connection.close()
    assert labels_of(queued) == 0


def test_a_body_of_unknown_length_is_bounded_too(serve):
    server = serve()
    usual = {"Cookie": enter(server), "Origin": f"http://127.0.0.1:{server.port}"}
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    chunks = (b"x" * 4096 for _ in range(50))
    connection.request("POST", "/labels/answer", chunks, usual, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize("path", ["/labels", "/static/page.css", "/static/labels.js", "/nothing"])
def test_no_page_may_load_anything_from_elsewhere(serve, path):
    _, content, headers = request(serve(), "GET", path)
    policy = headers["Content-Security-Policy"]
    assert b"http" not in content
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"


def test_who_has_no_session_reads_what_to_do(serve):
    server = serve()
    status, content, _ = plain_request(server, "GET", "/labels", headers={"Accept": "text/html"})
    assert status == 403
    assert b"Open the link that the terminal shows" in content


def test_no_file_beside_the_static_ones_is_given_out(serve):
    server = serve()
    for path in ("/static/../app.py", "/static/..%2fapp.py", "/static/", "/templates/labels.html"):
        assert request(server, "GET", path)[0] == 404


def test_a_port_that_is_taken_is_said(serve, queued: Root):
    taken = serve().port
    with pytest.raises(ServeError, match=str(taken)):
        labels_server(queued, Settings(), port=taken)


def test_a_failure_of_the_store_is_one_line_and_the_server_goes_on(serve, queued: Root):
    server = serve()
    body = an_answer(server)
    erased = Lake(queued.lake).folder / "erased"
    erased.mkdir()
    (erased / "broken.parquet").write_bytes(b"PAR1")
    status, content, _ = request(server, "POST", "/labels/answer", body)
    assert status == 500
    assert "broken.parquet is damaged" in json.loads(content)["error"]
    (erased / "broken.parquet").unlink()
    assert request(server, "POST", "/labels/answer", body)[0] == 200


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quietly_also_with_an_open_connection(queued: Root, signal_number):
    command = [sys.executable, "-m", "pipelines.cli", "labels", "serve", "--root", str(queued.path)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"},
    )
    first = process.stdout.readline()
    link = urlsplit(first.removeprefix("Open ").strip())
    with socket.create_connection(("127.0.0.1", link.port)) as idle:
        connection = http.client.HTTPConnection("127.0.0.1", link.port, timeout=10)
        connection.request("GET", f"{link.path}?{link.query}")
        assert connection.getresponse().status == 303
        started = time.monotonic()
        process.send_signal(signal_number)
        output, errors = process.communicate(timeout=15)
        assert time.monotonic() - started < 5
        idle.close()
    assert errors == ""
    assert "For another browser: http://127.0.0.1" in output
    if signal_number == signal.SIGINT:
        assert output.endswith("Everything that was answered is kept.\n")
        assert process.returncode == 0
