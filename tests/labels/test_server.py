from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from ser_batch.config import Settings
from ser_batch.errors import ServeError, StopError
from ser_batch.labels.history import newest
from ser_batch.labels.queue import open_session
from ser_batch.labels.server import LabelServer
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import LABELS
from tests.labels.conftest import N_QUEUED


def request(
    server: LabelServer, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, bytes, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    usual = {"Authorization": f"Bearer {server.token}"}
    content = None if body is None else json.dumps(body)
    connection.request(method, path, content, {**usual, **headers})
    response = connection.getresponse()
    answer = response.status, response.read(), response
    connection.close()
    return answer


def question(server: LabelServer, annotator: str = "ann") -> dict[str, Any]:
    return json.loads(request(server, "GET", f"/question?annotator={annotator}")[1])


def answer(server: LabelServer, emotion: str = "anger", annotator: str = "ann") -> dict[str, Any]:
    segment = question(server, annotator)["segment"]
    body = {"annotator": annotator, "segment": segment, "emotion": emotion}
    return json.loads(request(server, "POST", "/answer", body)[1])


def said(root: Root) -> list[str]:
    return sorted(row["emotion"] for row in newest(Lake(root.lake).read(LABELS)))


@pytest.mark.parametrize("path", ["/question?annotator=ann", "/sound/r0000.1.0.wav"])
def test_nothing_is_told_without_the_token(serve, path):
    server = serve()
    assert request(server, "GET", path, Authorization="")[0] == 403
    assert request(server, "GET", path, Authorization="Bearer wrong")[0] == 403


def test_nothing_is_kept_without_the_token(serve, queued: Root):
    server = serve()
    segment = question(server)["segment"]
    body = {"annotator": "ann", "segment": segment, "emotion": "anger"}
    assert request(server, "POST", "/answer", body, Authorization="Bearer x")[0] == 403
    assert said(queued) == []


def test_a_foreign_name_for_this_machine_is_refused(serve):
    server = serve()
    assert request(server, "GET", "/", Host="evil.example")[0] == 403
    assert request(server, "GET", "/question?annotator=a", Host="evil.example:80")[0] == 403


def test_tokens_differ(serve):
    first = serve().token
    assert len(first) > 20
    assert serve().token != first


def test_every_answer_is_kept_at_once(serve, queued: Root):
    server = serve()
    answer(server, "anger")
    assert said(queued) == ["anger"]
    answer(server, "cannot_tell")
    assert said(queued) == ["anger", "cannot_tell"]


def test_it_goes_on_where_one_stopped(serve):
    server = serve()
    first = question(server)["segment"]
    answer(server)
    again = serve()
    after = question(again)
    assert (after["done"], after["total"]) == (1, N_QUEUED)
    assert after["segment"] != first


def test_undo_takes_back_the_newest_answer_and_asks_again(serve, queued: Root):
    server = serve()
    answer(server, "anger")
    second = question(server)["segment"]
    answer(server, "neutral")
    undone = json.loads(request(server, "POST", "/undo", {"annotator": "ann"})[1])
    assert (undone["segment"], undone["done"]) == (second, 1)
    assert said(queued) == ["anger"]
    answer(server, "fear")
    assert said(queued) == ["anger", "fear"]
    assert Lake(queued.lake).read(LABELS).num_rows == 4  # nothing is ever overwritten


def test_two_annotators_share_the_queue(serve):
    server = serve()
    assert question(server, "ann")["segment"] != question(server, "bob")["segment"]
    for _ in range(N_QUEUED):
        for name in ("ann", "bob"):
            if question(server, name)["segment"]:
                answer(server, annotator=name)
    done = [question(server, name)["done"] for name in ("ann", "bob")]
    assert sum(done) == N_QUEUED
    assert min(done) > 0


def test_several_answers_a_segment_where_they_are_wanted(serve):
    server = serve(annotators=2)
    asked = {name: [] for name in ("ann", "bob", "cem")}
    for name, segments in asked.items():
        while (segment := question(server, name)["segment"]) is not None:
            segments.append(segment)
            answer(server, annotator=name)
    assert sorted(asked["ann"]) == sorted(asked["bob"])
    assert (len(asked["ann"]), asked["cem"]) == (N_QUEUED, [])


@pytest.mark.parametrize(
    "body",
    [
        {"annotator": "", "segment": "r0000.1.0", "emotion": "anger"},
        {"annotator": "ann", "segment": "../../etc/passwd", "emotion": "anger"},
        {"annotator": "ann", "segment": None, "emotion": "anger"},
        {"annotator": "ann", "segment": "r0000.1.0", "emotion": "rage"},
        ["ann"],
        {"annotator": "x" * 20_000},
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(serve, queued: Root, body):
    status, content, _ = request(serve(), "POST", "/answer", body)
    assert status == 400
    assert json.loads(content)["error"]
    assert said(queued) == []


def test_no_file_beside_the_queues_sounds_is_given_out(serve):
    server = serve()
    name = question(server)["segment"]
    status, content, _ = request(server, "GET", f"/sound/{name}.wav")
    assert (status, content[:4]) == (200, b"RIFF")
    for path in ("/sound/../queue.csv", "/sound/nothing.wav", "/queue.csv", "/sound/..%2fqueue"):
        assert request(server, "GET", path)[0] == 404


def test_the_page_may_load_nothing_from_elsewhere(serve):
    _, content, response = request(serve(), "GET", "/", Authorization="")
    assert b"http" not in content
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_a_port_that_is_taken_is_said(serve, queued: Root):
    taken = serve().server_address[1]
    with pytest.raises(ServeError, match=str(taken)):
        LabelServer(open_session(queued, Settings()), host="127.0.0.1", port=taken)


def test_without_a_queue_it_says_what_to_do(tmp_path):
    with pytest.raises(StopError) as error:
        open_session(Root(tmp_path), Settings())
    assert "labels queue" in error.value.one_line()
