"""Where the words of a call come from: a file, a column of the metadata, or a recogniser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ser_batch.audio.call_audio import call_files, require_call
from ser_batch.config import Settings, digest
from ser_batch.errors import MetadataContentError
from ser_batch.files.inputs import name_of
from ser_batch.ingest.matching import TRANSCRIPT, KnownFile, MetadataIndex, renamed
from ser_batch.ingest.metadata import Line, read_lines
from ser_batch.transcripts.read import parse_transcript, read_transcript
from ser_batch.transcripts.recognise import only_speech, recognise
from ser_batch.transcripts.sidecars import Sidecar, Sidecars
from ser_batch.transcripts.sides import CallSide
from ser_batch.transcripts.utterance import Utterance

_NEVER = dt.datetime.min


@dataclass(frozen=True)
class Spoken:
    """What a source says.

    Attributes:
        utterances: by start
        has_channels: their channels are those of the call's sides
    """

    utterances: list[Utterance]
    has_channels: bool


@dataclass(frozen=True)
class Source:
    """Where the words of a call come from.

    Attributes:
        place: as issues name it
        state: digest; another transcript has another
        read: reads it; raises `FileError`
        is_recogniser: it is not asked about calls that have words
    """

    place: str
    state: str
    read: Callable[[], Spoken]
    is_recogniser: bool = False


@dataclass(frozen=True)
class Sources:
    """The transcripts that a night is given.

    Attributes:
        sidecars: files beside the recordings
        lines: of this night's metadata, with a transcript in a column
        settings: all settings
    """

    sidecars: Sidecars
    lines: MetadataIndex
    settings: Settings

    def states(self, calls: Sequence[Mapping[str, Any]]) -> list[object]:
        """What says whether a transcript of some calls is new."""
        return [
            [call["recording_id"], _states(self._files(call)), self._cell(call)[1]]
            for call in calls
        ]

    def of(
        self, call: Mapping[str, Any], sides: Sequence[CallSide], *, has_channels: bool
    ) -> Source | None:
        """The source of a call's words: its files, else the metadata, else the recogniser.

        Args:
            call: a row of `calls`
            sides: of the call
            has_channels: each side has a channel of the recording
        """
        limits, speakers = self.settings.transcripts, self.settings.transcripts.speakers
        if files := self._files(call):
            return Source(
                call["path"],
                digest([_states(files), speakers]),
                lambda: _of_files(files, limits.max_mb, has_channels=has_channels),
            )
        place, text = self._cell(call)
        if text:
            return Source(
                place,
                digest([text, speakers]),
                lambda: Spoken(parse_transcript(text.encode()), has_channels),
            )
        if limits.command:
            return Source(
                call["path"],
                digest(limits.command),
                lambda: Spoken(
                    _recognised(call, sides, self.settings, has_channels=has_channels), True
                ),
                is_recogniser=True,
            )
        return None

    def _files(self, call: Mapping[str, Any]) -> list[tuple[int | None, float, Sidecar]]:
        """Transcript files: of the call, or of each side with its channel and start."""
        if not call["sides"]:
            own = self.sidecars.of(call["audio_root"], call["path"])
            return [(None, 0.0, own)] if own else []
        sides = call["sides"]
        first_s = min(side["start_s"] or 0.0 for side in sides)
        found = (self.sidecars.of(side["audio_root"], side["path"]) for side in sides)
        return [
            (channel, (sides[channel]["start_s"] or 0.0) - first_s, file)
            for channel, file in enumerate(found)
            if file
        ]

    def _cell(self, call: Mapping[str, Any]) -> tuple[str, str]:
        """Place and text of the last line with a transcript of a call; empty if there is none."""
        if not self.lines.lines:
            return "", ""
        file = KnownFile(call["recording_id"], call["path"], call["audio_root"], 0, 0, _NEVER)
        matching = self.lines.matching(file, call["call_id"])
        if not matching:
            return "", ""
        fields = renamed(matching[-1].fields, self.settings.ingest.columns)
        return matching[-1].place, fields[TRANSCRIPT]


def open_sources(metadata: Sequence[Path], settings: Settings, now: dt.datetime) -> Sources:
    """The transcripts that a night is given.

    Args:
        metadata: the night's metadata files; their lines were kept without transcripts
        settings: all settings
        now: UTC

    Raises:
        MetadataError: if a metadata file cannot be opened
    """
    columns = settings.ingest.columns
    lines: list[Line] = []
    for path in metadata:
        with suppress(MetadataContentError):  # the import warned about it
            read = read_lines(path).lines
            lines += [line for line in read if TRANSCRIPT in renamed(line.fields, columns)]
    now_s = now.replace(tzinfo=dt.UTC).timestamp()
    folder = settings.transcripts.folder
    sidecars = Sidecars(Path(folder) if folder else None, (now_s - settings.ingest.min_age_s) * 1e9)
    return Sources(sidecars, MetadataIndex(lines, columns), settings)


def _states(files: Sequence[tuple[int | None, float, Sidecar]]) -> list[object]:
    return [
        [channel, start_s, name_of(file.path), file.size_bytes, file.modified_ns]
        for channel, start_s, file in files
    ]


def _of_files(
    files: Sequence[tuple[int | None, float, Sidecar]], most_mb: float, *, has_channels: bool
) -> Spoken:
    """What the files of a call say; of a side's file, all is said on its channel."""
    found: list[Utterance] = []
    for channel, start_s, file in files:
        read = read_transcript(file.path, most_mb=most_mb)
        if channel is not None:
            read = [_moved(each, start_s, channel) for each in read]
        found += read
    return Spoken(found, has_channels)


def _moved(each: Utterance, by_s: float, channel: int) -> Utterance:
    return replace(each, start_s=each.start_s + by_s, end_s=each.end_s + by_s, channel=channel)


def _recognised(
    call: Mapping[str, Any], sides: Sequence[CallSide], settings: Settings, *, has_channels: bool
) -> list[Utterance]:
    """What the user's recogniser says of the customers' segments; it is given nothing else."""
    audio = require_call(call_files(call), settings.audio)
    limits = settings.transcripts
    found: list[Utterance] = []
    for side in sides:
        if side.is_kept and side.segments:
            samples = audio.samples[side.channel if has_channels else 0]
            said = recognise(
                only_speech(samples, side.segments, audio.sample_rate),
                audio.sample_rate,
                limits.command,
                limit_s=limits.command_limit_s,
                most_mb=limits.max_mb,
            )
            found += [replace(each, channel=side.channel) for each in said]
    return found
