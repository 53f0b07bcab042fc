"""Reviews are labels to learn from, and never change what models are measured by."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path

import pytest

from ser_batch.clock import simulated_clock
from ser_batch.config import Settings
from ser_batch.ingest.late_rows import append
from ser_batch.ingest.tombstones import put_tombstones, recording_stone
from ser_batch.labels.callers import caller_of, is_held_out
from ser_batch.labels.candidates import pick_segments
from ser_batch.labels.gather import usable_labels
from ser_batch.labels.history import CANNOT_TELL, label_row, newest
from ser_batch.labels.queue import open_session, queue_labels
from ser_batch.labels.review import NOTE, RIGHT, WRONG, Reviewed, Reviews
from ser_batch.labels.segment_name import SegmentKey
from ser_batch.labels.selection import RANDOM
from ser_batch.labels.session import AnswerError, ErasedError
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS, LABEL_QUEUE, LABELS, SEGMENTS
from ser_batch.testing.callers import put_callers
from ser_batch.testing.lakes import MODEL_ID
from ser_batch.testing.rows import MIDDAY

SETTINGS = Settings(labels={"random_share": 0.5, "held_out_share": 0.5})
SPAN = (0.0, 2.5)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    root = Root(tmp_path)
    put_callers(root, n_callers=12)
    return root


def segments(root: Root, *, held_out: bool) -> list[SegmentKey]:
    """Segments of callers that models are measured by, or learn from."""
    lake = Lake(root.lake)
    callers = {
        row["recording_id"]: caller_of(row["customer"], row["recording_id"])
        for row in lake.read(CALLS).to_pylist()
    }
    rows = lake.read(SEGMENTS).to_pylist()
    return [
        (row["recording_id"], row["channel"], row["segment_no"])
        for row in rows
        if is_held_out(callers[row["recording_id"]], 0.5) is held_out
    ]


def review(root: Root, key: SegmentKey, emotion: str, annotator: str = "ann") -> None:
    Reviews(Lake(root.lake), "review-1").add(
        Reviewed(*key, SPAN, "sadness"),
        annotator=annotator,
        verdict=WRONG,
        emotion=emotion,
        note="",
    )


def answer(root: Root, key: SegmentKey, emotion: str, annotator: str = "ann") -> None:
    """What an annotator says who does not see the prediction."""
    row = label_row(
        key,
        SPAN,
        annotator=annotator,
        emotion=emotion,
        made_at=MIDDAY,
        source="page",
        imported_at=MIDDAY,
    )
    append(Lake(root.lake), LABELS, f"page-{key}-{annotator}", [row])


def draw(root: Root, key: SegmentKey) -> None:
    """Queue a segment as drawn by chance."""
    row = {
        **dict(zip(("recording_id", "channel", "segment_no"), key, strict=True)),
        "start_s": SPAN[0],
        "end_s": SPAN[1],
        "batch_id": "b",
        "rank": 0,
        "reason": RANDOM,
        "model_id": MODEL_ID,
        "suggested": None,
        "queued_at": MIDDAY,
    }
    Lake(root.lake).write(LABEL_QUEUE, Part(None, f"b-{key}"), LABEL_QUEUE.from_rows([row]))


def uses(root: Root) -> dict[SegmentKey, tuple[str, dict[str, float]]]:
    found = usable_labels(Lake(root.lake), SETTINGS)
    return {label.key: (label.use, label.soft.shares) for label in found}


def test_models_learn_from_reviews_of_callers_that_they_learn_from(root):
    key = segments(root, held_out=False)[0]
    review(root, key, "anger")
    assert uses(root) == {key: ("learn", {"anger": 1.0})}


def test_a_review_never_enters_the_labels_that_models_are_measured_by(root):
    drawn, reviewed_only, priority = segments(root, held_out=True)[:3]
    for key in (drawn, reviewed_only):
        draw(root, key)
    answer(root, drawn, "neutral")
    for key in (drawn, reviewed_only, priority):
        review(root, key, "anger")
        review(root, key, "anger", annotator="bob")
    assert uses(root) == {
        drawn: ("measure", {"neutral": 1.0}),
        reviewed_only: ("neither", {"anger": 1.0}),
        priority: ("neither", {"anger": 1.0}),
    }


def test_a_review_takes_no_segment_out_of_what_chance_draws_from(root):
    everything = pick_segments(Lake(root.lake), SETTINGS, MODEL_ID, 1000, seed=1)
    before = everything.filter(everything["reason"] == RANDOM)
    held_out, learnt_from = segments(root, held_out=True), segments(root, held_out=False)
    for key in (*held_out[:5], *learnt_from[:5]):
        review(root, key, "anger")
    picked = pick_segments(Lake(root.lake), SETTINGS, MODEL_ID, 1000, seed=1)
    drawn = picked.filter(picked["reason"] == RANDOM)
    keys = ["recording_id", "channel", "segment_no"]
    assert set(drawn.select(keys).rows()) == set(before.select(keys).rows())
    assert set(held_out[:5]) <= set(drawn.select(keys).rows())
    assert not set(learnt_from[:5]) & set(picked.select(keys).rows())


def test_a_reviewed_segment_is_still_asked_about(tmp_path: Path):
    root = Root(tmp_path)
    put_callers(root, n_callers=4, with_audio=True)
    queue_labels(root, SETTINGS, MODEL_ID, 3)
    for row in Lake(root.lake).read(LABEL_QUEUE).to_pylist():
        review(root, (row["recording_id"], row["channel"], row["segment_no"]), "anger")
    session = open_session(root, SETTINGS)
    assert session.progress("ann") == (0, 3)


def test_everything_said_of_a_call_is_kept_and_the_newest_is_shown(root):
    key = segments(root, held_out=False)[0]
    reviews = Reviews(Lake(root.lake), "review-1")
    segment = Reviewed(*key, SPAN, "sadness")
    call = Reviewed(key[0], None, None, (0.0, 12.0), "dissatisfied")
    for reviewed, verdict, note in (
        (segment, CANNOT_TELL, ""),
        (segment, RIGHT, "at last"),
        (call, WRONG, "she laughs"),
        (call, NOTE, "first"),
        (call, NOTE, "second"),
    ):
        reviews.add(reviewed, annotator="ann", verdict=verdict, emotion=None, note=note)
    reviews.add(call, annotator="bob", verdict=RIGHT, emotion=None, note="")
    found = [(row["annotator"], row["verdict"], row["note"]) for row in reviews.of(key[0])]
    assert found == [
        ("ann", "right", "at last"),
        ("ann", "wrong", "she laughs"),
        ("ann", "note", "first"),
        ("ann", "note", "second"),
        ("bob", "right", None),
    ]
    assert Lake(root.lake).read(LABELS).num_rows == 6
    assert reviews.marks([key[0], "other"])[key[0]]["annotator"] == "bob"
    assert uses(root) == {key: ("learn", {"sadness": 1.0})}
    other = Reviews(Lake(root.lake), "review-2")
    other.add(call, annotator="eve", verdict=RIGHT, emotion=None, note="")
    assert reviews.marks([key[0]])[key[0]]["annotator"] == "eve"


@pytest.mark.parametrize(
    ("shown", "verdict", "emotion", "note"),
    [
        ("uncertain", "right", None, ""),
        ("anger", "wrong", None, ""),
        ("anger", "wrong", "furious", ""),
        ("anger", "nice", None, ""),
        ("anger", "note", None, "on a segment"),
        ("anger", "right", None, "x" * 2001),
    ],
)
def test_what_makes_no_sense_is_not_stored(root, shown, verdict, emotion, note):
    reviewed = Reviewed(*segments(root, held_out=False)[0], SPAN, shown)
    with pytest.raises(AnswerError):
        Reviews(Lake(root.lake), "review-1").add(
            reviewed, annotator="ann", verdict=verdict, emotion=emotion, note=note
        )
    assert not Lake(root.lake).read(LABELS).num_rows


@pytest.fixture
def clock_goes_back():
    """Each reading of the clock is a day before the last one."""
    days = itertools.count()
    with simulated_clock(lambda: MIDDAY - dt.timedelta(days=next(days))):
        yield


def test_the_last_review_counts_though_the_clock_goes_back(root, clock_goes_back):
    key = segments(root, held_out=False)[0]
    for emotion in ("anger", "boredom", "sadness"):
        review(root, key, emotion)
    assert uses(root) == {key: ("learn", {"sadness": 1.0})}


def test_the_last_answer_counts_though_the_clock_goes_back(tmp_path: Path, clock_goes_back):
    root = Root(tmp_path)
    put_callers(root, n_callers=4, with_audio=True)
    queue_labels(root, SETTINGS, MODEL_ID, 3)
    for emotion in ("anger", "sadness"):
        session = open_session(root, SETTINGS)
        session.undo("ann")
        session.answer("ann", session.ask("ann").name, emotion)
    assert [row["emotion"] for row in newest(Lake(root.lake).read(LABELS))] == ["sadness"]


def test_nothing_is_said_of_an_erased_call(root):
    key = segments(root, held_out=False)[0]
    put_tombstones(Lake(root.lake), [recording_stone(key[0])], MIDDAY)
    with pytest.raises(ErasedError):
        review(root, key, "anger")
    assert not Lake(root.lake).read(LABELS).num_rows
