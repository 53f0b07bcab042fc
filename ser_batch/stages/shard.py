"""A shard of calls: its rows in the lake, what is missing from them, and how new rows join."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from ser_batch.analysis.describe import CallJob, CallOutcome
from ser_batch.analysis.identity import analysis_id
from ser_batch.analysis.rows import channel_rows, feature_keys, recording_rows, segment_rows
from ser_batch.audio.call_audio import call_files
from ser_batch.config import Settings, digest
from ser_batch.eligibility import channel_scoring
from ser_batch.errors import DamagedPartError, GoneFileError
from ser_batch.features.sets import get_feature_set
from ser_batch.ingest.issues import IssueRow
from ser_batch.ingest.quarantine import LOST
from ser_batch.ingest.side_rows import recordings_of
from ser_batch.stages.issues import call_issues, issues_of_calls, rejected, restated
from ser_batch.store.commit import Deviations, deviations, issues_part, members
from ser_batch.store.lake import Lake, Part
from ser_batch.store.packing import pack_matrix
from ser_batch.tables import (
    CALLS,
    CHANNELS,
    QUARANTINE,
    RECORDINGS,
    SEGMENTS,
    TableContract,
    features_contract,
)

_CHANNEL_KEY = ["recording_id", "channel"]
_NONE = Deviations()


@dataclass(frozen=True)
class Shard:
    """Rows of one shard in every table that analysis fills.

    Attributes:
        calls: rows of `calls`: the live recordings
        recordings: rows of `recordings`
        channels: rows of `channels`
        segments: rows of `segments`
        features: rows of the feature set's table, as its part holds them
        issues: rows of `quarantine` that analysis made, without `noticed_at`
        deviations: where its parts were not those that its last one names
    """

    calls: pa.Table
    recordings: pa.Table
    channels: pa.Table
    segments: pa.Table
    features: pa.Table
    issues: list[IssueRow]
    deviations: Deviations = _NONE

    @classmethod
    def read(cls, lake: Lake, part: Part, settings: Settings) -> Shard:
        """The shard as the lake holds it; features of another definition are as good as none."""
        contract = features_of(settings)
        digest_of_set = get_feature_set(settings.features.set).digest
        tags = lake.sound_tags(contract, part) or {}
        same_set = tags.get("feature_set") == digest_of_set
        noticed = issues_part(part)
        made_by = (lake.sound_tags(QUARANTINE, noticed) or {}).get("analysis_id")
        calls = lake.read(CALLS, [part])
        last = lake.sound_tags(RECORDINGS, part)
        found = deviations(lake, last, members(contract, part)) if last else Deviations()
        lost = set(found.lost)
        wanted = [(RECORDINGS, part), *members(contract, part)]
        rows = {table.name: _rows_or_none(lake, table, where, lost) for table, where in wanted}
        issues = issues_of_calls(rows[QUARANTINE.name], calls)
        return cls(
            calls=calls,
            recordings=rows[RECORDINGS.name],
            channels=rows[CHANNELS.name],
            segments=rows[SEGMENTS.name],
            features=rows[contract.name] if same_set else contract.stored.empty(),
            issues=issues if made_by == analysis_id(settings) else [],
            deviations=Deviations(frozenset(lost), found.changed),
        )

    def jobs(self, settings: Settings) -> list[CallJob]:
        """The recordings that must be described: new ones, and those whose rows are out of date."""
        columns = ["recording_id", "analysis_id", "n_channels"]
        known = {
            recording_id: (made_by, n_channels)
            for recording_id, made_by, n_channels in _frame(self.recordings.select(columns)).rows()
        }
        bad = rejected(self.issues)
        again = self._without_features(settings) | self._otherwise_shared()
        if self.deviations:
            again |= set(known)
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
        lost = self._without_rows(settings)
        fresh = [outcome for outcome in outcomes if outcome.recording_id not in kept]
        stale = {outcome.recording_id for outcome in fresh}
        calls = {call["recording_id"]: call for call in self.calls.to_pylist()}
        stated_again = {each for name in stale | kept for each in recordings_of(calls[name])}
        issues = [row for row in self.issues if row["recording_id"] not in stated_again]
        issues += call_issues(
            [restated(each, lost - known) for each in outcomes], kept, lost, calls
        )
        bad = rejected(issues)
        made_by = [_analysis_of(calls[each.recording_id], bad, settings) for each in fresh]
        recordings = _joined(self.recordings, recording_rows(fresh, made_by), stale)
        segments = _joined(self.segments, segment_rows(fresh), stale)
        features = _joined(self.features, _described(fresh, settings), stale)
        shown = features.filter(
            pc.is_in(features["recording_id"], segments["recording_id"].combine_chunks())
        )
        return Shard(
            calls=self.calls,
            recordings=recordings,
            channels=_joined(self.channels, channel_rows(fresh), stale),
            segments=segments,
            features=_only_scored(shown, self.calls, recordings, settings),
            issues=issues,
        )

    def feature_keys(self) -> list[tuple[str, int]]:
        """The channels that have features."""
        return _frame(self.features.select(_CHANNEL_KEY)).unique().sort(_CHANNEL_KEY).rows()

    def lost(self) -> set[str]:
        """Recordings that are known to be lost: rows of theirs, and the file."""
        return {str(row["recording_id"]) for row in self.issues if row["code"] == LOST}

    def _without_rows(self, settings: Settings) -> set[str]:
        """Recordings of which rows were lost, whether or not the file is there."""
        before, tables = self.lost(), self.deviations.lost
        if not tables:
            return before
        rows = [self.recordings, self.channels, self.segments, self.features]
        analysed = {str(name) for table in rows for name in table["recording_id"].to_pylist()}
        if tables & {RECORDINGS.name, CHANNELS.name, SEGMENTS.name}:
            return before | analysed
        return before | self._without_features(settings)

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


def features_of(settings: Settings) -> TableContract:
    """The table of the feature set in use."""
    feature_set = get_feature_set(settings.features.set)
    return features_contract(feature_set.name, feature_set.names)


def _rows_or_none(lake: Lake, table: TableContract, part: Part, lost: set[str]) -> pa.Table:
    """Rows of a part; none if it is damaged, and its table is then among the lost ones."""
    try:
        return lake.read_stored(table, part)
    except DamagedPartError:
        lost.add(table.name)
        return table.stored.empty()


def _described(outcomes: Sequence[CallOutcome], settings: Settings) -> pa.Table:
    """Features of what was detected, as a part holds them."""
    keys, matrix = feature_keys(outcomes)
    contract = features_of(settings)
    if not len(matrix):
        return contract.stored.empty()
    return pack_matrix(contract, keys, matrix, get_feature_set(settings.features.set).names)


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


def _frame(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table))
