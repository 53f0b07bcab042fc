"""Calls from recordings: what metadata, names and files say about each, brought together.

A pure function of the files known, the lines of metadata that have arrived and the settings, so
a line that comes a day late joins when it is there, and a repeated night changes nothing. For
each field the newest line that says anything wins.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from ser_batch.config import Settings
from ser_batch.ingest.matching import (
    TEXT_COLUMNS,
    DataIssue,
    KnownFile,
    MetadataIndex,
    attribute_names,
    call_id_of_name,
    disagreements,
    fields_of_name,
    renamed,
)
from ser_batch.ingest.metadata import Line
from ser_batch.ingest.side_rows import Warn, check_agreement, side_roles, side_rows
from ser_batch.ingest.values import (
    file_time,
    local_time,
    parse_bool,
    parse_time,
    quoted,
    why_no_time,
)

_ROLES = ("agent", "customer", "unknown")


def resolve_calls(
    calls: Iterable[Sequence[KnownFile]], index: MetadataIndex, settings: Settings
) -> tuple[list[dict[str, object]], list[DataIssue]]:
    """Rows of the table `calls`.

    Args:
        calls: the current recordings of each call, in the order of its channels
        index: all metadata that has arrived
        settings: names, time zone and roles

    Returns:
        rows, and data-quality issues
    """
    rows: list[dict[str, object]] = []
    issues: list[DataIssue] = []
    for files in calls:
        facts = [_facts_of(file, index, settings) for file in files]
        row, warnings = _call(facts, index, settings)
        rows.append(row)
        for one in facts:
            issues += disagreements(one.lines, one.file)
        issues += warnings
    return rows, issues


@dataclass(frozen=True)
class _FileFacts:
    """What name and metadata state of a recording.

    Attributes:
        file: the recording
        named: fields of its name
        lines: of metadata, oldest first
        stated: fields of these lines
    """

    file: KnownFile
    named: dict[str, str]
    lines: list[Line]
    stated: dict[str, str]

    @property
    def fields(self) -> dict[str, str]:
        """Fields of both; metadata wins."""
        return {**self.named, **self.stated}


def _facts_of(file: KnownFile, index: MetadataIndex, settings: Settings) -> _FileFacts:
    named = fields_of_name(file, settings.ingest)
    lines = index.matching(file, call_id_of_name(file, named))
    return _FileFacts(file, named, lines, _stated(lines, settings))


def _stated(lines: Iterable[Line], settings: Settings) -> dict[str, str]:
    stated: dict[str, str] = {}
    for line in lines:
        stated.update(renamed(line.fields, settings.ingest.columns))
    return stated


def repeated_call_ids(rows: Iterable[Mapping[str, object]]) -> list[DataIssue]:
    """Issues of recordings that share a call id."""
    by_id: dict[object, list[Mapping[str, object]]] = defaultdict(list)
    for row in rows:
        by_id[row["call_id"]].append(row)
    return [
        DataIssue(
            str(row["path"]),
            "duplicate_call_id",
            f"{len(same)} recordings have the call id {call_id!r}; each is kept",
            "Give each call its own id, or name the file in the metadata.",
            str(row["recording_id"]),
            str(row["audio_root"]),
        )
        for call_id, same in by_id.items()
        if len(same) > 1
        for row in same
    ]


def _call(
    facts: Sequence[_FileFacts], index: MetadataIndex, settings: Settings
) -> tuple[dict[str, object], list[DataIssue]]:
    """The row of a call, and issues on it."""
    warnings: list[DataIssue] = []
    first = facts[0].file

    def warn(code: str, message: str, remedy: str) -> None:
        warnings.append(
            DataIssue(first.path, code, message, remedy, first.recording_id, first.audio_root)
        )

    lines = index.in_order(line for one in facts for line in one.lines)
    stated = _stated(lines, settings)
    fields: dict[str, str] = {}
    for one in reversed(facts):
        fields.update(one.named)
    fields.update(stated)
    starts = [_start(one.file, one.named, one.stated, settings, warn) for one in facts]
    started_at, source = min(starts, key=lambda start: (start[1] == "file", start[0]))
    roles, single_role = _roles(fields, settings, warn)
    first_speaker = _first_speaker(fields, settings, warn)
    if first.side is not None:
        roles, single_role = side_roles([one.file for one in facts], roles, settings, warn)
        first_speaker = None
    row: dict[str, object] = {
        "recording_id": first.recording_id,
        "call_id": stated.get("call_id") or call_id_of_name(first, facts[0].named),
        "path": first.path,
        "audio_root": first.audio_root,
        "size_bytes": sum(one.file.size_bytes for one in facts),
        "started_at": started_at,
        "started_at_source": source,
        "notice_given": _notice([one.fields for one in facts], warn),
        "objected": _objection([one.fields for one in facts], warn),
        "roles": roles,
        "single_role": single_role,
        "first_speaker": first_speaker,
        "metadata_found": bool(lines),
        "attributes": [(name, fields[name]) for name in attribute_names(fields, settings.ingest)],
        "sides": side_rows([one.file for one in facts], starts, warn),
    }
    row.update({name: fields.get(name) for name in TEXT_COLUMNS})
    if len(facts) > 1:
        check_agreement([one.stated for one in facts], warn)
    return row, warnings


def _start(
    file: KnownFile,
    named: Mapping[str, str],
    stated: Mapping[str, str],
    settings: Settings,
    warn: Warn,
) -> tuple[dt.datetime, str]:
    """Start of the call: from metadata, else the name, else the file's time."""
    zone = ZoneInfo(settings.ingest.timezone)
    for source, fields, pattern in (
        ("metadata", stated, settings.ingest.time_format),
        ("name", named, settings.ingest.name_time_format),
    ):
        text = fields.get("started_at")
        if text is None:
            continue
        time = parse_time(text, pattern=pattern, zone=zone, ingested_at=file.ingested_at)
        if time is not None:
            return time, source
        why, remedy = why_no_time(text, pattern=pattern, zone=zone)
        warn("bad_time", f"started_at is {quoted(text)} in the {source}: {why}", remedy)
    return _file_start(file, zone, warn), "file"


