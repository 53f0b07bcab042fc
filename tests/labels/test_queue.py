from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import soundfile

from ser_batch.config import Settings
from ser_batch.labels.callers import is_held_out
from ser_batch.labels.files import forget_recordings
from ser_batch.labels.queue import import_labels, label_status, queue_labels
from ser_batch.labels.segment_name import parse_segment_name
from ser_batch.labels.selection import RANDOM
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS, LABEL_QUEUE, LABELS
from ser_batch.testing.callers import N_SEGMENTS, put_callers
from ser_batch.testing.lakes import MODEL_ID, put_call
from ser_batch.testing.rows import prediction


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path / "root")


def write_csv(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["segment", "emotion", "annotator", "made_at"], restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_queue_has_a_sound_and_a_task_for_every_segment(root: Root):
    put_callers(root, with_audio=True)
    result = queue_labels(root, Settings(), MODEL_ID, 10)

    queued = Lake(root.lake).read(LABEL_QUEUE).to_pylist()
    names = {f"{row['recording_id']}.{row['channel']}.{row['segment_no']}" for row in queued}
    tasks = json.loads((result.folder / "tasks.json").read_text(encoding="utf-8"))
    assert result.n_queued == len(queued) == 10
    assert {task["data"]["segment"] for task in tasks} == names
    for task in tasks:
        relative = task["data"]["audio"].removeprefix("/data/local-files/?d=")
        sound = soundfile.info(root.path / relative)
        assert (sound.channels, sound.samplerate) == (1, 8000)
        assert 2.5 <= sound.duration <= 3.0
    with (result.folder / "queue.csv").open(encoding="utf-8", newline="") as file:
        assert {row["segment"] for row in csv.DictReader(file)} == names


def test_a_queue_table_hides_formulas_and_is_read_back(root: Root, tmp_path: Path):
    put_callers(root, with_audio=True, n_callers=2, queue="=cmd()")
    result = queue_labels(root, Settings(labels={"random_share": 0}), MODEL_ID, 2)
    table = result.folder / "queue.csv"
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["queue"] for row in rows} == {"'=cmd()"}
    named = {"emotion": "anger", "annotator": "'@ann"}
    file = write_csv(tmp_path / "one.csv", *({"segment": row["segment"], **named} for row in rows))
    assert import_labels(root, Settings(), file).n_taken == 2
    assert set(Lake(root.lake).read(LABELS)["annotator"].to_pylist()) == {"@ann"}


@pytest.mark.parametrize("separator", [",", ";"])
def test_an_erased_call_leaves_the_queue_table_and_the_other_cells_stay(root: Root, separator):
    put_callers(root, with_audio=True, n_callers=2, queue="=cmd()")
    result = queue_labels(root, Settings(labels={"random_share": 0}), MODEL_ID, 4)
    table = result.folder / "queue.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",", separator), encoding="utf-8")
    before = table.read_text(encoding="utf-8").splitlines()
    gone = before[1].partition(".")[0]
    forget_recordings(root, {gone})
    kept = [line for line in before if not line.startswith(gone)]
    assert table.read_text(encoding="utf-8").splitlines() == kept
    assert len(kept) < len(before)


def test_a_snippet_holds_only_the_segments_own_channel(root: Root):
    put_callers(root, with_audio=True, n_callers=2)
    result = queue_labels(root, Settings(labels={"random_share": 0}), MODEL_ID, 1)
    (row,) = Lake(root.lake).read(LABEL_QUEUE).to_pylist()
    (snippet,) = (result.folder / "snippets").glob("*.wav")
    whole, _ = soundfile.read(root.path / "audio" / f"{row['recording_id']}.wav")
    played, _ = soundfile.read(snippet)
    first = max(0, int((row["start_s"] - 0.15) * 8000))
    assert played == pytest.approx(whole[first : first + len(played), 1], abs=1e-4)


def test_chance_draws_from_callers_that_models_never_learn_from_and_tells_no_suggestion(
    root: Root,
):
    put_callers(root, n_callers=40, with_audio=True)
    result = queue_labels(root, Settings(), MODEL_ID, 40)
    lake = Lake(root.lake)
    customers = {row["recording_id"]: row["customer"] for row in lake.read(CALLS).to_pylist()}
    queued = lake.read(LABEL_QUEUE).to_pylist()
    for row in queued:
        caller = f"customer:{customers[row['recording_id']]}"
        by_chance = row["reason"] == RANDOM
        assert is_held_out(caller, 0.3) == by_chance
        assert (row["suggested"] is None) or not by_chance
    assert result.reasons[RANDOM] == 12
    assert any(row["suggested"] for row in queued)


def test_a_second_queue_asks_about_other_segments_until_there_are_no_more(root: Root):
    put_callers(root, with_audio=True)
    asked = []
    for _ in range(5):
        queue_labels(root, Settings(), MODEL_ID, 15)
        asked.append(Lake(root.lake).read(LABEL_QUEUE).num_rows)
    assert asked == sorted(asked)
    assert asked[0] <= 15 < asked[-1] <= 12 * N_SEGMENTS
    assert queue_labels(root, Settings(), MODEL_ID, 15).batch_id is None


