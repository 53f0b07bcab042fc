from __future__ import annotations

import datetime as dt

from ser_batch.ingest.late_rows import append, drop_erased
from ser_batch.ingest.tombstones import put_tombstones, recording_stone
from ser_batch.labels.history import CANNOT_TELL, label_row, newest, soft_labels
from ser_batch.store.lake import Lake
from ser_batch.tables import LABELS
from ser_batch.testing.rows import MIDDAY


def said(emotion: str | None, *, by: str = "ann", minute: int = 0, segment_no: int = 0):
    return label_row(
        ("r1", 1, segment_no),
        (0.0, 3.0),
        annotator=by,
        emotion=emotion,
        made_at=MIDDAY + dt.timedelta(minutes=minute),
        source="csv",
        imported_at=MIDDAY,
    )


def test_the_newest_decision_counts_and_the_earlier_one_stays(tmp_path):
    lake = Lake(tmp_path)
    append(lake, LABELS, "monday", [said("anger", minute=0)])
    append(lake, LABELS, "tuesday", [said("neutral", minute=5)])
    assert lake.read(LABELS).num_rows == 2
    assert [row["emotion"] for row in newest(lake.read(LABELS))] == ["neutral"]


def test_two_imports_of_a_file_at_once_store_it_once(tmp_path):
    lake = Lake(tmp_path)
    append(lake, LABELS, "file", [said("anger")])
    append(lake, LABELS, "file", [said("anger"), said("anger", segment_no=1)])
    assert lake.read(LABELS).num_rows == 2


def test_labels_of_an_erased_call_that_an_earlier_version_stored_are_dropped(tmp_path):
    lake = Lake(tmp_path)
    other = {**said("neutral"), "recording_id": "r2"}
    append(lake, LABELS, "monday", [said("anger"), other])
    append(lake, LABELS, "tuesday", [said("sadness", minute=5)])
    assert drop_erased(lake) == 0
    put_tombstones(lake, [recording_stone("r1")], MIDDAY)
    assert drop_erased(lake) == 2
    assert lake.read(LABELS)["recording_id"].to_pylist() == ["r2"]


def test_a_late_import_of_an_earlier_decision_changes_nothing():
    table = LABELS.from_rows([said("neutral", minute=5), said("anger", minute=0)])
    assert [row["emotion"] for row in newest(table)] == ["neutral"]


def test_what_was_taken_back_is_no_label():
    table = LABELS.from_rows([said("anger"), said(None, minute=1)])
    assert newest(table) == []


def test_annotators_share_a_soft_label():
    table = LABELS.from_rows(
        [
            said("anger", by="ann"),
            said("anger", by="bob"),
            said("neutral", by="cem"),
            said(CANNOT_TELL, by="dee"),
            said(CANNOT_TELL, by="dee", segment_no=1),
        ]
    )
    label, nobody_can_tell = soft_labels(table).values()
    assert (nobody_can_tell.shares, nobody_can_tell.majority) == ({}, None)
    assert label.shares == {"anger": 2 / 3, "neutral": 1 / 3}
    assert (label.majority, label.n_annotators) == ("anger", 3)


def test_a_tie_has_no_majority():
    table = LABELS.from_rows([said("anger", by="ann"), said("calm", by="bob")])
    (label,) = soft_labels(table).values()
    assert label.majority is None