def _file_start(file: KnownFile, zone: ZoneInfo, warn: Warn) -> dt.datetime:
    """The time of the file's last change, else when it was taken in."""
    if (time := file_time(file.modified_ns, zone, file.ingested_at)) is not None:
        return time
    warn(
        "bad_file_time",
        "the file's time of change is one that no recording can have; the call is dated by the "
        "time at which it was taken in",
        "Supply started_at in the metadata, or set ingest.name_pattern; see the recorder's clock.",
    )
    return local_time(file.ingested_at, zone)


def _roles(fields: Mapping[str, str], settings: Settings, warn: Warn) -> tuple[list[str], str]:
    """Roles of a two-channel file's channels, and the role of a channel that is alone."""
    roles: list[str] = list(settings.roles.channels)
    single: str = settings.roles.single_channel
    if (channel := fields.get("customer_channel")) is not None:
        if channel in ("0", "1"):
            roles = ["customer", "agent"] if channel == "0" else ["agent", "customer"]
        else:
            roles, single = ["unknown", "unknown"], "unknown"
            warn(
                "bad_role",
                f"customer_channel is {quoted(channel)}: neither 0 nor 1; nobody is scored",
                "Write 0 or 1, or leave it empty.",
            )
    for name, place in (("channel_0_role", 0), ("channel_1_role", 1)):
        if (role := fields.get(name)) is not None:
            roles[place] = _role(role, name, warn)
    if (role := fields.get("single_channel_role")) is not None:
        single = _role(role, "single_channel_role", warn)
    return roles, single


def _first_speaker(fields: Mapping[str, str], settings: Settings, warn: Warn) -> str | None:
    """Who speaks first where both sides share a channel, None if nothing says so."""
    if (text := fields.get("first_speaker")) is not None:
        role = _role(text, "first_speaker", warn)
        return None if role == "unknown" else role
    if "single_channel_role" in fields or fields.get("customer_channel", "0") not in ("0", "1"):
        return None  # of this call something else is stated than the settings suppose
    return settings.roles.first_speaker


def _role(text: str, name: str, warn: Warn) -> str:
    role = text.lower()
    if role in _ROLES:
        return role
    warn("bad_role", f"{name} is {quoted(text)}: no role", f"Write one of {', '.join(_ROLES)}.")
    return "unknown"


def _notice(sides: Iterable[Mapping[str, str]], warn: Warn) -> bool | None:
    """Whether notice was given; a side that says no counts."""
    given = [_consent(one, "notice_given", if_unclear=False, warn=warn) for one in sides]
    return False if False in given else (True if True in given else None)


def _objection(sides: Iterable[Mapping[str, str]], warn: Warn) -> bool | None:
    """Whether the customer objected; a side that says yes counts."""
    objected = [_consent(one, "objected", if_unclear=True, warn=warn) for one in sides]
    return True if True in objected else (False if False in objected else None)


def _consent(fields: Mapping[str, str], name: str, *, if_unclear: bool, warn: Warn) -> bool | None:
    """Yes, no or not stated; a text that is neither is taken against scoring."""
    text = fields.get(name)
    if text is None:
        return None
    answer = parse_bool(text)
    if answer is None:
        warn(
            "unclear_consent",
            f"{name} is {quoted(text)}: neither yes nor no; the call is not scored",
            "Write true or false.",
        )
        return if_unclear
    return answer
