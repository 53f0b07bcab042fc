"""Calls from recordings: what metadata, names and files say about each, brought together.

A pure function of the files known, the lines of metadata that have arrived and the settings, so
a line that comes a day late joins when it is there, and a repeated night changes nothing. For
each field the newest line that says anything wins.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from ser_batch.config import Settings
from ser_batch.intake.metadata import Line
from ser_batch.intake.scan import same_name
from ser_batch.intake.values import file_time, parse_bool, parse_time

FILE_COLUMNS = ("file", "path", "filename", "file_name", "recording", "audio")
ID_COLUMNS = ("call_id",)
TEXT_COLUMNS = ("queue", "agent", "team", "customer", "language")
OWN_COLUMNS = {
    *FILE_COLUMNS,
    *ID_COLUMNS,
    *TEXT_COLUMNS,
    "started_at",
    "notice_given",
    "objected",
    "customer_channel",
    "channel_0_role",
    "channel_1_role",
    "single_channel_role",
}
_ROLES = ("agent", "customer", "unknown")

Doubt = Callable[[str, str, str], None]
"""Takes the code, message and remedy of something about a call that looks wrong."""


@dataclass(frozen=True)
class KnownFile:
    """A recording's current place.

    Attributes:
        recording_id: digest of its bytes
        path: below the audio folder
        audio_root: the audio folder
        size_bytes: size
        modified_ns: last change
    """

    recording_id: str
    path: str
    audio_root: str
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True)
class Remark:
    """Something about a line or a call that a person should look at."""

    place: str
    code: str
    message: str
    remedy: str
    recording_id: str | None = None


@dataclass
class MetadataIndex:
    """Lines by what they name: a path, a bare file name, or a call id."""

    lines: Sequence[Line]
    columns: Mapping[str, str]
    by_path: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    by_id: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    nameless: list[Line] = field(default_factory=list)
    order: dict[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.order = {(line.source, line.line_no): i for i, line in enumerate(self.lines)}
        for line in self.lines:
            fields = renamed(line.fields, self.columns)
            path = next((fields[name] for name in FILE_COLUMNS if name in fields), None)
            if path is not None:
                self.by_path[_path_key(path)].append(line)
            elif "call_id" in fields:
                self.by_id[same_name(fields["call_id"])].append(line)
            else:
                self.nameless.append(line)

    def matching(self, file: KnownFile, call_id: str) -> list[Line]:
        """Lines about one recording, oldest first."""
        found = [line for key in _path_keys(file) for line in self.by_path.get(key, ())]
        found += self.by_id.get(same_name(call_id), [])
        return sorted(found, key=lambda line: self.order[line.source, line.line_no])


def renamed(fields: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, str]:
    """Fields under our names, whatever the export calls them; case does not matter."""
    ours = {theirs.lower(): own for own, theirs in columns.items()}
    result = {}
    for name, text in fields.items():
        own = ours.get(name.lower(), name)
        result[own.lower() if own.lower() in OWN_COLUMNS else own] = text
    return result


def resolve_calls(
    files: Iterable[KnownFile], index: MetadataIndex, settings: Settings
) -> tuple[list[dict[str, object]], list[Remark]]:
    """Rows of the table `calls`.

    Args:
        files: the current recordings
        index: all metadata that has arrived
        settings: names, time zone and roles

    Returns:
        rows, and remarks on what looks wrong
    """
    rows: list[dict[str, object]] = []
    remarks: list[Remark] = []
    for file in files:
        named = _from_name(file.path, settings.ingest.name_pattern)
        lines = index.matching(file, _call_id(file, named))
        remarks += _disagreements(lines, file)
        told: dict[str, str] = {}
        for line in lines:
            told.update(renamed(line.fields, settings.ingest.columns))
        row, doubts = _call(file, named, told, settings)
        row["metadata_found"] = bool(lines)
        rows.append(row)
        remarks += doubts
    return rows, remarks


def line_remarks(
    index: MetadataIndex, files: Iterable[KnownFile], settings: Settings
) -> list[Remark]:
    """Remarks on lines of metadata that name no recording (yet), several, or nothing."""
    ids: Counter[str] = Counter()
    paths: Counter[str] = Counter()
    for file in files:
        ids[same_name(_call_id(file, _from_name(file.path, settings.ingest.name_pattern)))] += 1
        paths.update(_path_keys(file))
    remarks = [
        remark
        for keyed, known in ((index.by_path, paths), (index.by_id, ids))
        for name, lines in keyed.items()
        if (remark := _count_remark(lines[-1], name, known[name]))
    ]
    return remarks + [
        Remark(
            line.place,
            "names_nothing",
            "has neither a file nor a call_id",
            "Supply a column `file` or `call_id`, or map yours to it in ingest.columns.",
        )
        for line in index.nameless
    ]


def _count_remark(line: Line, name: str, n_recordings: int) -> Remark | None:
    if n_recordings == 1:
        return None
    if n_recordings:
        return Remark(
            line.place,
            "ambiguous_file",
            f"names {name!r}, which {n_recordings} recordings are called; it counts for each",
            "Write the path below the audio folder.",
        )
    return Remark(
        line.place,
        "missing_file",
        f"names {name!r}, and no such recording is there",
        "Nothing to do if the recording is still to come; the line joins by itself.",
    )


def _call(
    file: KnownFile, named: Mapping[str, str], told: Mapping[str, str], settings: Settings
) -> tuple[dict[str, object], list[Remark]]:
    doubts: list[Remark] = []

    def doubt(code: str, message: str, remedy: str) -> None:
        doubts.append(Remark(file.path, code, message, remedy, file.recording_id))

    fields = {**named, **told}
    started_at, source = _start(file, named, told, settings, doubt)
    roles, single_role = _roles(fields, settings, doubt)
    row: dict[str, object] = {
        "recording_id": file.recording_id,
        "call_id": told.get("call_id") or _call_id(file, named),
        "path": file.path,
        "audio_root": file.audio_root,
        "size_bytes": file.size_bytes,
        "started_at": started_at,
        "started_at_source": source,
        "notice_given": _consent(fields, "notice_given", if_unclear=False, doubt=doubt),
        "objected": _consent(fields, "objected", if_unclear=True, doubt=doubt),
        "roles": roles,
        "single_role": single_role,
        "attributes": sorted((k, v) for k, v in fields.items() if k not in OWN_COLUMNS),
    }
    row.update({name: fields.get(name) for name in TEXT_COLUMNS})
    return row, doubts


def _start(
    file: KnownFile,
    named: Mapping[str, str],
    told: Mapping[str, str],
    settings: Settings,
    doubt: Doubt,
) -> tuple[dt.datetime, str]:
    """Start of the call: from metadata, else the name, else the file's time."""
    zone = ZoneInfo(settings.ingest.timezone)
    for source, fields, pattern in (
        ("metadata", told, settings.ingest.time_format),
        ("name", named, settings.ingest.name_time_format),
    ):
        text = fields.get("started_at")
        if text is None:
            continue
        time = parse_time(text, pattern=pattern, zone=zone)
        if time is not None:
            return time, source
        doubt(
            "bad_time",
            f"started_at is {text!r} in the {source}: no time that a call can have",
            "Write 2026-11-03T14:05:00, or set ingest.time_format.",
        )
    return file_time(file.modified_ns, zone), "file"