def test_nobody_who_objected_is_asked_about(root: Root):
    put_callers(root, with_audio=True, objected=True)
    assert queue_labels(root, Settings(), MODEL_ID, 10).n_queued == 0


def test_recordings_that_are_gone_are_left_out_and_counted(root: Root):
    put_callers(root, n_callers=4)
    result = queue_labels(root, Settings(), MODEL_ID, 4)
    assert (result.n_queued, result.n_without_audio > 0) == (0, True)
    assert Lake(root.lake).read(LABEL_QUEUE).num_rows == 0


def test_rows_are_refused_one_by_one_with_reasons_and_the_rest_is_taken(root: Root, tmp_path: Path):
    put_callers(root, n_callers=2)
    put_call(Lake(root.lake), prediction(channel=1), recording_id="silent", objected=True)
    file = write_csv(
        tmp_path / "labels.csv",
        {"segment": "r0000.1.0", "emotion": "anger", "annotator": "ann"},
        {"segment": "r0000.1.1", "emotion": "Angry", "annotator": "ann"},
        {"segment": "r0000.1.99", "emotion": "anger", "annotator": "ann"},
        {"segment": "nonsense", "emotion": "anger", "annotator": "ann"},
        {"segment": "silent.1.0", "emotion": "anger", "annotator": "ann"},
        {"segment": "r0000.1.2", "emotion": "anger"},
        {"segment": "r0000.1.3", "emotion": "calm", "annotator": "ann", "made_at": "yesterday"},
        {"segment": "r0000.1.3", "emotion": "", "annotator": "ann"},
        {"segment": "r0001.1.0", "emotion": "cannot_tell", "annotator": "ann"},
    )
    result = import_labels(root, Settings(), file)

    assert (result.n_taken, result.n_empty) == (2, 1)
    reasons = {refusal.row: refusal.reason for refusal in result.refused}
    assert reasons.keys() == {2, 3, 4, 5, 6, 7}
    assert "did you mean 'anger'" in reasons[2]
    assert "no such segment" in reasons[3]
    assert "no segment's name" in reasons[4]
    assert "objected" in reasons[5]
    assert "annotator" in reasons[6]
    assert "ISO 8601" in reasons[7]


def test_the_same_file_twice_adds_nothing_and_a_larger_export_adds_what_is_new(
    root: Root, tmp_path: Path
):
    put_callers(root, n_callers=2)
    rows = [
        {"segment": f"r0000.1.{i}", "emotion": "anger", "annotator": "ann", "made_at": "2026-11-04"}
        for i in range(3)
    ]
    first = write_csv(tmp_path / "one.csv", *rows[:2])
    assert import_labels(root, Settings(), first).n_taken == 2
    again = import_labels(root, Settings(), first)
    assert (again.n_taken, again.n_known) == (0, 2)
    more = import_labels(root, Settings(), write_csv(tmp_path / "two.csv", *rows))
    assert (more.n_taken, more.n_known) == (1, 2)
    assert Lake(root.lake).read(LABELS).num_rows == 3


def test_times_with_a_zone_are_kept_in_utc(root: Root, tmp_path: Path):
    put_callers(root, n_callers=1)
    row = {"segment": "r0000.1.0", "emotion": "calm", "annotator": "ann"}
    file = write_csv(tmp_path / "one.csv", {**row, "made_at": "2026-11-04T10:00:00+02:00"})
    import_labels(root, Settings(), file)
    (label,) = Lake(root.lake).read(LABELS).to_pylist()
    assert label["made_at"].isoformat() == "2026-11-04T08:00:00"


def test_a_segments_name_is_read_as_it_was_written():
    assert parse_segment_name("ab12.1.7") == ("ab12", 1, 7)
    assert parse_segment_name("../../etc.1.7") is None


def test_the_status_counts_what_can_be_learnt_from_and_measured_by(root: Root, tmp_path: Path):
    truth = put_callers(root, n_callers=30, with_audio=True)
    queue_labels(root, Settings(), MODEL_ID, 20)
    lake = Lake(root.lake)
    queued = lake.read(LABEL_QUEUE).to_pylist()
    answers = [
        {
            "segment": f"{row['recording_id']}.1.{row['segment_no']}",
            "emotion": truth[row["recording_id"], 1, row["segment_no"]],
            "annotator": name,
        }
        for row in queued
        for name in ("ann", "bob")
    ]
    import_labels(root, Settings(), write_csv(tmp_path / "labels.csv", *answers))
    status = label_status(root, Settings())
    assert (status.n_queued, status.n_answered, status.agreement.alpha) == (20, 20, 1.0)
    n_random = sum(row["reason"] == RANDOM for row in queued)
    counts = status.emotions.values()
    assert sum(each["measure"] for each in counts) == n_random
    assert sum(each["learn"] for each in counts) == 20 - n_random
