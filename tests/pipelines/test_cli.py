"""The command line as a person or a script meets it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from typer.core import TyperGroup
from typer.main import get_command

from pipelines.cli import app
from pipelines.commands.score import clock
from pipelines.options import Exit
from ser_batch.errors import SettingsError
from ser_batch.lab.synthetic.demo import DemoCalls
from ser_batch.settings_file import commented_settings, load_settings
from ser_batch.store.lock import only_run
from ser_batch.store.paths import Root

CHECKOUT = Path(__file__).parent.parent.parent


def ser_batch(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        env={**os.environ, **variables},
        check=False,
    )


@pytest.fixture
def call(demo_calls: DemoCalls) -> Path:
    return sorted(demo_calls.audio_dir.rglob("*.wav"))[0]


def test_score_tells_the_customers_segments_and_why_the_agent_has_none(
    call: Path, tmp_path: Path
) -> None:
    done = ser_batch("score", call, "--json", "--root", tmp_path)

    assert done.returncode == Exit.CLEAN, done.stderr
    (scored,) = json.loads(done.stdout)["files"]
    assert {segment["channel"] for segment in scored["segments"]} == {1}
    assert 0 < scored["dissatisfaction"] < 1
    assert list(scored["not_scored"]) == ["0"]
    assert "people at work" in scored["not_scored"]["0"]
    starts = [segment["start_s"] for segment in scored["segments"]]
    assert starts == sorted(starts)
    assert scored["segments"][-1]["end_s"] <= soundfile.info(call).duration
    assert list(tmp_path.iterdir()) == [], "a try leaves nothing behind"


def test_the_customers_channel_can_be_said(call: Path, tmp_path: Path) -> None:
    done = ser_batch("score", call, "--customer-channel", "0", "--json", "--root", tmp_path)
    (scored,) = json.loads(done.stdout)["files"]
    assert {segment["channel"] for segment in scored["segments"]} == {0}


def test_a_call_is_inspected_as_text_picture_and_json(call: Path, tmp_path: Path) -> None:
    shown = ser_batch("inspect", call, "--out", tmp_path / "call.png", "--root", tmp_path)
    assert shown.returncode == Exit.CLEAN, shown.stderr
    assert "channel 1, customer" in shown.stdout
    assert (tmp_path / "call.png").read_bytes()[:4] == b"\x89PNG"
    result = json.loads(ser_batch("inspect", call, "--json", "--root", tmp_path).stdout)
    assert [channel["role"] for channel in result["channels"]] == ["agent", "customer"]
    assert result["duration_s"] == pytest.approx(soundfile.info(call).duration, abs=0.01)


def test_a_file_that_is_no_audio_is_one_line_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "letter.wav").write_text("Dear customer,")
    done = ser_batch("score", tmp_path / "letter.wav", "--root", tmp_path)
    assert done.returncode == Exit.FAILED
    assert "no decoder recognises it" in " ".join(done.stdout.split())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["score", "inspect"])
def test_a_mistyped_file_and_a_folder_are_distinguished_from_bad_recordings(
    tmp_path: Path, command: str
) -> None:
    for path, said in ((tmp_path / "typo.wav", "there is no file"), (tmp_path, "nightly --audio")):
        done = ser_batch(command, path, "--root", tmp_path)
        assert done.returncode == Exit.FAILED
        assert said in " ".join((done.stdout + done.stderr).split())


def test_init_writes_settings_that_are_all_defaults(tmp_path: Path) -> None:
    done = ser_batch("init", "--root", tmp_path)
    path = tmp_path / "ser-batch.toml"
    assert done.returncode == Exit.CLEAN
    assert load_settings(path) == load_settings()

    again = ser_batch("init", "--root", tmp_path)
    assert again.returncode == Exit.FAILED
    assert "--force" in again.stderr


def test_every_line_of_the_settings_file_says_what_holds_anyway(tmp_path: Path) -> None:
    lines = commented_settings().splitlines()
    values = [line[1:] if line[:1] == "#" and line[1:2] != " " else line for line in lines]
    path = tmp_path / "all.toml"
    path.write_text("\n".join(values), encoding="utf-8")
    given = tomllib.loads(path.read_text(encoding="utf-8"))
    assert set(given) >= {"ingest", "policy", "segments", "dissatisfaction"}

    set_values = [line for line in values if not line.endswith('= ""')]
    path.write_text("\n".join(set_values), encoding="utf-8")
    assert load_settings(path) == load_settings()


def test_the_settings_file_names_the_values_that_there_are() -> None:
    text = " ".join(commented_settings().replace("\n# ", " ").split())
    assert 'snr_below_db (one of "off", "gated", "always") #mode' in text.replace("\n", " ")
    assert "(one of 8000, 16000)" in text


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("SER_VAD__TRESHOLD", "did you mean 'threshold'?"),
        ("SER_VDA__THRESHOLD", "did you mean 'SER_VAD'?"),
    ],
)
def test_a_misspelt_setting_is_refused_with_the_nearest_right_one(
    tmp_path: Path, variable: str, hint: str
) -> None:
    done = ser_batch("publish", "--root", tmp_path, **{variable: "0.4"})
    assert done.returncode == Exit.FAILED
    assert hint in done.stderr


def test_speech_that_ends_above_where_it_starts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ser-batch.toml").write_text("[vad]\nthreshold = 0.2\n")
    with pytest.raises(SettingsError, match=r"vad\.release.*0\.25 lies above vad\.threshold, 0\.2"):
        load_settings(tmp_path / "ser-batch.toml")


def test_wrong_alerts_name_the_key_and_never_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ser-batch.toml"
    file.write_text("[alerts]\nthresholds = [{ above = 0.3, min_call = 9 }]\n")
    with pytest.raises(SettingsError, match=r"thresholds\.0\.min_call'; did you mean 'min_calls'"):
        load_settings(file)
    monkeypatch.setenv("SER_ALERTS__WEBHOOK", "hooks.example/T0/secret")
    with pytest.raises(SettingsError, match=r"alerts\.webhook: .* begins with https") as error:
        load_settings()
    assert "secret" not in str(error.value)
    monkeypatch.setenv("SER_ALERTS__WEBHOOK", "https://hooks.example/T0/secret")
    assert "secret" not in repr(load_settings())
    monkeypatch.setenv("SER_ALERTS__THRESHOLDS", "above 0.3")
    with pytest.raises(SettingsError, match="JSON"):
        load_settings()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.0"), (9.96, "0:10.0"), (59.94, "0:59.9"), (59.96, "1:00.0"), (60, "1:00.0")],
)
def test_times_carry_to_the_next_minute(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_a_root_at_work_is_a_line_and_an_exit_code_of_its_own(tmp_path: Path) -> None:
    with only_run(Root(tmp_path)):
        done = ser_batch("publish", "--root", tmp_path)
    assert done.returncode == Exit.LOCKED
    assert f"process {os.getpid()}" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_before_the_first_night_a_query_says_what_to_do(tmp_path: Path) -> None:
    done = ser_batch("query", "select 1", "--root", tmp_path)
    assert done.returncode == Exit.FAILED
    assert "ser-batch nightly" in done.stderr


def test_doctor_finds_a_sound_installation_and_a_broken_setting(tmp_path: Path) -> None:
    done = ser_batch("doctor", "--json", "--root", tmp_path)
    found = json.loads(done.stdout)
    assert done.returncode == Exit.CLEAN, done.stdout
    states = {check["name"]: check["state"] for check in found["checks"]}
    assert states["decoders"] == states["model"] == states["root"] == "ok"
    assert states["warehouse"] == "note"

    (tmp_path / "ser-batch.toml").write_text("[vad]\nthreshold = 2\n")
    broken = ser_batch("doctor", "--json", "--root", tmp_path)
    assert broken.returncode == Exit.FAILED
    assert not json.loads(broken.stdout)["healthy"]


def test_quarantine_and_runs_of_an_empty_root_are_empty_lists(tmp_path: Path) -> None:
    listed = ser_batch("quarantine", "list", "--json", "--root", tmp_path)
    assert json.loads(listed.stdout) == {"reasons": [], "quarantine": []}
    runs = ser_batch("runs", "--json", "--root", tmp_path)
    assert json.loads(runs.stdout) == {"runs": []}


def commands(group: TyperGroup, *names: str) -> Iterator[tuple[str, str]]:
    """Each command below a group, with its help."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, *names, name)
        else:
            yield " ".join((*names, name)), command.help or ""


def test_every_command_explains_itself_with_an_example() -> None:
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    found = dict(commands(root))
    assert len(found) > 40
    for command, shown in found.items():
        assert re.search(rf"Examples?:\n\n(.*\n)*.*ser-batch {command}\b", shown), command