def _roles(fields: Mapping[str, str], settings: Settings, doubt: Doubt) -> tuple[list[str], str]:
    """Roles of a two-channel file's channels, and the role of a channel that is alone."""
    roles: list[str] = list(settings.roles.channels)
    single: str = settings.roles.single_channel
    if (channel := fields.get("customer_channel")) is not None:
        if channel in ("0", "1"):
            roles = ["customer", "agent"] if channel == "0" else ["agent", "customer"]
        else:
            roles, single = ["unknown", "unknown"], "unknown"
            doubt(
                "bad_role",
                f"customer_channel is {channel!r}: neither 0 nor 1; nobody is scored",
                "Write 0 or 1, or leave it empty.",
            )
    for name, place in (("channel_0_role", 0), ("channel_1_role", 1)):
        if (role := fields.get(name)) is not None:
            roles[place] = _role(role, name, doubt)
    if (role := fields.get("single_channel_role")) is not None:
        single = _role(role, "single_channel_role", doubt)
    return roles, single


def _role(text: str, name: str, doubt: Doubt) -> str:
    role = text.lower()
    if role in _ROLES:
        return role
    doubt("bad_role", f"{name} is {text!r}: no role", f"Write one of {', '.join(_ROLES)}.")
    return "unknown"


def _consent(
    fields: Mapping[str, str], name: str, *, if_unclear: bool, doubt: Doubt
) -> bool | None:
    """Yes, no or not said; a text that is neither is taken against scoring."""
    text = fields.get(name)
    if text is None:
        return None
    answer = parse_bool(text)
    if answer is None:
        doubt(
            "unclear_consent",
            f"{name} is {text!r}: neither yes nor no; the call is not scored",
            "Write true or false.",
        )
        return if_unclear
    return answer


def _from_name(path: str, pattern: str | None) -> dict[str, str]:
    """Fields from the named groups of the pattern, where it is found in the path."""
    match = re.search(pattern, path) if pattern else None
    return {name: text for name, text in (match.groupdict() if match else {}).items() if text}


def _disagreements(lines: Sequence[Line], file: KnownFile) -> list[Remark]:
    """Two lines of one metadata file that say different things about one recording."""
    remarks = []
    by_source: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_source[line.source].append(line)
    for same in by_source.values():
        if any(line.fields != same[0].fields for line in same[1:]):
            remarks.append(
                Remark(
                    same[-1].place,
                    "duplicate_metadata",
                    f"{len(same)} different lines name {file.path}; the last one counts",
                    "Leave one line a call.",
                    file.recording_id,
                )
            )
    return remarks


def repeated_call_ids(rows: Iterable[Mapping[str, object]]) -> list[Remark]:
    """Remarks on recordings that share a call id."""
    by_id: dict[object, list[Mapping[str, object]]] = defaultdict(list)
    for row in rows:
        by_id[row["call_id"]].append(row)
    return [
        Remark(
            str(row["path"]),
            "duplicate_call_id",
            f"{len(same)} recordings have the call id {call_id!r}; each is kept",
            "Give each call its own id, or name the file in the metadata.",
            str(row["recording_id"]),
        )
        for call_id, same in by_id.items()
        if len(same) > 1
        for row in same
    ]


def _path_key(path: str) -> str:
    """One spelling of a path: forward slashes, no `.` parts, one Unicode form."""
    text = same_name(path.replace("\\", "/"))
    return PurePosixPath(text).as_posix()


def _path_keys(file: KnownFile) -> list[str]:
    """The ways in which metadata may name a file: whole path, path below the folder, name."""
    name = PurePosixPath(file.path).name
    absolute = _path_key(f"{file.audio_root}/{file.path}")
    return list(dict.fromkeys((absolute, _path_key(file.path), same_name(name))))


def _call_id(file: KnownFile, named: Mapping[str, str]) -> str:
    """The id that the file's name gives the call."""
    return named.get("call_id") or PurePosixPath(file.path).stem
