"""A shard of calls: its rows in the lake, what is missing from them, and how new rows join."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.analysis.describe import CallJob, CallOutcome
from ser_batch.analysis.identity import analysis_id
from ser_batch.analysis.rows import channel_rows, feature_rows, recording_rows, segment_rows
from ser_batch.analysis.warnings import find_warnings
from ser_batch.audio.call_audio import call_files
from ser_batch.config import Settings, digest
from ser_batch.eligibility import channel_scoring
from ser_batch.errors import GoneFileError
from ser_batch.features.sets import get_feature_set
from ser_batch.ingest.issues import IssueRow, quarantined, warned
from ser_batch.ingest.matching import DataIssue
from ser_batch.ingest.side_rows import recordings_of
from ser_batch.store.lake import Lake, Part
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    QUARANTINE,
    RECORDINGS,
    SEGMENTS,
    features_contract,
)

_CHANNEL_KEY = ["recording_id", "channel"]


@dataclass(frozen=True)
class Shard:
    """Rows of one shard in every table that analysis fills.

    Attributes:
        calls: rows of `calls`: the live recordings
        recordings: rows of `recordings`
        channels: rows of `channels`
        segments: rows of `segments`
        features: rows of the feature set's table
        issues: rows of `quarantine` that analysis made, without `noticed_at`
    """

    calls: pa.Table
    recordings: pa.Table
    channels: pa.Table
    segments: pa.Table
    features: pa.Table
    issues: list[IssueRow]

    @classmethod
    def read(cls, lake: Lake, part: Part, settings: Settings) -> Shard:
        """The shard as the lake holds it; features of another definition are as good as none."""
        feature_set = get_feature_set(settings.features.set)
        contract = features_contract(feature_set.name, feature_set.names)
        tags = lake.tags(contract, part) or {}
        same_set = tags.get("feature_set") == feature_set.digest
        noticed = Part(None, f"shard-{part.name}")
        same_analysis = (lake.tags(QUARANTINE, noticed) or {}).get("analysis_id") == (
            analysis_id(settings)
        )
        calls = lake.read(CALLS, [part])
        return cls(
            calls=calls,
            recordings=lake.read(RECORDINGS, [part]),
            channels=lake.read(CHANNELS, [part]),
            segments=lake.read(SEGMENTS, [part]),
            features=lake.read(contract, [part]) if same_set else contract.empty(),
            issues=_of_calls(lake.read(QUARANTINE, [noticed]), calls) if same_analysis else [],
        )

    def jobs(self, settings: Settings) -> list[CallJob]:
        """The recordings that must be described: new ones, and those whose rows are out of date."""
        columns = ["recording_id", "analysis_id", "n_channels"]
        known = {
            recording_id: (made_by, n_channels)
            for recording_id, made_by, n_channels in _frame(self.recordings.select(columns)).rows()
        }
        bad = _rejected(self.issues)
        again = self._without_features(settings) | self._otherwise_shared()
        jobs = []
        for call in self.calls.to_pylist():
            recording_id = call["recording_id"]
            made_by, n_channels = known.get(recording_id, (None, 0))
            is_done = made_by == _analysis_of(call, bad, settings)
            if recording_id in again or not (is_done or bad.issuperset(recordings_of(call))):
                was_paired = bool(call["sides"]) and n_channels > 1
                jobs.append(_job(call, settings, was_paired=was_paired))
        return jobs

    def updated(self, outcomes: Sequence[CallOutcome], settings: Settings) -> Shard:
        """The shard with what was detected; of calls that may not be scored no feature stays."""
        known = set(self.recordings["recording_id"].to_pylist())
        gone = [o for o in outcomes if isinstance(o.error, GoneFileError)]
        kept = {outcome.recording_id for outcome in gone} & known
        fresh = [outcome for outcome in outcomes if outcome.recording_id not in kept]
        stale = {outcome.recording_id for outcome in fresh}
        feature_set = get_feature_set(settings.features.set)
        calls = {call["recording_id"]: call for call in self.calls.to_pylist()}
        restated = {each for name in stale | kept for each in recordings_of(calls[name])}
        issues = [row for row in self.issues if row["recording_id"] not in restated]
        issues += _issues(outcomes, kept, calls)
        bad = _rejected(issues)
        made_by = [_analysis_of(calls[each.recording_id], bad, settings) for each in fresh]
        recordings = _joined(self.recordings, recording_rows(fresh, made_by), stale)
        features = _joined(self.features, feature_rows(fresh, feature_set), stale)
        return Shard(
            calls=self.calls,
            recordings=recordings,
            channels=_joined(self.channels, channel_rows(fresh), stale),
            segments=_joined(self.segments, segment_rows(fresh), stale),
            features=_only_scored(features, self.calls, recordings, settings),
            issues=issues,
        )

    def feature_keys(self) -> list[tuple[str, int]]:
        """The channels that have features."""
        return _frame(self.features.select(_CHANNEL_KEY)).unique().sort(_CHANNEL_KEY).rows()

    def _otherwise_shared(self) -> set[str]:
        """Recordings of one signal whose voices were diarized and need not be, or were not."""
        one_signal = (pl.col("n_channels") == 1) | pl.col("dual_mono")
        tried = pl.col("diarization_confidence").is_not_null()
        columns = ["recording_id", "n_channels", "dual_mono", "diarization_confidence"]
        joined = _frame(self.recordings.select(columns)).join(
            _frame(self.calls.select(["recording_id", "first_speaker"])), on="recording_id"
        )
        wanted = pl.col("first_speaker").is_not_null()
        return set(joined.filter(one_signal & (tried != wanted))["recording_id"])

    def _without_features(self, settings: Settings) -> set[str]:
        """Recordings with a channel that may be scored and has segments, but no features."""
        wanted = _scored(self.calls, self.recordings, settings)
        spoken = _frame(self.segments.select(_CHANNEL_KEY)).unique()
        have = _frame(self.features.select(_CHANNEL_KEY)).unique()
        missing = wanted.join(spoken, on=_CHANNEL_KEY).join(have, on=_CHANNEL_KEY, how="anti")
        return set(missing["recording_id"])


def _rejected(rows: Iterable[IssueRow]) -> set[str]:
    """Recordings that cannot be used."""
    return {str(row["recording_id"]) for row in rows if row["severity"] == "quarantine"}


def _analysis_of(call: dict[str, Any], bad: set[str], settings: Settings) -> str:
    """Digest of all that the segments of a call depend on; of a pair, the usable sides too."""
    if not call["sides"]:
        return analysis_id(settings)
    sides = [(s["recording_id"], s["start_s"], s["recording_id"] in bad) for s in call["sides"]]
    return digest([analysis_id(settings), sides])


def _job(row: dict[str, Any], settings: Settings, *, was_paired: bool) -> CallJob:
    return CallJob(
        recording_id=row["recording_id"],
        files=call_files(row),
        size_bytes=row["size_bytes"],
        roles=tuple(row["roles"]),
        single_role=row["single_role"],
        first_speaker=row["first_speaker"],
        notice_given=row["notice_given"],
        objected=row["objected"],
        settings=settings,
        was_paired=was_paired,
    )


def _joined(old: pa.Table, new: pa.Table, replaced: set[str]) -> pa.Table:
    """Old rows but those of replaced recordings, and the new ones."""
    ids = pa.array(sorted(replaced), pa.string())
    kept = old.filter(pc.invert(pc.is_in(old["recording_id"], ids)))
    return pa.concat_tables([kept, new.cast(kept.schema)])


def _only_scored(
    features: pa.Table, calls: pa.Table, recordings: pa.Table, settings: Settings
) -> pa.Table:
    """Features of the channels that may be scored, and of no other."""
    wanted = {tuple(row) for row in _scored(calls, recordings, settings).rows()}
    keys = zip(*(features[name].to_pylist() for name in _CHANNEL_KEY), strict=True)
    return features.filter(pa.array([key in wanted for key in keys], pa.bool_()))


def _scored(calls: pa.Table, recordings: pa.Table, settings: Settings) -> pl.DataFrame:
    scoring = _frame(channel_scoring(calls, recordings, settings.policy))
    return scoring.filter(pl.col("not_scored_reason").is_null()).select(_CHANNEL_KEY)


def _issues(
    outcomes: Iterable[CallOutcome], kept: set[str], calls: Mapping[str, dict[str, Any]]
) -> list[IssueRow]:
    """What is wrong with each call, if anything."""
    rows = []
    for outcome in outcomes:
        call = calls[outcome.recording_id]
        rows += _bad_files(outcome, call, is_kept=outcome.recording_id in kept)
        found = []
        if outcome.recording_id in kept:
            message = "the file is gone; its earlier analysis, under other settings, is kept"
            found.append(("kept_earlier", message, GoneFileError.remedy))
        elif outcome.analysis is not None:
            found += find_warnings(outcome.analysis, outcome.n_channels, call["roles"])
        place = (call["recording_id"], call["audio_root"])
        rows += [
            warned(DataIssue(call["path"], code, message, remedy, *place), "analyse")
            for code, message, remedy in found
        ]
    return rows


def _bad_files(outcome: CallOutcome, call: dict[str, Any], *, is_kept: bool) -> list[IssueRow]:
    """The recordings of a call that cannot be used: all of it, or of one side."""
    files = call["sides"] or [call]
    errors = {} if is_kept else dict(outcome.side_errors)
    if outcome.error is not None and not errors and not is_kept:
        errors = dict.fromkeys(range(len(files)), outcome.error)
    return [
        quarantined(
            files[number]["audio_root"],
            files[number]["path"],
            files[number]["recording_id"],
            "analyse",
            error,
        )
        for number, error in errors.items()
    ]


def _of_calls(noticed: pa.Table, calls: pa.Table) -> list[IssueRow]:
    """Issues of recordings that are still live: what was fixed or replaced is not wrong now."""
    live = {name for call in calls.to_pylist() for name in recordings_of(call)}
    rows = noticed.drop(["noticed_at"]).to_pylist()
    return [row for row in rows if row["recording_id"] in live]


def _frame(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table))
