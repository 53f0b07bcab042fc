"""Calls from recordings: what metadata, names and files say about each, brought together.

A pure function of the files known, the lines of metadata that have arrived and the settings, so
a line that comes a day late joins when it is there, and a repeated night changes nothing. For
each field the newest line that says anything wins.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from zoneinfo import ZoneInfo

from ser_batch.config import Settings
from ser_batch.ingest.matching import (
    OWN_COLUMNS,
    TEXT_COLUMNS,
    DataIssue,
    KnownFile,
    MetadataIndex,
    call_id_of_name,
    disagreements,
    fields_of_name,
    renamed,
)
from ser_batch.ingest.values import file_time, parse_bool, parse_time
from ser_batch.policy import names_people_at_work

_ROLES = ("agent", "customer", "unknown")

Warn = Callable[[str, str, str], None]
"""Takes the code, message and remedy of something about a call that looks wrong."""


def resolve_calls(
    files: Iterable[KnownFile], index: MetadataIndex, settings: Settings
) -> tuple[list[dict[str, object]], list[DataIssue]]:
    """Rows of the table `calls`.

    Args:
        files: the current recordings
        index: all metadata that has arrived
        settings: names, time zone and roles

    Returns:
        rows, and data-quality issues
    """
    rows: list[dict[str, object]] = []
    issues: list[DataIssue] = []
    for file in files:
        named = fields_of_name(file.path, settings.ingest.name_pattern)
        lines = index.matching(file, call_id_of_name(file, named))
        issues += disagreements(lines, file)
        stated: dict[str, str] = {}
        for line in lines:
            stated.update(renamed(line.fields, settings.ingest.columns))
        row, warnings = _call(file, named, stated, settings)
        row["metadata_found"] = bool(lines)
        rows.append(row)
        issues += warnings
    return rows, issues


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
    file: KnownFile, named: Mapping[str, str], stated: Mapping[str, str], settings: Settings
) -> tuple[dict[str, object], list[DataIssue]]:
    warnings: list[DataIssue] = []

    def warn(code: str, message: str, remedy: str) -> None:
        warnings.append(
            DataIssue(file.path, code, message, remedy, file.recording_id, file.audio_root)
        )

    fields = {**named, **stated}
    started_at, source = _start(file, named, stated, settings, warn)
    roles, single_role = _roles(fields, settings, warn)
    first_speaker = _first_speaker(fields, settings, warn)
    row: dict[str, object] = {
        "recording_id": file.recording_id,
        "call_id": stated.get("call_id") or call_id_of_name(file, named),
        "path": file.path,
        "audio_root": file.audio_root,
        "size_bytes": file.size_bytes,
        "started_at": started_at,
        "started_at_source": source,
        "notice_given": _consent(fields, "notice_given", if_unclear=False, warn=warn),
        "objected": _consent(fields, "objected", if_unclear=True, warn=warn),
        "roles": roles,
        "single_role": single_role,
        "first_speaker": first_speaker,
        "attributes": _attributes(fields, settings),
    }
    row.update({name: fields.get(name) for name in TEXT_COLUMNS})
    return row, warnings


def _attributes(fields: Mapping[str, str], settings: Settings) -> list[tuple[str, str]]:
    """Columns with no place of their own; none that may name somebody at work."""
    dropped = {name.lower() for name in settings.ingest.drop_attributes}
    return sorted(
        (name, text)
        for name, text in fields.items()
        if name not in OWN_COLUMNS
        and name.lower() not in dropped
        and not names_people_at_work(name)
    )


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
        time = parse_time(text, pattern=pattern, zone=zone)
        if time is not None:
            return time, source
        warn(
            "bad_time",
            f"started_at is {text!r} in the {source}: no time that a call can have",
            "Write 2026-11-03T14:05:00, or set ingest.time_format.",
        )
    return file_time(file.modified_ns, zone), "file"


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
                f"customer_channel is {channel!r}: neither 0 nor 1; nobody is scored",
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
        return None  # of this call something else is said than the settings suppose
    return settings.roles.first_speaker


def _role(text: str, name: str, warn: Warn) -> str:
    role = text.lower()
    if role in _ROLES:
        return role
    warn("bad_role", f"{name} is {text!r}: no role", f"Write one of {', '.join(_ROLES)}.")
    return "unknown"


def _consent(fields: Mapping[str, str], name: str, *, if_unclear: bool, warn: Warn) -> bool | None:
    """Yes, no or not said; a text that is neither is taken against scoring."""
    text = fields.get(name)
    if text is None:
        return None
    answer = parse_bool(text)
    if answer is None:
        warn(
            "unclear_consent",
            f"{name} is {text!r}: neither yes nor no; the call is not scored",
            "Write true or false.",
        )
        return if_unclear
    return answer
