"""Which lines of metadata are about which recording."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Literal

from ser_batch.config import IngestSettings
from ser_batch.ingest.metadata import Line
from ser_batch.ingest.pseudonyms import read_pseudonyms
from ser_batch.ingest.scan import same_name
from ser_batch.ingest.values import quoted
from ser_batch.policy import names_people_at_work

FILE_COLUMNS = ("file", "path", "filename", "file_name", "recording", "audio")
ID_COLUMNS = ("call_id",)
NamedBy = Literal["path", "id", "nothing"]
TEXT_COLUMNS = ("queue", "agent", "team", "customer", "language")
TRANSCRIPT = "transcript"
"""Column of transcripts; what stands in it is never kept with the line."""
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
    "first_speaker",
    "side",
    TRANSCRIPT,
}


@dataclass(frozen=True)
class Side:
    """The one side of a call that a recording holds.

    Attributes:
        call_id: which both sides share
        name: of the side, as given
        is_ambiguous: there is more than one recording of a side, so none is paired
    """

    call_id: str
    name: str
    is_ambiguous: bool = False


@dataclass(frozen=True)
class KnownFile:
    """A recording's current place.

    Attributes:
        recording_id: digest of its bytes
        path: below the audio folder
        audio_root: the audio folder
        size_bytes: size
        modified_ns: last change
        ingested_at: when it was taken in, UTC
        other_places: folder and path of each file of the same audio; metadata may name any
        side: that it holds, None: the whole call
    """

    recording_id: str
    path: str
    audio_root: str
    size_bytes: int
    modified_ns: int
    ingested_at: dt.datetime
    other_places: tuple[tuple[str, str], ...] = ()
    side: Side | None = None


@dataclass(frozen=True)
class DataIssue:
    """Something about a line or a call that a person should look at."""

    place: str
    code: str
    message: str
    remedy: str
    recording_id: str | None = None
    audio_root: str | None = None


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
            kind, key = named_by(renamed(line.fields, self.columns))
            if kind == "path":
                self.by_path[key].append(line)
            elif kind == "id":
                self.by_id[key].append(line)
            else:
                self.nameless.append(line)

    def matching(self, file: KnownFile, call_id: str) -> list[Line]:
        """Lines about one recording, oldest first."""
        found = [line for key in path_keys(file) for line in self.by_path.get(key, ())]
        found += self.by_id.get(same_name(call_id), [])
        return self.in_order(found)

    def in_order(self, lines: Iterable[Line]) -> list[Line]:
        """Lines in the order in which they arrived, each once."""
        found = {(line.source, line.line_no): line for line in lines}
        return [found[key] for key in sorted(found, key=lambda key: self.order[key])]


def renamed(fields: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, str]:
    """Fields under our names, whatever the export calls them; case does not matter."""
    ours = {theirs.lower(): own for own, theirs in columns.items()}
    result = {}
    for name, text in fields.items():
        own = ours.get(name.lower(), name)
        result[own.lower() if own.lower() in OWN_COLUMNS else own] = text
    return result


def attribute_names(names: Iterable[str], settings: IngestSettings) -> list[str]:
    """Columns with no place of their own; none that may name somebody at work.

    Args:
        names: under our names
        settings: which are not kept
    """
    dropped = {name.lower() for name in settings.drop_attributes}
    return sorted(
        name
        for name in names
        if name not in OWN_COLUMNS
        and name.lower() not in dropped
        and not names_people_at_work(name)
    )


def without_transcript(line: Line, columns: Mapping[str, str]) -> Line:
    """A line as it may be kept."""
    theirs = columns.get(TRANSCRIPT, TRANSCRIPT).lower()
    kept = {n: text for n, text in line.fields.items() if n.lower() not in (TRANSCRIPT, theirs)}
    return replace(line, fields=kept)


def named_by(fields: Mapping[str, str]) -> tuple[NamedBy, str]:
    """What a line names its recording by, and the spelling that both sides are compared in.

    Args:
        fields: under our names
    """
    path = next((fields[name] for name in FILE_COLUMNS if name in fields), None)
    if path is not None:
        return "path", path_key(path)
    if "call_id" in fields:
        return "id", same_name(fields["call_id"])
    return "nothing", ""


def line_issues(index: MetadataIndex, count_of: Callable[[NamedBy, str], int]) -> list[DataIssue]:
    """Issues of lines of metadata that name no recording (yet), several, or nothing.

    Args:
        index: the lines
        count_of: how many recordings, or calls, a spelling names
    """
    named: tuple[tuple[NamedBy, dict[str, list[Line]]], ...]
    named = (("path", index.by_path), ("id", index.by_id))
    issues = [
        issue
        for kind, keyed in named
        for name, lines in keyed.items()
        # named by the oldest line: the next export that repeats it brings no new row
        if (issue := _count_issue(lines[0], name, count_of(kind, name)))
    ]
    return issues + [
        DataIssue(
            line.place,
            "names_nothing",
            "has neither a file nor a call_id",
            "Supply a column `file` or `call_id`, or map yours to it in ingest.columns.",
        )
        for line in index.nameless
    ]


def _count_issue(line: Line, name: str, n_recordings: int) -> DataIssue | None:
    if n_recordings == 1:
        return None
    if n_recordings:
        return DataIssue(
            line.place,
            "ambiguous_file",
            f"names {quoted(name)}, which {n_recordings} recordings are called; it counts for each",
            "Write the whole path of the file.",
        )
    return DataIssue(
        line.place,
        "missing_file",
        f"names {quoted(name)}, and no such recording is there",
        "Nothing to do if the recording is still to come; the line joins by itself.",
    )


def disagreements(lines: Sequence[Line], file: KnownFile) -> list[DataIssue]:
    """Two lines of one metadata file that say different things about one recording."""
    issues = []
    by_source: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_source[line.source].append(line)
    for same in by_source.values():
        if any(line.fields != same[0].fields for line in same[1:]):
            issues.append(
                DataIssue(
                    same[-1].place,
                    "duplicate_metadata",
                    f"{len(same)} different lines name {file.path}; the last one counts",
                    "Leave one line a call.",
                    file.recording_id,
                    file.audio_root,
                )
            )
    return issues


def fields_of_name(file: KnownFile, settings: IngestSettings) -> dict[str, str]:
    """Fields from the named groups of the patterns, where they are found in the path."""
    found: dict[str, str | None] = {}
    for pattern, path in (
        (settings.name_pattern, file.path),
        (settings.pair_pattern if file.side else None, f"{file.audio_root}/{file.path}"),
    ):
        if pattern and (match := re.search(pattern, path)):
            found |= match.groupdict()
    named = {name: text for name, text in found.items() if text and name != "side"}
    pseudonyms = read_pseudonyms(settings)
    return pseudonyms.applied(named) if pseudonyms else named


def call_id_of_name(file: KnownFile, named: Mapping[str, str]) -> str:
    """The id of the call: of the side that the file holds, else by the file's name."""
    if file.side is not None:
        return file.side.call_id
    return named.get("call_id") or PurePosixPath(file.path).stem


def path_key(path: str) -> str:
    """One spelling of a path: forward slashes, no `.` parts, one Unicode form."""
    text = same_name(path.replace("\\", "/"))
    is_plain = text and "//" not in text and "/." not in text and text[-1] != "/"
    return text if is_plain and text[:2] != "./" else PurePosixPath(text).as_posix()


def path_keys(file: KnownFile) -> list[str]:
    """The ways in which metadata may name a file: whole path, path below the folder, name."""
    keys: dict[str, None] = {}
    for root, path in ((file.audio_root, file.path), *file.other_places):
        absolute = path_key(f"{root}/{path}")
        name = same_name(PurePosixPath(path).name)
        keys |= dict.fromkeys((absolute, path_key(path), name))
    return list(keys)
