"""What a night prints at its end."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.commands.night import show_summary

NOTHING = {"reason": None, "message": "", "remedy": ""}
TOO_FEW = {
    "reason": "no_role",
    "message": "only 2 of 9 calls were scored: nothing says whose voice it is",
    "remedy": "Set `first_speaker`.",
}


def night(status: str, completeness: dict[str, Any], **counts: int) -> dict[str, Any]:
    """A night's summary."""
    every = {"quarantined": 0, "warnings": 0, "files_erased": 0, "files_growing": 0}
    return {
        "status": status,
        "counts": {**every, "calls_analysed": 20, **counts},
        "rejected": {"truncated": 1} if counts.get("quarantined") else {},
        "completeness": completeness,
        "published": True,
        "audio_s": 60.0,
        "stage_s": {"ingest": 1.0},
        "rows": {"call_summary": 20},
        "not_scored": [],
        "undated": 0,
        "attributes": [],
        "drift": [],
        "alerts": {"problems": []},
        "digest": {"problems": []},
        "warehouse": "calls.duckdb",
        "report": "latest.html",
        "published_to": None,
    }


@pytest.mark.parametrize(
    ("summary", "first"),
    [
        (night("clean", NOTHING), "Clean: 20 calls analysed (0.02 h), "),
        (night("partial", NOTHING, quarantined=1), "Partial: 1 file rejected (1 truncated)"),
        (night("partial", NOTHING, calls_lost=2), "Partial: stored analysis lost of 2 calls"),
        (
            night("partial", TOO_FEW, quarantined=1),
            "Partial: only 2 of 9 calls were scored: nothing says whose voice it is. "
            "Set `first_speaker`. 1 file rejected (1 truncated)",
        ),
    ],
)
def test_the_first_line_says_why_a_night_is_partial(capsys, summary, first):
    show_summary(summary)
    assert capsys.readouterr().out.splitlines()[0].startswith(first)


def test_the_counts_of_a_night_are_called_new_beside_the_list_of_all(capsys):
    show_summary(night("partial", NOTHING, quarantined=1, warnings=2))
    printed = capsys.readouterr().out
    assert "new: 1 rejected file, 2 warnings; all: ser-batch quarantine list" in printed


def test_columns_without_a_meaning_are_named(capsys):
    show_summary({**night("clean", NOTHING), "attributes": ["Einwilligung", "Start"]})
    printed = capsys.readouterr().out
    assert "columns Einwilligung, Start have no meaning and are kept as attributes. If" in printed
    assert "ingest.columns" in printed
