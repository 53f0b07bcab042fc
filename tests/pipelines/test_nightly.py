from __future__ import annotations

import csv
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from ser_batch import warehouse
from ser_batch.config import Settings
from ser_batch.errors import AudioFolderError, BadShareError, LockedError, MetadataError
from ser_batch.features.sets import get_feature_set
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.store.lake import Lake
from ser_batch.store.lock import only_run
from ser_batch.store.paths import Root
from ser_batch.tables import (
    CALLS,
    PREDICTIONS,
    QUARANTINE,
    RECORDINGS,
    RUNS,
    SEGMENTS,
    TableContract,
    features_contract,
    predictions_contract,
)
from tests.conftest import N_CALLS
from tests.monitoring.webhooks import webhook_server
from tests.pipelines.conftest import Run, rows
from tests.stages.smtp import mail_server

N_BAD = 6

pytestmark = pytest.mark.xdist_group("prefect")  # one server for all flows


def features() -> TableContract:
    feature_set = get_feature_set(Settings().features.set)
    return features_contract(feature_set.name, feature_set.names)


def ask(summary: dict[str, Any], sql: str) -> list[tuple[Any, ...]]:
    with warehouse.connect(Path(summary["warehouse"])) as con:
        return con.execute(sql).fetchall()


def first_call(audio: Path) -> str:
    return sorted(path.relative_to(audio).as_posix() for path in audio.rglob("*.wav"))[0]


