from __future__ import annotations

import datetime as dt
from pathlib import PurePosixPath
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ser_batch.config import RoleSettings, Settings
from ser_batch.ingest.calls import resolve_calls
from ser_batch.ingest.matching import KnownFile, MetadataIndex, line_issues, path_key
from ser_batch.ingest.metadata import Line
from tests.ingest.named import count_named

MARCH = int(dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC).timestamp()) * 10**9
INGESTED_AT = dt.datetime(2026, 3, 2, 9, 0)
DEFAULTS = Settings()


def file(path: str = "2026/a.wav", recording_id: str = "r1") -> KnownFile:
    return KnownFile(recording_id, path, "/calls", 1000, MARCH, INGESTED_AT)


def lines(*fields: dict[str, str], source: str = "s") -> list[Line]:
    return [Line(source, f"{source}.csv", n, row) for n, row in enumerate(fields, start=1)]


def resolve(
    *fields: dict[str, str], at: KnownFile | None = None, settings: Settings = DEFAULTS
) -> dict[str, Any]:
    index = MetadataIndex(lines(*fields), settings.ingest.columns)
    (row,), _ = resolve_calls([(at or file(),)], index, settings)
    return row


def with_ingest(**values: object) -> Settings:
    return Settings(ingest=DEFAULTS.ingest.model_copy(update=values))


def test_without_metadata_the_file_says_what_it_can() -> None:
    row = resolve()
    assert row["call_id"] == "a"
    assert row["started_at"] == dt.datetime(2026, 3, 2, 8, 0)
    assert row["started_at_source"] == "file"
    assert row["roles"] == ["agent", "customer"]
    assert row["single_role"] == "unknown"
    assert not row["metadata_found"]


def test_a_line_may_name_the_file_by_path_name_or_id() -> None:
    for named in ({"file": "2026/a.wav"}, {"file": "a.wav"}, {"path": "/calls/2026/a.wav"},
                  {"call_id": "a"}, {"File": "2026\\a.wav"}):  # fmt: skip
        assert resolve({**named, "queue": "q"})["queue"] == "q", named


def test_unknown_columns_are_kept_as_attributes() -> None:
    row = resolve({"file": "a.wav", "Skill": "x", "wait_s": "12"})
    assert row["attributes"] == [("Skill", "x"), ("wait_s", "12")]


def test_no_column_about_people_at_work_becomes_an_attribute() -> None:
    at_work = {"agent_name": "Ann", "AgentEmail": "a@b", "Advisor": "A", "employeeId": "7",
               "operator-no": "1", "Staff": "x", "sales_rep": "y"}  # fmt: skip
    others = {"report_id": "1", "priority": "2", "staffel": "3"}
    row = resolve({"file": "a.wav", **at_work, **others})
    assert dict(row["attributes"]) == others
    named = with_ingest(name_pattern=r"(?P<agent_id>\w+)\.wav")
    assert resolve(settings=named)["attributes"] == []


def test_listed_columns_are_dropped_whatever_their_case() -> None:
    settings = with_ingest(drop_attributes=("comment",))
    row = resolve({"file": "a.wav", "Comment": "Ann was kind", "skill": "x"}, settings=settings)
    assert row["attributes"] == [("skill", "x")]


def test_their_names_of_columns_are_mapped() -> None:
    settings = with_ingest(columns={"queue": "Skill group", "file": "AUDIO_FILE"})
    row = resolve({"audio_file": "a.wav", "SKILL GROUP": "x"}, settings=settings)
    assert row["queue"] == "x"
    assert row["attributes"] == []


def test_the_name_tells_what_its_pattern_names() -> None:
    settings = with_ingest(
        name_pattern=r"_AGENT_(?P<agent>[^_]+)_DT_(?P<started_at>[\dT-]+)_(?P<kind>\w+)\."
    )
    named = file("Auto0_GUID_000_AGENT_ChrisL_DT_2025-02-19T06-01-22_Mono.wav")
    row = resolve(at=named, settings=settings)
    assert row["agent"] == "ChrisL"
    assert (row["started_at"], row["started_at_source"]) == (
        dt.datetime(2025, 2, 19, 6, 1, 22),
        "name",
    )
    assert row["attributes"] == [("kind", "Mono")]


def test_metadata_wins_over_the_name() -> None:
    settings = with_ingest(name_pattern=r"(?P<queue>\w+)\.wav")
    assert resolve({"file": "a.wav", "queue": "stated"}, settings=settings)["queue"] == "stated"


def test_of_several_lines_the_newest_that_says_something_wins() -> None:
    row = resolve({"file": "a.wav", "queue": "old", "team": "t"}, {"file": "a.wav", "queue": "new"})
    assert (row["queue"], row["team"]) == ("new", "t")


def test_metadata_may_name_the_customers_channel_of_a_call() -> None:
    assert resolve({"file": "a.wav", "customer_channel": "0"})["roles"] == ["customer", "agent"]
    assert resolve({"file": "a.wav", "customer_channel": "2"})["roles"] == ["unknown", "unknown"]
    assert resolve({"file": "a.wav", "channel_0_role": "Unknown"})["roles"][0] == "unknown"
    assert (
        resolve({"file": "a.wav", "single_channel_role": "customer"})["single_role"] == "customer"
    )


def test_who_speaks_first_comes_from_the_line_else_from_the_settings() -> None:
    settings = Settings(roles=RoleSettings(first_speaker="agent"))
    assert resolve({"file": "a.wav", "First_Speaker": "Customer"})["first_speaker"] == "customer"
    for stated, first in (
        ({}, "agent"),
        ({"first_speaker": "customer"}, "customer"),
        ({"first_speaker": "unknown"}, None),
        ({"first_speaker": "the dog"}, None),
        ({"single_channel_role": "customer"}, None),
        ({"customer_channel": "both"}, None),
    ):
        row = resolve({"file": "a.wav", **stated}, settings=settings)
        assert row["first_speaker"] == first, stated
    assert resolve()["first_speaker"] is None


@given(text=st.text(min_size=1).filter(lambda text: text.strip()))
def test_an_unclear_word_about_consent_never_permits_scoring(text: str) -> None:
    row = resolve({"file": "a.wav", "notice_given": text, "objected": text})
    clear = row["notice_given"] is True and row["objected"] is False
    assert not clear, "the same word cannot mean both yes and no"


def test_lines_that_find_nothing_or_too_much_are_reported() -> None:
    index = MetadataIndex(
        lines({"file": "gone.wav"}, {"file": "a.wav"}, {"queue": "q"}, {"call_id": "none"}), {}
    )
    both = [file(), file("2027/a.wav", "r2")]
    named = count_named([(each,) for each in both], DEFAULTS)
    codes = [issue.code for issue in line_issues(index, named)]
    assert codes == ["missing_file", "ambiguous_file", "missing_file", "names_nothing"]


@given(st.text(alphabet="ab./\\", max_size=8))
def test_a_path_has_one_spelling_as_posix_paths_have(path: str) -> None:
    assert path_key(path) == PurePosixPath(path.replace("\\", "/")).as_posix()
