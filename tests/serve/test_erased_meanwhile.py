"""A customer is erased by the command while annotators answer: nothing of it stays, nothing else
goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ser_batch.ingest.late_rows import append
from ser_batch.ingest.tombstones import put_tombstones, recording_stone
from ser_batch.labels.history import label_row
from ser_batch.labels.segment_name import parse_segment_name
from ser_batch.serve.server import Server
from ser_batch.tables import LABELS
from ser_batch.testing.rows import MIDDAY
from tests.centre import Centre
from tests.serve.client import request

CHECKOUT = Path(__file__).parents[2]


def erase_kowalski(centre: Centre) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pipelines.cli", "erase", "--customer", "Kowalski", "--yes"]
    return subprocess.Popen(
        [*command, "--root", str(centre.root.path)],
        stdout=subprocess.DEVNULL,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )


def stored(centre: Centre) -> Counter[tuple[str, str]]:
    """Rows of the lake's labels by annotator and recording."""
    rows = centre.lake.read(LABELS).to_pylist()
    return Counter((row["annotator"], row["recording_id"]) for row in rows)


class Annotator:
    """Answers and takes back, and counts what the server says it stored."""

    def __init__(self, server: Server, name: str) -> None:
        self.server, self.name = server, name
        self.stored: Counter[tuple[str, str]] = Counter()
        self.refused: list[str] = []

    def answer_all(self) -> None:
        while (segment := self._question()["segment"]) is not None:
            self._post("answer", segment=segment, emotion="anger")

    def take_back_all(self) -> None:
        while self._question()["done"]:
            self._post("undo")

    def _question(self) -> dict[str, Any]:
        return json.loads(request(self.server, "GET", f"/labels/question?annotator={self.name}")[1])

    def _post(self, action: str, **fields: str) -> None:
        body = {"annotator": self.name, **fields}
        status, content, _ = request(self.server, "POST", f"/labels/{action}", body)
        answer = json.loads(content)
        assert status in (200, 410), answer
        if status == 410:
            self.refused.append(answer["error"])
        else:  # what was taken back is asked again
            key = parse_segment_name(fields.get("segment") or answer["segment"])
            self.stored[self.name, key[0]] += 1


@pytest.mark.slow
def test_answers_about_an_erased_customer_are_refused_and_all_others_are_kept(
    serve, tmp_path: Path
):
    centre = Centre(tmp_path)
    kowalski = {centre.ids["id-k1"], centre.ids["id-k2"]}
    before = stored(centre)
    server = serve(centre.root, annotators=3)
    early, busy, late = (Annotator(server, name) for name in ("early", "busy", "late"))

    early.answer_all()
    assert {("early", recording_id) for recording_id in kowalski} <= stored(centre).keys()
    erasing = erase_kowalski(centre)
    while erasing.poll() is None:
        busy.answer_all()
        busy.take_back_all()
        time.sleep(0.1)  # the erasure needs the processor, too
    assert erasing.returncode == 0
    late.answer_all()

    refused = [*early.refused, *busy.refused, *late.refused]
    assert refused == ["This call was erased meanwhile: the answer was not stored."]
    expected = before + early.stored + busy.stored + late.stored
    assert stored(centre) == {key: n for key, n in expected.items() if key[1] not in kowalski}
    assert busy.stored.total() > 20
    text = centre.text()
    assert [each for each in (*kowalski, "Kowalski") if each in text] == []


def test_a_late_writer_stores_only_labels_of_calls_that_are_left(tmp_path: Path):
    centre = Centre(tmp_path)
    kowalski = {centre.ids["id-k1"], centre.ids["id-k2"]}
    put_tombstones(centre.lake, map(recording_stone, kowalski), MIDDAY)
    rows = [
        label_row(
            (recording_id, 1, 0),
            (0.0, 10.0),
            annotator="late",
            emotion="anger",
            made_at=MIDDAY,
            source="csv",
            imported_at=MIDDAY,
        )
        for recording_id in centre.ids.values()
    ]
    refused = append(centre.lake, LABELS, "csv-late", rows)
    late = {recording_id for annotator, recording_id in stored(centre) if annotator == "late"}
    assert {row["recording_id"] for row in refused} == kowalski
    assert late == {centre.ids["id-n1"], centre.ids["id-n2"]}
