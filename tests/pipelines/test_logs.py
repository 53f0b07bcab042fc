"""Without a terminal a run writes lines with time; in JSON one object a line."""

from __future__ import annotations

import datetime as dt
import json
import logging

import pytest

from pipelines.display import Display
from pipelines.logs import log, log_error, log_stage, start_log, start_run


def run() -> None:
    start_run("r1")
    with log_stage("analyse", lambda: {"calls_analysed": 3}), Display(log_every_s=0) as display:
        display.bar("analyse", 3, "calls")
        for _ in range(3):
            display.advance("analyse")
    log("two lines\nof text", level=logging.WARNING)


def test_a_stage_begins_progresses_and_ends_in_lines_with_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert not start_log("auto", quiet=False), "a test has no terminal"
    run()
    times, levels, texts = zip(
        *(line.split(" ", 2) for line in capsys.readouterr().err.splitlines()), strict=True
    )
    assert all(dt.datetime.fromisoformat(time).tzinfo for time in times)
    assert levels == ("info",) * 4 + ("warning",)
    assert texts[:3] == ("analyse begins", "analyse: 1 of 3 calls", "analyse: 2 of 3 calls")
    assert texts[3].endswith(" s, calls analysed 3")
    assert texts[4] == "two lines of text"


def test_each_json_line_is_an_object_with_run_stage_and_counts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    start_log("json", quiet=True)
    run()
    assert log_error("it failed. Try this", code="stop", remedy="Try this")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {line["run_id"] for line in lines} == {"r1"}
    assert [line.get("event") for line in lines] == [
        "stage_begin", "progress", "progress", "stage_end", None, "error",
    ]  # fmt: skip
    assert lines[2].items() >= {"stage": "analyse", "done": 2, "total": 3, "unit": "calls"}.items()
    assert lines[3]["calls_analysed"] == 3
    assert lines[5].items() >= {"level": "error", "code": "stop", "remedy": "Try this"}.items()


def test_a_quiet_run_writes_no_line_unless_a_format_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    start_log("auto", quiet=True)
    run()
    assert not log_error("it failed")
    assert capsys.readouterr().err == ""
