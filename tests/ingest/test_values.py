from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from ser_batch.ingest.values import file_time, parse_bool, parse_time, why_no_time

BERLIN = ZoneInfo("Europe/Berlin")
NINE = dt.datetime(2026, 3, 2, 9, 30)
TAKEN_IN = dt.datetime(2026, 3, 3)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T09:30:00",
        "2026-03-02 09:30",
        "2026-03-02T08:30:00Z",
        "2026-03-02T10:30:00+02:00",
        "2026-03-02T09-30-00",
        "20260302093000",
        "20260302_093000",
        " 2026-03-02 09:30:00.000 ",
    ],
)
def test_times_as_exports_and_file_names_write_them_are_local(text: str) -> None:
    assert parse_time(text, pattern=None, zone=BERLIN, ingested_at=TAKEN_IN) == NINE


@pytest.mark.parametrize(
    "text",
    [
        "2026-13-45",
        "yesterday",
        "",
        "2026-03-02",
        "1970-01-01T00:00:00",
        "2199-01-01T00:00",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+14:00",
    ],  # out of the calendar
)
def test_what_is_no_time_of_a_call_is_none(text: str) -> None:
    assert parse_time(text, pattern=None, zone=BERLIN, ingested_at=TAKEN_IN) is None


def test_no_call_begins_after_its_recording_was_taken_in() -> None:
    text = "2026-03-04T09:30"
    assert parse_time(text, pattern=None, zone=BERLIN, ingested_at=TAKEN_IN) is None
    later = dt.datetime(2026, 3, 4)
    assert parse_time(text, pattern=None, zone=BERLIN, ingested_at=later) is not None


def test_a_pattern_decides_what_is_day_and_month() -> None:
    assert (
        parse_time("02/03/2026 09:30", pattern="%d/%m/%Y %H:%M", zone=BERLIN, ingested_at=TAKEN_IN)
        == NINE
    )
    assert (
        parse_time("2026-03-02T09:30", pattern="%d/%m/%Y %H:%M", zone=BERLIN, ingested_at=TAKEN_IN)
        is None
    )


def test_a_files_time_is_local_to_the_call_centre() -> None:
    moment = dt.datetime(2026, 7, 1, 10, 0, tzinfo=dt.UTC)
    taken_in = dt.datetime(2026, 7, 2)
    modified_ns = int(moment.timestamp()) * 10**9
    assert file_time(modified_ns, BERLIN, taken_in) == dt.datetime(2026, 7, 1, 12, 0)


@pytest.mark.parametrize("modified_ns", [0, 2**62, 2**63 - 1, -(2**63)])
def test_a_files_time_that_no_recording_can_have_is_none(modified_ns: int) -> None:
    assert file_time(modified_ns, BERLIN, NINE) is None


@pytest.mark.parametrize(
    ("text", "meaning"), [("Yes", True), ("0", False), ("nein", False), ("?", None)]
)
def test_yes_and_no_in_the_words_of_exports(text: str, meaning: bool | None) -> None:
    assert parse_bool(text) is meaning


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2199-01-01T09:30", "in the future"),
        ("1970-01-01T00:00", "before 1990"),
        ("tomorrow", "not a time"),
        ("2026-02-30T09:30", "not a time"),
    ],
)
def test_a_time_that_no_call_can_have_is_said_to_be_so(text, why):
    said, remedy = why_no_time(text, pattern=None, zone=BERLIN)
    assert said.startswith(why)
    assert ("ingest.time_format" in remedy) == (why == "not a time")
