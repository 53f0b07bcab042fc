"""Transcripts: what customers that may be scored say, by segment and redacted, into the lake.

A night does so only if `policy.transcripts` is set; unset again, `retention` deletes every word.
A shard is read again where its calls, its segments, the policy or a transcript changed. Words of a
call whose transcript is gone stay as long as its segments are the same and it may be scored.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ser_batch.config import Settings, digest
from ser_batch.eligibility import channel_scoring
from ser_batch.errors import FileError, RecognitionError
from ser_batch.ingest.call_tags import DECIDES_SCORING
from ser_batch.ingest.issues import IssueRow, replace_issues, warned
from ser_batch.ingest.matching import DataIssue
from ser_batch.stages.transcript_sources import Source, Sources, open_sources
from ser_batch.store.commit import PARTS
from ser_batch.store.lake import Lake, Part
from ser_batch.store.paths import Root
from ser_batch.tables import CALLS, QUARANTINE, RECORDINGS, SEGMENTS, TRANSCRIPTS
from ser_batch.transcripts.redact import RULES_VERSION, name_finder, redacted
from ser_batch.transcripts.sides import CallSide, Segment, kept_words

Row = dict[str, Any]
INPUTS = "inputs"
_WRITER = "transcripts-"
_NAMES_PEOPLE = re.compile(r"name|mail|person|contact|kontakt", re.IGNORECASE)


@dataclass(frozen=True)
class TranscriptsResult:
    """What was done in a night.

    Attributes:
        n_read: calls whose transcript was read
        n_bad: calls whose transcript cannot be used
    """

    n_read: int
    n_bad: int


def keep_transcripts(
    root: Root,
    shards: Sequence[Part],
    metadata: Sequence[Path],
    settings: Settings,
    now: dt.datetime,
) -> TranscriptsResult:
    """Bring the words of some shards up to date; the policy lets words be kept.

    Args:
        root: which is held
        shards: analysed
        metadata: the night's metadata files
        settings: all settings
        now: UTC

    Raises:
        SettingsError: if `transcripts.names_model` cannot be used
        MetadataError: if a metadata file cannot be opened
    """
    lake = Lake(root.lake)
    sources = open_sources(metadata, settings, now)
    n_read = n_bad = 0
    for shard in shards:
        calls = lake.read(CALLS, [shard]).to_pylist()
        inputs = _inputs(lake, shard, sources, calls)
        if (lake.sound_tags(TRANSCRIPTS, shard) or {}).get(INPUTS) != inputs:
            found = _Shard.read(lake, shard, settings).transcribed(calls, sources)
            tags = {INPUTS: "" if found.is_to_be_tried_again else inputs}
            replace_issues(lake, f"{_WRITER}{shard.name}", found.issues, now)
            lake.write(TRANSCRIPTS, shard, TRANSCRIPTS.from_rows(found.rows), tags)
            n_read, n_bad = n_read + found.n_read, n_bad + len(found.issues)
    return TranscriptsResult(n_read, n_bad)


def forget_words(root: Root) -> int:
    """Delete every word that was kept, models of words included; how many parts had words.

    The root is held.
    """
    lake = Lake(root.lake)
    gone = lake.parts(TRANSCRIPTS)
    for part in gone:
        lake.remove(TRANSCRIPTS, part)
    for part in lake.parts(QUARANTINE):
        if part.name.startswith(_WRITER):
            lake.remove(QUARANTINE, part)
    shutil.rmtree(lake.folder / TRANSCRIPTS.name, ignore_errors=True)
    shutil.rmtree(root.words, ignore_errors=True)
    return len(gone)


def _inputs(lake: Lake, shard: Part, sources: Sources, calls: Sequence[Row]) -> str:
    """Digest of all that the words of a shard are made from."""
    analysed = lake.sound_tags(RECORDINGS, shard) or {}
    return digest(
        [
            RULES_VERSION,
            sources.settings.transcripts.digest(),
            sources.settings.policy.digest(),
            analysed.get(PARTS),
            [[call[name] for name in DECIDES_SCORING] for call in calls],
            sources.states(calls),
        ]
    )


@dataclass(frozen=True)
class _Transcribed:
    """The words of a shard.

    Attributes:
        rows: of `transcripts`
        issues: transcripts that cannot be used
        n_read: calls whose transcript was read
        is_to_be_tried_again: the recogniser failed; the next night may succeed
    """

    rows: list[Row]
    issues: list[IssueRow]
    n_read: int
    is_to_be_tried_again: bool


@dataclass(frozen=True)
class _Shard:
    """What is known of a shard.

    Attributes:
        sides: of each recording that is analysed
        recordings: rows of `recordings` by id
        before: rows of `transcripts` by recording
        settings: all settings
    """

    sides: Mapping[str, tuple[CallSide, ...]]
    recordings: Mapping[str, Row]
    before: Mapping[str, list[Row]]
    settings: Settings

    @classmethod
    def read(cls, lake: Lake, shard: Part, settings: Settings) -> _Shard:
        recordings = lake.read(RECORDINGS, [shard])
        segments: dict[tuple[str, int], list[Segment]] = defaultdict(list)
        for row in lake.read(SEGMENTS, [shard]).sort_by("start_s").to_pylist():
            one = Segment(row["segment_no"], row["start_s"], row["end_s"])
            segments[row["recording_id"], row["channel"]].append(one)
        scoring = channel_scoring(lake.read(CALLS, [shard]), recordings, settings.policy)
        sides: dict[str, list[CallSide]] = defaultdict(list)
        for row in scoring.to_pylist():
            own = tuple(segments[row["recording_id"], row["channel"]])
            side = CallSide(row["channel"], row["role"], row["not_scored_reason"] is None, own)
            sides[row["recording_id"]].append(side)
        before: dict[str, list[Row]] = defaultdict(list)
        if lake.sound_tags(TRANSCRIPTS, shard) is not None:
            for row in lake.read(TRANSCRIPTS, [shard]).to_pylist():
                before[row["recording_id"]].append(row)
        return cls(
            {name: tuple(own) for name, own in sides.items()},
            {row["recording_id"]: row for row in recordings.to_pylist()},
            before,
            settings,
        )

    def transcribed(self, calls: Sequence[Row], sources: Sources) -> _Transcribed:
        """The words of every call: those at hand where they hold, else as its source says."""
        rows: list[Row] = []
        issues: list[IssueRow] = []
        n_read, failed = 0, False
        for call in calls:
            name = call["recording_id"]
            sides = self.sides.get(name, ())
            if not any(side.is_kept and side.segments for side in sides):
                continue
            source = sources.of(call, sides, has_channels=self._has_channels(name))
            if (at_hand := self._at_hand(call, sides, source)) is not None:
                rows += at_hand
            elif source is not None:
                try:
                    rows += self._rows(call, sides, source)
                    n_read += 1
                except FileError as error:
                    failed |= isinstance(error, RecognitionError)
                    issues.append(_issue(call, source, error))
        return _Transcribed(rows, issues, n_read, failed)

    def _has_channels(self, name: str) -> bool:
        recording = self.recordings[name]
        return bool(recording["n_channels"] > 1 and not recording["dual_mono"])

    def _at_hand(
        self, call: Row, sides: Sequence[CallSide], source: Source | None
    ) -> list[Row] | None:
        """The words at hand, if they are those of the source, or all that is left of a lost one.

        They are redacted again where the rules are others by now.
        """
        before = self.before.get(call["recording_id"], [])
        kept = {(s.channel, segment.number) for s in sides if s.is_kept for segment in s.segments}
        analysis = self.recordings[call["recording_id"]]["analysis_id"]
        state = None if source is None or source.is_recogniser else source.state
        is_same = {(row["channel"], row["segment_no"]) for row in before} == kept and all(
            row["analysis_id"] == analysis and state in (None, row["source"]) for row in before
        )
        if not is_same:
            return None
        rules = _rules(self.settings)
        return [
            row
            if row["redaction"] == rules
            else {**row, "text": self._redacted(row["text"], call), "redaction": rules}
            for row in before
        ]

    def _rows(self, call: Row, sides: Sequence[CallSide], source: Source) -> list[Row]:
        """A row for each segment that may be scored, redacted.

        Raises:
            FileError: if the source cannot be used
        """
        name, spoken = call["recording_id"], source.read()
        speakers = self.settings.transcripts.speakers
        said = kept_words(spoken.utterances, sides, speakers, has_channels=spoken.has_channels)
        return [
            {
                "recording_id": name,
                "channel": side.channel,
                "segment_no": segment.number,
                "text": self._redacted(
                    " ".join(each.text for each in said.get((side.channel, segment.number), ())),
                    call,
                ),
                "analysis_id": self.recordings[name]["analysis_id"],
                "source": source.state,
                "redaction": _rules(self.settings),
            }
            for side in sides
            if side.is_kept
            for segment in side.segments
        ]

    def _redacted(self, text: str, call: Row) -> str:
        find_names = name_finder(self.settings.transcripts.names_model)
        return redacted(text, known_names=_known_names(call), find_names=find_names)


def _rules(settings: Settings) -> str:
    """Digest of the rules of redaction."""
    return digest([RULES_VERSION, settings.transcripts.names_model])


def _known_names(call: Row) -> list[str]:
    """Texts of the metadata that name people."""
    named = [text for name, text in call["attributes"] if _NAMES_PEOPLE.search(name)]
    return [text for text in (call["customer"], call["agent"], *named) if text]


def _issue(call: Row, source: Source, error: FileError) -> IssueRow:
    return warned(
        DataIssue(
            source.place,
            error.code,
            str(error),
            error.remedy,
            call["recording_id"],
            call["audio_root"],
        ),
        "transcripts",
    )
