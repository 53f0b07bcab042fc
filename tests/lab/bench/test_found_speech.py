from __future__ import annotations

import soundfile

from ser_batch.config import Settings
from ser_batch.lab.bench.found_speech import run
from tests.audio.signals import voice


def test_detected_speech_is_counted_by_emotion(tmp_path):
    folder = tmp_path / "emodb"
    folder.mkdir()
    for speaker, pitch_hz in (("03", 110), ("08", 150)):
        for letter in "WN":
            for version in "ab":
                clip = voice(2, -26, pitch_hz=pitch_hz)
                soundfile.write(folder / f"{speaker}a01{letter}{version}.wav", clip, 8000)
    (row,) = run(tmp_path, Settings(), n_calls=4, on_step=lambda _: None)
    assert list(row) == ["corpus", "false", "speech", "anger", "neutral"]
    assert 0 <= row["false"] < 0.1
    assert min(row["anger"], row["neutral"]) > 0.8
    assert min(row["anger"], row["neutral"]) <= row["speech"] <= max(row["anger"], row["neutral"])
