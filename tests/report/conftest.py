"""A month of calls, published and reported once for all tests of the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from ser_batch.config import Settings
from ser_batch.labels.review import Reviewed, Reviews
from ser_batch.stages.publish import publish
from ser_batch.stages.report import write_report
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import DRIFT, QUARANTINE
from ser_batch.testing.lakes import MODEL_ID, put, put_call, put_weeks
from ser_batch.testing.rows import bad_file, prediction
from tests.report.pages import DRIFTED, drift_row, put_nights

NASTY = "<script>document.title='owned'</script>"


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path)


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report's file."""
    root = Root(tmp_path_factory.mktemp("reported"))
    lake = Lake(root.lake)
    put_weeks(lake)
    put_call(
        lake,
        *(prediction(segment_no=number, anger=0.99, neutral=0.01) for number in range(9)),
        recording_id="nasty",
        call_id=NASTY,
        queue=NASTY,
        path=f"{NASTY}/=cmd().wav",
        attributes=[("synthetic", "true")],
    )
    nasty = Reviewed("nasty", None, None, (0.0, 90.0), "dissatisfied")
    for annotator in ("Bob", NASTY):
        Reviews(lake, "reviews").add(
            nasty, annotator=annotator, verdict="right", emotion=None, note=""
        )
    put(lake, QUARANTINE, bad_file(), bad_file("slow.wav", severity="warning", message=NASTY))
    put_nights(lake, *["old-model"] * 3, *[MODEL_ID] * 10)
    moved = (
        drift_row("loudness", **DRIFTED),
        drift_row("rhythm", **{**DRIFTED, "status": "warning"}),
    )
    put(lake, DRIFT, drift_row(), *moved, name=MODEL_ID)
    publish(root, Settings(), MODEL_ID)
    return write_report(root, Settings(), "20261103T020000Z")
