"""What was detected once in some real calls, given out as what is in every call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from ser_batch.analysis.describe import CallJob, CallOutcome, describe_calls
from ser_batch.analysis.workers import Workers
from ser_batch.audio.analysis import ChannelAnalysis
from ser_batch.audio.call_audio import CallFile
from ser_batch.config import Settings

SEGMENTS_A_CHANNEL = 4
"""Segments that are kept of each channel, so that a large history can be written."""


@dataclass(frozen=True)
class Recorded(Workers[CallJob, CallOutcome]):
    """The workers' interface in this process, without decoding.

    Attributes:
        outcomes: of the calls that were described
    """

    outcomes: tuple[CallOutcome, ...]
    n_processes: int = 1

    @classmethod
    def of(cls, paths: Sequence[Path], settings: Settings) -> Recorded:
        """Describe calls of two channels; those that cannot be decoded are left out."""
        found = [describe_calls([two_channel_job(path, settings)])[0] for path in paths]
        return cls(tuple(each for each in found if each.analysis is not None))

    @property
    def shortened(self) -> Recorded:
        """The same with the first segments of each channel alone."""
        return replace(self, outcomes=tuple(map(_first_segments, self.outcomes)))

    @property
    def mean_s(self) -> float:
        """Mean length of the calls, seconds."""
        lengths = [each.analysis.duration_s for each in self.outcomes if each.analysis]
        return sum(lengths) / len(lengths)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """There is no process to end."""

    def map(self, chunks: Sequence[Sequence[CallJob]]) -> Iterator[list[CallOutcome]]:
        """One of the outcomes for each call of each chunk, always the same for the same call."""
        return ([self._outcome(job.recording_id) for job in chunk] for chunk in chunks)

    def _outcome(self, recording_id: str) -> CallOutcome:
        outcome = self.outcomes[int(recording_id[:8], 16) % len(self.outcomes)]
        return replace(outcome, recording_id=recording_id)


def two_channel_job(path: Path, settings: Settings) -> CallJob:
    """The analysis of a recording whose channels are agent and customer."""
    return CallJob(
        recording_id=str(path),
        files=(CallFile(path),),
        size_bytes=0,
        roles=("agent", "customer"),
        single_role="unknown",
        first_speaker=None,
        notice_given=None,
        objected=None,
        settings=settings,
    )


def _first_segments(outcome: CallOutcome) -> CallOutcome:
    assert outcome.analysis is not None
    channels = tuple(map(_first_of_channel, outcome.analysis.channels))
    features = {name: rows[:SEGMENTS_A_CHANNEL] for name, rows in outcome.features.items()}
    return replace(
        outcome, analysis=replace(outcome.analysis, channels=channels), features=features
    )


def _first_of_channel(channel: ChannelAnalysis) -> ChannelAnalysis:
    return replace(
        channel,
        segments=channel.segments[:SEGMENTS_A_CHANNEL],
        measures={name: of[:SEGMENTS_A_CHANNEL] for name, of in channel.measures.items()},
        bandwidth_hz=channel.bandwidth_hz[:SEGMENTS_A_CHANNEL],
    )
