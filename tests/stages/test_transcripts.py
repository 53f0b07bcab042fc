"""Words are kept of customers that may be scored, redacted, and only if the policy says so."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pydantic import ValidationError

from ser_batch.config import Settings
from ser_batch.ingest.metadata_import import import_metadata
from ser_batch.stages.retention import keep_retention
from ser_batch.stages.transcripts import TranscriptsResult, keep_transcripts
from ser_batch.store.encrypt import encrypt
from ser_batch.store.lake import Lake
from ser_batch.store.paths import Root
from ser_batch.store.sealed import is_sealed
from ser_batch.tables import CALLS, METADATA, QUARANTINE, TRANSCRIPTS
from ser_batch.testing.lakes import TODAY, call_rows, put_call, put_rows
from ser_batch.testing.rows import prediction, segment

NOW = dt.datetime(2026, 11, 4, 2)
EXAMPLES = Path(__file__).parents[1] / "transcripts" / "examples"
SEGMENTS = [
    segment(channel=0, segment_no=0, start_s=0.4, end_s=2.6),
    segment(channel=0, segment_no=1, start_s=7.9, end_s=10.1),
    segment(channel=1, segment_no=0, start_s=2.9, end_s=7.4),
    segment(channel=1, segment_no=1, start_s=10.4, end_s=12.2),
]
FIRST = "My bill is wrong again mail [email] or call [number]"
LAST = "This is a disgrace"


def settings(**rules: object) -> Settings:
    return Settings(policy={"transcripts": True}, transcripts=rules, ingest={"min_age_s": 0})


class Centre:
    """One call of a customer with two segments, and an audio folder."""

    def __init__(self, folder: Path) -> None:
        self.root, self.audio = Root(folder / "root"), folder / "audio"
        self.lake = Lake(self.root.lake)
        self.audio.mkdir()
        self.put()

    def put(self, **of_call: object) -> None:
        own = [{**row, "recording_id": "r1"} for row in SEGMENTS]
        put_call(
            self.lake,
            *(prediction(segment_no=number) for number in (0, 1)),
            segments=own,
            path="r1.wav",
            audio_root=str(self.audio),
            **of_call,
        )

    def sidecar(self, example: str, name: str) -> Path:
        target = self.audio / name
        target.write_bytes((EXAMPLES / example).read_bytes())
        os.utime(target, ns=(time.time_ns(),) * 2)
        return target

    def night(self, *metadata: Path, **rules: object) -> TranscriptsResult:
        now = dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(seconds=5)
        return keep_transcripts(self.root, self.lake.parts(CALLS), metadata, settings(**rules), now)

    def words(self) -> dict[int, str]:
        rows = self.lake.read(TRANSCRIPTS).to_pylist()
        assert {row["channel"] for row in rows} <= {1}, "never the agent's"
        return {row["segment_no"]: row["text"] for row in rows}

    def issues(self) -> list[tuple[str, str]]:
        return [(row["path"], row["code"]) for row in self.lake.read(QUARANTINE).to_pylist()]


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    return Centre(tmp_path)


@pytest.mark.parametrize(
    ("example", "name"),
    [("deepgram.json", "r1.json"), ("voices.vtt", "r1.vtt"), ("names.srt", "r1.wav.srt")],
)
def test_a_file_beside_the_recording_gives_redacted_words_by_segment(
    centre: Centre, example: str, name: str
) -> None:
    centre.sidecar(example, name)
    assert centre.night() == TranscriptsResult(n_read=1, n_bad=0)
    assert centre.words() == {0: FIRST, 1: LAST}
    assert centre.night() == TranscriptsResult(n_read=0, n_bad=0)


def test_a_later_transcript_takes_the_place_of_the_earlier_and_a_lost_one_leaves_its_words(
    centre: Centre,
) -> None:
    assert centre.night() == TranscriptsResult(0, 0)
    file = centre.sidecar("deepgram.json", "r1.json")
    assert centre.night().n_read == 1
    file.unlink()
    assert centre.night().n_read == 0
    assert centre.words() == {0: FIRST, 1: LAST}
    document = {"segments": [{"text": "other words", "start": 3, "end": 4, "speaker": "customer"}]}
    file.write_text(json.dumps(document))
    assert centre.night().n_read == 1
    assert centre.words() == {0: "other words", 1: ""}


def test_words_go_with_a_late_objection_and_with_the_policy(centre: Centre) -> None:
    centre.sidecar("deepgram.json", "r1.json")
    centre.night()
    centre.put(objected=True)
    centre.night()
    assert centre.words() == {}

    centre.put()
    centre.night()
    assert centre.words() == {0: FIRST, 1: LAST}
    gone = keep_retention(centre.root, Settings(), "test-model", NOW)
    assert gone == {"retention_transcripts": 1}
    text = "".join(
        path.read_bytes().decode("latin-1")
        for path in centre.root.path.rglob("*")
        if path.is_file()
    )
    assert "disgrace" not in text
    assert not (centre.root.lake / "transcripts").exists()


def test_words_are_encrypted_with_the_lake(centre: Centre) -> None:
    encrypt(centre.root, Settings(encryption={"key": "sixteen letters at least"}).encryption)
    centre.sidecar("deepgram.json", "r1.json")
    centre.night()
    assert centre.words() == {0: FIRST, 1: LAST}
    [part] = (centre.root.lake / TRANSCRIPTS.name).rglob("*.parquet")
    assert is_sealed(part)


def test_words_of_closed_days_are_deleted(centre: Centre) -> None:
    centre.sidecar("deepgram.json", "r1.json")
    centre.night()
    kept = Settings(policy={"transcripts": True}, retention={"features_days": 1})
    later = dt.datetime.combine(TODAY, dt.time(2)) + dt.timedelta(3)
    assert keep_retention(centre.root, kept, "test-model", later)["retention_transcripts"] == 1
    assert centre.words() == {}


def test_a_column_of_the_metadata_is_read_and_never_kept_with_the_line(
    centre: Centre, tmp_path: Path
) -> None:
    export = tmp_path / "calls.csv"
    with export.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "Spoken text", "product"])
        writer.writerow(["r1.wav", (EXAMPLES / "voices.vtt").read_text(), "fibre"])
    columns = Settings(ingest={"columns": {"transcript": "Spoken text"}, "min_age_s": 0})
    assert import_metadata(centre.lake, [export], columns, NOW).n_lines == 1
    (line,) = centre.lake.read(METADATA).to_pylist()
    assert dict(line["fields"]) == {"file": "r1.wav", "product": "fibre"}

    allowed = columns.model_copy(update={"policy": settings().policy})
    parts = centre.lake.parts(CALLS)
    assert keep_transcripts(centre.root, parts, [export], allowed, NOW).n_read == 1
    assert keep_transcripts(centre.root, parts, [], allowed, NOW).n_read == 0
    assert centre.words() == {0: FIRST, 1: LAST}


def test_what_cannot_be_used_is_named_with_its_cause_and_the_call_has_no_words(
    centre: Centre,
) -> None:
    file = centre.sidecar("deepgram.json", "r1.json")
    file.write_text("{")
    assert centre.night() == TranscriptsResult(n_read=0, n_bad=1)
    assert centre.issues() == [("r1.wav", "bad_transcript")]
    file.write_text('{"segments": [{"text": "who?", "start": 3, "end": 4}]}')
    centre.night()
    assert centre.issues() == [("r1.wav", "unmatched_speakers")]
    centre.night(max_mb=0.00001)
    assert centre.issues() == [("r1.wav", "large_transcript")]
    assert centre.words() == {}
    file.unlink()
    centre.night()
    assert centre.issues() == []


def test_each_sides_own_file_has_its_own_transcript(tmp_path: Path) -> None:
    root, audio = Root(tmp_path / "root"), tmp_path / "audio"
    audio.mkdir()
    sides = [
        {"recording_id": f"s{n}", "audio_root": str(audio), "path": f"{n}.wav", "start_s": start_s}
        for n, start_s in ((0, 0.0), (1, 2.0))
    ]
    rows = call_rows(prediction(), segments=SEGMENTS, sides=sides, audio_root=str(audio))
    put_rows(Lake(root.lake), rows)
    for name, text in (("0", "sorry"), ("1", "terrible")):
        cue = f"00:01.500 --> 00:02.500\n{text}\n"
        (audio / f"{name}.vtt").write_text(f"WEBVTT\n\n{cue}")
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(seconds=5)
    keep_transcripts(root, Lake(root.lake).parts(CALLS), [], settings(), now)
    found = Lake(root.lake).read(TRANSCRIPTS).to_pylist()
    assert [(r["segment_no"], r["text"]) for r in found] == [(0, "terrible"), (1, "")]


RECOGNISER = """
import json, sys, soundfile
samples, rate = soundfile.read(sys.argv[1])
seconds = [samples[at : at + rate] for at in range(0, len(samples), rate)]
said = " ".join("second" for each in seconds if abs(each).max() > 0)
print(json.dumps({"segments": [{"start": 3.2, "end": 3.9, "text": said}]}))
"""


def test_a_recogniser_of_ones_own_is_given_the_customers_speech_and_nothing_else(
    centre: Centre, tmp_path: Path
) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, (13 * 8000, 2))
    soundfile.write(centre.audio / "r1.wav", noise, 8000)
    program = tmp_path / "asr.py"
    program.write_text(RECOGNISER)
    command = [sys.executable, str(program), "{audio}"]
    assert centre.night(command=command) == TranscriptsResult(n_read=1, n_bad=0)
    # of 13 seconds those that hold a part of the customer's segments: 2 to 7 and 10 to 12
    assert centre.words() == {0: " ".join(["second"] * 9), 1: ""}
    assert centre.night(command=[*command, "another"]).n_read == 0, "the call has words"


def test_a_recogniser_that_fails_is_named_and_asked_again(centre: Centre, tmp_path: Path) -> None:
    soundfile.write(centre.audio / "r1.wav", np.zeros((8000, 2)), 8000)
    for program, cause in (
        (["sh", "-c", "sleep 60 # {audio}"], "took more than 0.2 s"),
        (["false", "{audio}"], "ended with code 1"),
        (["true", "{audio}"], "printed and wrote no transcript"),
        (["no-such-program", "{audio}"], "cannot be run"),
    ):
        assert centre.night(command=program, command_limit_s=0.2).n_bad == 1
        assert centre.night(command=program, command_limit_s=0.2).n_bad == 1
        (issue,) = centre.lake.read(QUARANTINE).to_pylist()
        assert cause in issue["message"]
    writes = ["sh", "-c", f"cp {EXAMPLES / 'whisperx.json'} {{folder}}/a.json # {{audio}}"]
    assert centre.night(command=writes).n_bad == 0


def test_a_command_that_is_given_no_audio_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"no argument holds \{audio\}"):
        settings(command=["whisper"])


def test_words_at_hand_are_redacted_again_by_new_rules(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = centre.sidecar("deepgram.json", "r1.json")
    centre.night()
    file.unlink()
    centre.put(customer="Disgrace")
    monkeypatch.setattr("ser_batch.stages.transcripts.RULES_VERSION", 99)
    centre.night()
    assert centre.words() == {0: FIRST, 1: "This is a [name]"}
