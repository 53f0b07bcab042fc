from __future__ import annotations

import json
from typing import Any

import pytest

from ser_batch.config import Settings
from ser_batch.errors import StopError
from ser_batch.labels.history import newest
from ser_batch.labels.queue import open_session
from ser_batch.serve.server import Server
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import LABELS
from tests.serve.client import request
from tests.serve.conftest import N_QUEUED


def question(server: Server, annotator: str = "ann") -> dict[str, Any]:
    return json.loads(request(server, "GET", f"/labels/question?annotator={annotator}")[1])


def answer(server: Server, emotion: str = "anger", annotator: str = "ann") -> dict[str, Any]:
    segment = question(server, annotator)["segment"]
    body = {"annotator": annotator, "segment": segment, "emotion": emotion}
    return json.loads(request(server, "POST", "/labels/answer", body)[1])


def said(root: Root) -> list[str]:
    return sorted(row["emotion"] for row in newest(Lake(root.lake).read(LABELS)))


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
    undone = json.loads(request(server, "POST", "/labels/undo", {"annotator": "ann"})[1])
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
        {"annotator": "\ud800", "segment": "\ud800", "emotion": "anger"},
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(serve, queued: Root, body):
    status, content, _ = request(serve(), "POST", "/labels/answer", body)
    assert status == 400
    assert json.loads(content)["error"]
    assert said(queued) == []


def test_no_file_beside_the_queues_sounds_is_given_out(serve):
    server = serve()
    name = question(server)["segment"]
    status, content, _ = request(server, "GET", f"/labels/sound/{name}.wav")
    assert (status, content[:4]) == (200, b"RIFF")
    for path in ("../queue.csv", "nothing.wav", "..%2fqueue.wav", "../../../queue.csv"):
        assert request(server, "GET", f"/labels/sound/{path}")[0] == 404


def test_without_a_queue_it_says_what_to_do(tmp_path):
    with pytest.raises(StopError) as error:
        open_session(Root(tmp_path), Settings())
    assert "labels queue" in error.value.one_line()
