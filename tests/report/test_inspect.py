"""One call drawn, and written as text."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from ser_batch.analysis.inspect import Inspection, as_dict, inspect_file
from ser_batch.audio.intervals import intervals
from ser_batch.config import RoleSettings, Settings
from ser_batch.errors import NoSuchFileError
from ser_batch.report.inspect import SCALE, WIDTH, picture
from ser_batch.report.timeline import bars, course, diagnosis, lanes, scale, side_names, ticks
from tests.audio.signals import noise, silence, tone, voice

SETTINGS = Settings()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    """Twelve seconds: the agent's side beeps and speaks, the caller speaks into it."""
    import soundfile

    agent = [tone(1, 1000), silence(1), voice(4), silence(6)]
    caller = [silence(5), voice(5, pitch_hz=180), silence(2)]
    sides = [
        np.concatenate(parts) + noise(12, -60, seed=seed)
        for seed, parts in enumerate((agent, caller))
    ]
    path = tmp_path_factory.mktemp("inspect") / "call.wav"
    soundfile.write(path, np.stack(sides, axis=1), 8000)
    return inspect_file(path, SETTINGS)


def test_a_rows_blocks_are_as_high_as_the_share_of_time_that_is_spoken() -> None:
    assert bars(intervals([(0, 2), (3, 4)]), 4, 4) == "██ █"
    assert bars(intervals([(0.5, 1)]), 2, 2) == "▄ "
    assert bars(intervals([(1.0, 1.05)]), 10, 2) == "▁ ", "a word is never lost"
    assert bars(intervals([]), 10, 5) == " " * 5


@pytest.mark.parametrize("duration_s", [0.3, 4, 61, 278, 7200])
def test_the_scale_has_a_mark_at_the_start_and_few_enough(duration_s: float) -> None:
    marks = ticks(duration_s, 10)
    assert marks[0] == 0
    assert len(marks) <= 10
    assert marks[-1] <= duration_s
    assert scale(duration_s, 60).startswith("0:00")


def test_each_side_and_each_other_sound_has_its_row(seen: Inspection) -> None:
    rows = {lane.name: lane for lane in lanes(seen.analysis, seen.roles)}
    assert list(rows) == ["channel 0, agent", "channel 1, customer", "both at once", "tones"]
    np.testing.assert_allclose(rows["channel 0, agent"].times, [[2, 6]], atol=0.2)
    np.testing.assert_allclose(rows["both at once"].times, [[5, 6]], atol=0.2)
    np.testing.assert_allclose(rows["tones"].times, [[0, 1]], atol=0.1)
    assert "both at once" in course(seen.analysis)


def test_each_measure_has_a_value_a_side(seen: Inspection) -> None:
    measures = dict(diagnosis(seen.analysis))
    assert measures["beeps (s)"] == ("1.0", "0.0")
    assert measures["other side leaks in at (dB)"] == ("–", "–")
    assert {len(values) for values in measures.values()} == {2}


def test_the_picture_is_a_png_at_least_as_wide_as_its_axes(seen: Inspection) -> None:
    png = picture("<call> & co", seen.audio, seen.analysis, seen.roles, ["a dead line"])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert width > SCALE * WIDTH
    assert height > SCALE * 500, "two channels, rows and a table"


def test_the_dictionary_tells_everything_and_has_no_number_that_is_none(seen: Inspection) -> None:
    import json

    result = json.loads(json.dumps(as_dict(seen), allow_nan=False))
    first, second = result["channels"]
    assert (first["role"], second["role"]) == ("agent", "customer")
    assert second["segments"][0]["start_s"] == pytest.approx(5, abs=0.1)
    assert second["segments"][0]["overlap_ratio"] == pytest.approx(0.2, abs=0.05)
    assert first["sounds"]["beep"] == [[pytest.approx(0, abs=0.1), pytest.approx(1, abs=0.1)]]
    assert first["line"]["crosstalk_db"] is None
    assert "signal" not in first


def test_one_channel_is_drawn_as_two_voices_only_where_they_are_diarized(
    tmp_path: Path,
) -> None:
    import soundfile

    turns = [voice(2.5, pitch_hz=(105, 190)[number % 2]) for number in range(8)]
    parts = [part for turn in turns for part in (turn, silence(0.6))]
    signal = np.concatenate(parts)
    soundfile.write(tmp_path / "mono.wav", signal + noise(len(signal) / 8000, -60), 8000)

    together = inspect_file(tmp_path / "mono.wav", SETTINGS)
    assert side_names(together.analysis, together.roles) == ["channel 0, role unknown"]
    assert "both at once" not in course(together.analysis)

    said = SETTINGS.model_copy(update={"roles": RoleSettings(first_speaker="customer")})
    apart = inspect_file(tmp_path / "mono.wav", said)
    assert side_names(apart.analysis, apart.roles) == ["voice 0, customer", "voice 1, agent"]
    assert "diarized" in course(apart.analysis)
    assert picture("mono", apart.audio, apart.analysis, apart.roles, [])[:4] == b"\x89PNG"


def test_a_file_that_is_not_there_is_an_error_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(NoSuchFileError):
        inspect_file(tmp_path / "gone.wav", SETTINGS)
