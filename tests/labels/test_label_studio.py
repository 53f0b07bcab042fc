from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ser_batch.errors import LabelFileError
from ser_batch.labels.label_studio import labelling_config, task
from ser_batch.labels.raw_label import RawLabel
from ser_batch.labels.reading import read_label_file

EMOTIONS = ("anger", "neutral")

# the layout of Label Studio 1.x: `JSON`, `JSON_MIN` and `CSV` of its export dialog
FULL = [
    {
        "id": 11,
        "data": {"audio": "/data/local-files/?d=a.wav", "segment": "r1.1.0", "queue": "billing"},
        "annotations": [
            {
                "id": 101,
                "completed_by": 3,
                "was_cancelled": False,
                "ground_truth": False,
                "created_at": "2026-11-03T10:00:00.000000Z",
                "updated_at": "2026-11-03T10:05:00.250000Z",
                "lead_time": 4.2,
                "result": [
                    {
                        "id": "x1",
                        "from_name": "emotion",
                        "to_name": "audio",
                        "type": "choices",
                        "origin": "manual",
                        "value": {"choices": ["anger"]},
                    }
                ],
            },
            {
                "id": 102,
                "completed_by": {"id": 4, "email": "b@example.org"},
                "was_cancelled": True,
                "result": [],
                "created_at": "2026-11-03T10:00:00Z",
            },
        ],
        "predictions": [],
    }
]
SHORT = [
    {
        "audio": "/data/local-files/?d=a.wav",
        "id": 11,
        "segment": "r1.1.0",
        "emotion": "anger",
        "annotator": 3,
        "annotation_id": 101,
        "created_at": "2026-11-03T10:00:00.000000Z",
        "updated_at": "2026-11-03T10:05:00.250000Z",
        "lead_time": 4.2,
    }
]
TABLE = (
    "annotation_id,annotator,audio,created_at,emotion,id,lead_time,segment,updated_at\n"
    "101,3,/data/local-files/?d=a.wav,2026-11-03T10:00:00.000000Z,anger,11,4.2,r1.1.0,"
    "2026-11-03T10:05:00.250000Z\n"
)
SAID = RawLabel(1, "r1.1.0", ("anger",), "3", "2026-11-03T10:05:00.250000Z")


@pytest.mark.parametrize(
    ("name", "text"),
    [("full.json", json.dumps(FULL)), ("short.json", json.dumps(SHORT)), ("table.csv", TABLE)],
)
def test_every_export_says_the_same(tmp_path: Path, name: str, text: str):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_label_file(tmp_path / name).rows == [SAID]


def test_the_configuration_offers_a_key_for_each_emotion_and_for_not_knowing():
    choices = ElementTree.fromstring(labelling_config(EMOTIONS)).iter("Choice")
    assert [(choice.get("value"), choice.get("hotkey")) for choice in choices] == [
        ("anger", "1"),
        ("neutral", "2"),
        ("cannot_tell", "0"),
    ]


def test_a_suggestion_answers_the_question_of_the_configuration():
    made = task("r1.1.0", audio_url="a.wav", shown={}, suggested="anger", model_id="m")
    config = ElementTree.fromstring(labelling_config(EMOTIONS))
    (answer,) = made["predictions"][0]["result"]
    assert answer["from_name"] == config.find("Choices").get("name")
    assert answer["to_name"] == config.find("Audio").get("name")
    assert config.find("Audio").get("value") == "$audio"
    assert "audio" in made["data"]
    without = task("r1.1.0", audio_url="a.wav", shown={}, suggested=None, model_id="m")
    assert without["predictions"] == []


def test_labels_of_ones_own_taxonomy_count_as_their_emotions(tmp_path: Path):
    file = tmp_path / "labels.csv"
    file.write_text("segment,emotion\nr1.1.0,Dissatisfied\nr1.1.1,anger\nr1.1.2,odd\n")
    own = read_label_file(file).in_vocabulary({"dissatisfied": "frustration"})
    assert [row.emotions for row in own.rows] == [("frustration",), ("anger",), ("odd",)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_spreadsheets_delimiter_is_found(tmp_path: Path, delimiter: str):
    lines = [["segment", "emotion", "annotator"], ["r1.1.0", "anger", "ann"], ["r1.1.1", "", "ann"]]
    file = tmp_path / "labels.csv"
    file.write_text("\n".join(delimiter.join(line) for line in lines), encoding="utf-8-sig")
    assert read_label_file(file).rows == [
        RawLabel(1, "r1.1.0", ("anger",), "ann", ""),
        RawLabel(2, "r1.1.1", (), "ann", ""),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2\n", "has no column"),
        (b'{"a": 1}', "not what Label Studio exports"),
        (b'[{"annotations": [7]}]', "not what Label Studio exports"),
        (b"[1, 2", "not what Label Studio exports"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_a_file_of_another_kind_is_refused_whole(tmp_path: Path, content: bytes, said: str):
    file = tmp_path / "labels"
    file.write_bytes(content)
    with pytest.raises(LabelFileError, match=said):
        read_label_file(file)