def write_metadata(path: Path, *lines: dict[str, str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, sorted({name for line in lines for name in line}))
        writer.writeheader()
        writer.writerows(lines)
    return path


def part_times(lake: Lake, contract: TableContract) -> list[int]:
    return [lake.path(contract, part).stat().st_mtime_ns for part in lake.parts(contract)]


def modes(root: Path) -> dict[str, frozenset[int]]:
    """The permissions under a root by a file's ending; those of folders under no ending."""
    found: dict[str, set[int]] = {}
    for path in (root, *root.rglob("*")):
        suffix = "" if path.is_dir() else path.suffix or path.name
        found.setdefault(suffix, set()).add(stat.S_IMODE(path.stat().st_mode))
    return {suffix: frozenset(each) for suffix, each in found.items()}


def test_customers_are_scored_and_agents_carry_no_emotion(
    run_flow: Run, audio: Path, demo_calls: DemoCalls, lake: Lake
) -> None:
    summary = run_flow(audio, demo_calls.metadata_path)

    assert summary["status"] == "clean"
    assert summary["counts"]["calls_analysed"] == demo_calls.n_calls
    assert Path(summary["report"]).is_file()
    segments = rows(lake, SEGMENTS)
    assert {row["channel"] for row in segments} == {0, 1}
    scored = rows(lake, predictions_contract(summary["model_id"]))
    assert scored
    assert {row["channel"] for row in scored} == {1}
    assert {row["channel"] for row in rows(lake, features())} == {1}
    dissatisfied = "select count(*) from call_summary where dissatisfaction is not null"
    assert ask(summary, dissatisfied)[0][0] > 0


def test_the_same_night_twice_computes_nothing(
    run_flow: Run, audio: Path, demo_calls: DemoCalls, lake: Lake
) -> None:
    summary = run_flow(audio, demo_calls.metadata_path)
    root = Path(summary["warehouse"]).parents[1]
    assert {modes(root)[suffix] for suffix in ("", ".parquet", ".duckdb", ".html")} == {
        frozenset({0o700}),
        frozenset({0o600}),
    }
    made = {path: path.stat().st_mtime_ns for path in lake.folder.rglob("*.parquet")}

    again = run_flow(audio, demo_calls.metadata_path)

    assert again["counts"]["files_new"] == 0
    assert not again["counts"].get("calls_analysed")
    assert not again["published"]
    now = {path: path.stat().st_mtime_ns for path in lake.folder.rglob("*.parquet")}
    added = now.keys() - made.keys()
    assert {path.parent.name for path in added} == {"runs"}
    assert all(now[path] == made[path] for path in made)


def test_the_record_says_what_a_run_did_and_with_what(
    run: Run, audio: Path, demo_calls: DemoCalls, lake: Lake
) -> None:
    summary = run(audio, demo_calls.metadata_path)
    (record,) = rows(lake, RUNS)

    assert record["status"] == "clean"
    assert dict(record["counts"])["calls_analysed"] == demo_calls.n_calls
    assert record["audio_s"] == pytest.approx(demo_calls.duration_s, abs=1)
    assert {"ingest", "analyse", "score", "publish", "report"} <= dict(record["stage_s"]).keys()
    assert record["model_id"] == summary["model_id"]
    published = ask(summary, "select status, finished_at, audio_s, map_keys(stage_s) from runs")
    assert published == [
        (
            record["status"],
            record["finished_at"],
            pytest.approx(record["audio_s"], abs=1e-5),
            [name for name, _ in record["stage_s"]],
        )
    ]
    assert record["feature_set"].startswith(f"{Settings().features.set}@")


def test_a_changed_decision_rescores_and_cuts_no_segment_again(
    run: Run, audio: Path, lake: Lake
) -> None:
    first = run(audio)
    segments = part_times(lake, SEGMENTS)

    second = run(audio, model__min_emotion_confidence=0.99)

    assert second["counts"]["segments_scored"] == first["counts"]["segments_scored"]
    assert not second["counts"].get("calls_analysed")
    assert part_times(lake, SEGMENTS) == segments
    scored = rows(lake, predictions_contract(second["model_id"]))
    unsure = [row for row in scored if row["confidence"] < 0.99]
    assert unsure
    assert {row["emotion"] for row in unsure} == {"uncertain"}


def test_changed_segments_are_cut_and_scored_again(run: Run, audio: Path, lake: Lake) -> None:
    run(audio)
    before = rows(lake, SEGMENTS)

    second = run(audio, segments__max_segment_s=3)

    after = rows(lake, SEGMENTS)
    assert second["counts"]["calls_analysed"] == len(rows(lake, CALLS))
    assert len(after) > len(before)
    assert max(row["end_s"] - row["start_s"] for row in after) <= 3.001
    keys = {tuple(row[name] for name in PREDICTIONS.key) for row in after if row["channel"] == 1}
    scored = rows(lake, predictions_contract(second["model_id"]))
    assert {tuple(row[name] for name in PREDICTIONS.key) for row in scored} == keys


@pytest.mark.slow
def test_what_is_known_of_deleted_audio_outlives_changed_settings(
    run: Run, audio: Path, lake: Lake
) -> None:
    run(audio)
    before = rows(lake, SEGMENTS)
    shutil.rmtree(audio)
    audio.mkdir()

    with pytest.raises(AudioFolderError, match="earlier nights found"):
        run(audio, segments__max_segment_s=3)
    second = run(audio, segments__max_segment_s=3, ingest__may_be_empty="true")

    assert rows(lake, SEGMENTS) == before
    assert second["status"] == "clean"
    assert {row["code"] for row in rows(lake, QUARANTINE)} == {"kept_earlier"}


def test_metadata_that_comes_a_day_late_joins(run: Run, audio: Path, tmp_path: Path) -> None:
    name = first_call(audio)
    late = {
        "file": name,
        "queue": 'Billing, "VIP"',
        "started_at": "2026-03-02T09:30:00",
        "mood": "é",
    }
    before = run(audio)
    assert ask(before, "select distinct queue from call_summary") == [(None,)]

    after = run(audio, write_metadata(tmp_path / "late.csv", late))

    assert not after["counts"].get("calls_analysed")
    columns = "queue, call_date::varchar, hour, attributes"
    sql = f"select {columns} from call_summary where path = '{name}'"
    assert ask(after, sql) == [('Billing, "VIP"', "2026-03-02", 9, {"mood": "é"})]


def test_a_late_objection_takes_features_and_scores_away(
    run: Run, audio: Path, tmp_path: Path, lake: Lake
) -> None:
    first = run(audio)
    name = first_call(audio)
    (recording_id,) = (row["recording_id"] for row in rows(lake, CALLS) if row["path"] == name)

    second = run(audio, write_metadata(tmp_path / "m.csv", {"file": name, "objected": "yes"}))

    assert not second["counts"].get("calls_analysed"), "nothing is computed to forget something"
    for contract in (features(), predictions_contract(first["model_id"])):
        assert recording_id not in {row["recording_id"] for row in rows(lake, contract)}
    sql = f"select dissatisfaction, not_scored_reason from call_summary where path = '{name}'"
    assert ask(second, sql) == [(None, "objected")]


def test_a_role_from_late_metadata_has_the_channel_described(
    run: Run, audio: Path, tmp_path: Path, lake: Lake
) -> None:
    name = first_call(audio)
    first = run(audio)
    swapped = write_metadata(tmp_path / "m.csv", {"file": name, "customer_channel": "0"})

    second = run(audio, swapped)

    assert second["counts"]["calls_analysed"] == 1
    (recording_id,) = (row["recording_id"] for row in rows(lake, CALLS) if row["path"] == name)
    scored = rows(lake, predictions_contract(first["model_id"]))
    assert {row["channel"] for row in scored if row["recording_id"] == recording_id} == {0}


def test_silence_about_notice_counts_as_no_where_notice_is_required(
    run: Run, audio: Path, tmp_path: Path
) -> None:
    metadata = write_metadata(
        tmp_path / "m.csv", {"file": first_call(audio), "notice_given": "true"}
    )

    summary = run(audio, metadata, policy__notice_required=True)

    assert ask(summary, "select count(*) from call_summary where dissatisfaction is not null") == [
        (1,)
    ]
    (reason,) = summary["not_scored"]
    assert reason["reason"] == "notice_not_stated"
    assert reason["count_calls"] == N_CALLS - 1
    assert "policy.notice_required" in reason["remedy"]


@pytest.mark.slow
def test_a_replaced_recording_takes_the_place_of_the_old_one(
    run: Run, audio: Path, lake: Lake
) -> None:
    names = sorted(audio.rglob("*.wav"))
    run(audio)
    shutil.copyfile(names[0], names[1])

    summary = run(audio)

    assert len(rows(lake, CALLS)) == len(names) - 1
    assert ask(summary, "select count(*) from call_summary") == [(len(names) - 1,)]
    assert [row["code"] for row in rows(lake, QUARANTINE)] == ["duplicate_audio"]


def test_an_objection_under_any_path_of_the_same_audio_counts(
    run: Run, audio: Path, tmp_path: Path
) -> None:
    shutil.copyfile(audio / first_call(audio), audio / "second.wav")
    metadata = write_metadata(tmp_path / "m.csv", {"file": "second.wav", "objected": "yes"})

    summary = run(audio, metadata)

    reasons = "select count(*) from call_summary where not_scored_reason = 'objected'"
    assert ask(summary, reasons) == [(1,)]


def test_a_repaired_file_leaves_quarantine(run: Run, audio: Path, lake: Lake) -> None:
    call = audio / first_call(audio)
    sound = call.read_bytes()
    call.write_text("no audio")
    first = run(audio)
    assert first["status"] == "partial"
    assert first["rejected"] == {"not_audio": 1}

    call.write_bytes(sound)
    summary = run(audio)

    assert summary["status"] == "clean"
    assert rows(lake, QUARANTINE) == []


@pytest.mark.slow
def test_a_touched_file_is_no_new_recording(run: Run, audio: Path, lake: Lake) -> None:
    run(audio)
    before = rows(lake, RECORDINGS)
    os.utime(sorted(audio.rglob("*.wav"))[0], (1_700_000_000, 1_700_000_000))

    for _ in range(2):
        summary = run(audio)
        assert not summary["counts"].get("calls_analysed")
        assert rows(lake, RECORDINGS) == before
    assert summary["counts"]["files_new"] == 0


def test_a_second_run_on_the_same_root_stops_at_once(run: Run, audio: Path, tmp_path: Path) -> None:
    root = Root(tmp_path / "root")
    with only_run(root), pytest.raises(LockedError, match=f"process {os.getpid()}"):
        run(audio)


def test_too_many_bad_files_stop_the_night_before_it_publishes(
    run_flow: Run, audio: Path, tmp_path: Path, lake: Lake
) -> None:
    for number in range(N_BAD):
        (audio / f"bad{number}.wav").write_text(f"no audio {number}")
    for _ in range(2):  # running it again does not wear the limit down
        with pytest.raises(BadShareError, match=f"{N_BAD} of {N_CALLS + N_BAD} new files"):
            run_flow(audio)
        assert not Root(tmp_path / "root").warehouse.exists()
    assert {row["status"] for row in rows(lake, RUNS)} == {"failed"}

    summary = run_flow(audio, ingest__max_bad_share=0.6)

    assert summary["status"] == "partial", "nothing was published without them before"
    assert ask(summary, "select count(*) from call_summary") == [(N_CALLS,)]


def test_a_metadata_file_that_cannot_be_read_stops_the_night(
    run: Run, audio: Path, tmp_path: Path
) -> None:
    with pytest.raises(MetadataError, match=r"none\.csv"):
        run(audio, tmp_path / "none.csv")


def test_alerts_and_the_weekly_digest_are_sent_and_fail_no_night(
    run_flow: Run, audio: Path, tmp_path: Path
) -> None:
    for call in sorted(audio.rglob("*.wav"))[2:]:
        call.unlink()
    (audio / "broken.wav").write_bytes(b"RIFF nothing")
    with webhook_server() as hook, mail_server() as mail:
        hook.answers = [0]
        summary = run_flow(
            audio,
            alerts__webhook=hook.url,
            alerts__timeout_s=0.5,
            alerts__retries=0,
            digest__weekday="monday",
            digest__host="127.0.0.1",
            digest__port=mail.port,
            digest__starttls="false",
            digest__sender="calls@example.com",
            digest__to='["lead@example.com"]',
        )
        assert summary["digest"] == {"sent": 1, "problems": []}
        assert mail.recipients == [["lead@example.com"]]
        assert mail.messages[0]["Subject"].startswith("Calls of ")
        assert summary["status"] == "partial"
        assert summary["alerts"] == {"sent": 0, "problems": ["webhook 127.0.0.1: timed out"]}
        hook.answers = [200]
        with pytest.raises(AudioFolderError):
            run_flow(tmp_path / "nowhere", alerts__webhook=hook.url)
        kinds = [alert["kind"] for alert in hook.received]
        assert kinds == ["partial", "failed"]
        assert hook.received[0]["run_id"] == summary["run_id"]
        assert "1 file rejected" in hook.received[0]["text"]
